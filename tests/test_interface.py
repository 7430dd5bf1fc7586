import dataclasses
import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import (
    FIVE_STEMS,
    STEMS,
    make_tiny_model,
    music,
    read_sound,
    replace_denoisers,
    separate,
    spy_on,
)

import msdm_cli
from msdm_cli import errors, interface, load_model
from msdm_cli.errors import (
    MissingPreset,
    MsdmError,
    UnknownModel,
    UnreadableAudio,
    UnsuitableAudio,
)
from msdm_cli.interface import Model
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.tasks.controls import Controls

ROOT = Path(__file__).parents[1]

SUM_TOLERANCE = 4 * 2.0**-25
"""Four stems below 1 are rounded to single precision, by half a unit of the last place at most."""

MIXTURE_TOLERANCE = 5 * 2.0**-24
"""Sums of up to five signals in single precision, below 2: half a unit of the last place each."""


def make_interface(model):
    return Model(**{field.name: getattr(model, field.name) for field in dataclasses.fields(model)})


@pytest.fixture(scope="module")
def model(tiny_model):
    return make_interface(tiny_model)


def test_a_model_is_shown_in_one_short_line(model):
    assert repr(model) == "Model('tiny', cpu, torch, fp32)"


def join(blocks, with_mixture):
    """Blocks as the methods give them."""
    parts = {}
    for block in blocks:
        signals = {**block.stems, "mixture": block.mixture} if with_mixture else block.stems
        for name, signal in signals.items():
            parts.setdefault(name, []).append(signal.astype(np.float32))
    assert len(parts["bass"]) > 1
    return {name: np.concatenate(signals, 1) for name, signals in parts.items()}


def check_same(one, other):
    assert list(one) == list(other)
    for name, signal in one.items():
        assert signal.dtype == other[name].dtype == np.float32
        np.testing.assert_array_equal(signal, other[name])


# Separation


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (22050, 1)])
def test_stems_sum_to_the_song(model, rate, channels):
    song = music(2 * rate, channels, rate)
    stems = model.separate(song, rate, quality="fast")
    assert tuple(stems) == STEMS
    for stem in stems.values():
        assert stem.shape == song.shape
        assert stem.dtype == np.float32
        assert 1e-3 < np.abs(stem).max() < 1
    np.testing.assert_allclose(
        np.sum(list(stems.values()), 0, np.float64), song, atol=SUM_TOLERANCE
    )


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16"])
def test_a_path_gives_the_stems_of_its_samples(model, write_song, subtype):
    path = write_song(seconds=1, subtype=subtype)
    samples = read_sound(path)
    of_path = model.separate(path, quality="fast")
    check_same(of_path, model.separate(str(path), quality="fast"))
    check_same(of_path, model.separate(samples, 44100, quality="fast"))
    check_same(of_path, model.separate(samples.astype(np.float32), 44100, quality="fast"))


def test_the_stems_are_those_of_a_job(tiny_model, model, write_song, tmp_path):
    path = write_song(seconds=1)
    output = OutputOptions(subtype="FLOAT")
    result = separate(tiny_model, path, tmp_path, quality="default", seed=3, output=output)
    stems = model.separate(path, seed=3)
    for name, stem in stems.items():
        np.testing.assert_array_equal(stem, read_sound(result.files[name]))


def test_absent_stems_are_left_out_of_the_stems_of_a_job(tiny_model, model, write_song, tmp_path):
    path = write_song(seconds=1)
    fields = {"quality": "default", "seed": 3, "absent": ("piano",)}
    result = separate(tiny_model, path, tmp_path, output=OutputOptions(subtype="FLOAT"), **fields)
    stems = model.separate(path, **fields | {"absent": "piano"})
    assert tuple(stems) == tuple(result.files) == STEMS[:3]
    for name, stem in stems.items():
        np.testing.assert_array_equal(stem, read_sound(result.files[name]))
    check_same(stems, join(model.separate_blocks(path, **fields), with_mixture=False))


def test_an_array_of_one_axis_gives_stems_of_one_axis(model):
    song = music(22050)
    flat = model.separate(song[0], 22050, quality="fast")
    for name, stem in model.separate(song, 22050, quality="fast").items():
        assert flat[name].shape == (22050,)
        np.testing.assert_array_equal(flat[name], stem[0])


def test_the_array_that_is_given_is_left_alone(model):
    song = music(11025)
    before = song.copy()
    model.separate(song, 22050, quality="fast")
    np.testing.assert_array_equal(song, before)


@pytest.mark.parametrize(
    "sound",
    [torch.zeros(500, requires_grad=True), np.ma.masked_array(np.zeros(500), True)],
    ids=["with gradients", "masked"],
)
def test_what_is_no_array_is_a_type_error(model, sound):
    with pytest.raises(TypeError, match="expected samples of song"):
        model.separate(sound, 22050)


@pytest.mark.parametrize("kind", [torch.from_numpy, list])
def test_what_numpy_takes_for_an_array_is_one(model, kind):
    song = music(500)[0]
    check_same(model.separate(kind(song), 22050), model.separate(song, 22050))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("task", ["separate", "impute", "generate", "extend"])
def test_blocks_may_be_changed_in_place(model, task, channels):
    song = np.repeat(music(500), channels, 0)
    blocks = {
        "separate": lambda: model.separate_blocks(song, 22050),
        "impute": lambda: model.impute_blocks({"drums": song}, 22050),
        "generate": lambda: model.generate_blocks(0.02),
        "extend": lambda: model.extend_blocks({"drums": song}, 0.02, 22050),
    }
    for block in blocks[task]():
        for stem in block.stems.values():
            before = stem.copy()
            stem[0] += 1
            np.testing.assert_array_equal(stem[1:], before[1:])


def test_blocks_of_a_separation_are_its_stems(model):
    song = music(3 * 44100, 2, 44100)
    blocks = list(model.separate_blocks(song, 44100, quality="fast"))
    check_same(model.separate(song, 44100, quality="fast"), join(blocks, with_mixture=False))
    np.testing.assert_array_equal(np.concatenate([block.mixture for block in blocks], 1), song)


def test_blocks_that_nobody_takes_cost_nothing(tiny_model):
    watched, spy = spy_on(tiny_model)
    blocks = make_interface(watched).separate_blocks(music(5 * 22050), 22050, quality="fast")
    assert spy.calls == 0
    next(blocks)
    blocks.close()
    made = spy.calls
    assert made < len(list(make_interface(tiny_model).separate_blocks(music(5 * 22050), 22050)))
    assert list(blocks) == []
    assert spy.calls == made


def test_five_stems(tiny_model):
    five = make_interface(make_tiny_model(FIVE_STEMS))
    song = music(11025)
    assert tuple(five.separate(song, 22050)) == FIVE_STEMS
    imputed = five.impute({"vocals": song}, 22050)
    assert tuple(imputed) == (*FIVE_STEMS[1:], "mixture")


# Imputation


def test_imputed_stems_and_the_given_ones_make_the_mixture(model):
    given = {"drums": music(44100, 2, 44100), "bass": music(44100, 1, 44100, seed=1)}
    stems = model.impute(given, 44100, targets=["piano"])
    assert list(stems) == ["piano", "mixture"]
    assert stems["piano"].shape == (2, 44100)
    assert np.abs(stems["mixture"]).max() < 2
    expected = stems["piano"].astype(np.float64) + given["drums"] + given["bass"]
    np.testing.assert_allclose(stems["mixture"], expected, atol=MIXTURE_TOLERANCE)


def test_all_missing_stems_are_imputed_unless_targets_are_named(model):
    drums = music(11025)
    stems = model.impute({"drums": drums}, 22050)
    assert list(stems) == ["bass", "guitar", "piano", "mixture"]
    np.testing.assert_array_equal(
        stems["piano"], model.impute({"drums": drums}, 22050, targets=["piano"])["piano"]
    )
    twice = model.impute({"drums": drums}, 22050, targets=["piano", "piano"])
    check_same(twice, model.impute({"drums": drums}, 22050, targets=["piano"]))


def test_paths_and_arrays_are_given_alike(model, write_song):
    drums = write_song("drums.wav", 0.5, subtype="FLOAT")
    bass = write_song("bass.wav", 0.5, subtype="FLOAT", seed=1)
    of_paths = model.impute({"drums": drums, "bass": bass}, targets="piano")
    mixed = model.impute({"drums": drums, "bass": read_sound(bass)}, 44100, targets=["piano"])
    check_same(of_paths, mixed)


def test_blocks_of_an_imputation_are_its_stems(model):
    given = {"drums": music(2 * 22050)}
    blocks = model.impute_blocks(given, 22050, seed=2)
    check_same(model.impute(given, 22050, seed=2), join(blocks, with_mixture=True))


# Generation


def test_generated_stems_sum_to_their_mixture(model):
    stems = model.generate(0.5)
    assert list(stems) == [*STEMS, "mixture"]
    mixture = stems.pop("mixture")
    assert mixture.shape == (1, 11025)
    np.testing.assert_array_equal(np.stack(list(stems.values())).sum(0), mixture)


def test_blocks_of_a_generation_are_its_stems(model):
    blocks = model.generate_blocks(2.0, seed=2)
    check_same(model.generate(2.0, seed=2), join(blocks, with_mixture=True))


# What the three have in common


ASK = {
    "separate": lambda model, **fields: model.separate(music(11025), 22050, **fields),
    "impute": lambda model, **fields: model.impute({"drums": music(11025)}, 22050, **fields),
    "generate": lambda model, **fields: model.generate(0.5, **fields),
}


@pytest.mark.parametrize("task", ASK)
def test_the_seed_decides_every_sample(model, task):
    zero = ASK[task](model)
    check_same(zero, ASK[task](model, seed=0))
    assert (zero["bass"] != ASK[task](model, seed=1)["bass"]).mean() > 0.9


def test_a_preset_without_noise_ignores_the_seed(model):
    check_same(*(ASK["separate"](model, quality="fast", seed=seed) for seed in (1, 2)))


@pytest.mark.parametrize("task", ASK)
def test_progress_hears_of_every_call(tiny_model, task):
    class Counter:
        def __init__(self):
            self.total = self.units = 0

        def start(self, label, total, unit="calls"):
            assert unit == "calls"
            self.total = total

        def advance(self, units=1):
            self.units += units

    watched, spy = spy_on(tiny_model)
    progress = Counter()
    ASK[task](make_interface(watched), progress=progress)
    assert progress.total == progress.units == spy.calls > 0


@pytest.mark.parametrize("task", ASK)
def test_a_preset_that_is_missing_is_an_error(model, task):
    with pytest.raises(MissingPreset, match=f"no settings kazoo to {task}"):
        ASK[task](model, quality="kazoo")


def test_a_model_may_be_replaced_in_parts(model):
    other = replace_denoisers(model, *model.denoisers * 2)
    assert isinstance(other, Model)
    assert other.devices == 2
    assert isinstance(other.keep(1), Model)
    check_same(ASK["separate"](model), ASK["separate"](other))


# Two stages


@pytest.fixture(scope="module")
def cascade(tiny_cascade):
    return make_interface(tiny_cascade)


def test_controls_and_seed_decide_what_is_generated(cascade):
    asked = Controls(tempo=90.0, key="A minor", style="funk")
    usual = cascade.generate(0.3, seed=4, controls=asked)
    check_same(usual, cascade.generate(0.3, seed=4, controls=asked))
    for other in (dataclasses.replace(asked, key="C major"), None):
        assert (usual["piano"] != cascade.generate(0.3, seed=4, controls=other)["piano"]).any()
    # What is not asked for is that of the seed.
    check_same(
        cascade.generate(0.3, seed=4),
        cascade.generate(0.3, seed=4, controls=Controls().filled(4, 4)),
    )


RESTING = Controls(tempo=200.0, playing=(True, False, None, False))


@pytest.mark.parametrize("length", [{"seconds": 1.7}, {"bars": 1}, {"bars": 2}])
def test_stems_that_do_not_play_are_silent(cascade, length):
    stems = cascade.generate(**length, seed=4, controls=RESTING)
    assert not stems["drums"].any()
    assert not stems["piano"].any()
    assert np.abs(stems["bass"]).max() > 0


def test_stems_that_do_not_play_end_where_they_are_continued(cascade):
    given = {name: music(11025) for name in ("bass", "drums")}
    stems = cascade.extend(given, 1.7, 22050, seed=2, controls=RESTING)
    fade = 441
    np.testing.assert_array_equal(stems["drums"][:, :11025], given["drums"])
    assert not stems["drums"][:, 11025 + fade :].any()
    assert not stems["piano"].any()
    assert stems["bass"][:, 11025 + fade :].any()


@pytest.mark.parametrize("kind", [tuple, np.array])
@pytest.mark.parametrize("no", [0, np.bool_(False)])
def test_what_counts_as_false_rests_like_false(cascade, no, kind):
    asked = dataclasses.replace(RESTING, playing=kind((True, no, None, no)))
    check_same(
        cascade.generate(0.3, seed=4, controls=asked),
        cascade.generate(0.3, seed=4, controls=RESTING),
    )


def test_who_plays_is_said_of_stems_that_there_are(cascade):
    asked = Controls(playing=(True,) * 5)
    with pytest.raises(ValueError, match="up to 4 stems that play or rest, got 5"):
        cascade.generate(0.3, controls=asked)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_stems_are_continued(cascade, dimensions):
    given = {name: music(11025, dimensions) for name in ("bass", "drums")}
    if dimensions == 1:
        given = {name: samples[0] for name, samples in given.items()}
    stems = cascade.extend(given, 0.3, 22050, seed=2)
    assert tuple(stems) == (*STEMS, "mixture")
    for name, stem in stems.items():
        assert stem.shape == (*given["bass"].shape[:-1], 11025 + 6615)
        if name in given:
            np.testing.assert_array_equal(stem[..., :11025], given[name])
    wide = {name: np.atleast_2d(stem) for name, stem in given.items()}
    blocks = cascade.extend_blocks(given, 0.3, 22050, seed=2)
    check_same(cascade.extend(wide, 0.3, 22050, seed=2), join(blocks, with_mixture=True))
    other = cascade.extend(given, 0.3, 22050, seed=2, controls=Controls(tempo=90.0))
    assert (other["piano"] != stems["piano"]).any()


def test_a_part_of_a_stem_is_imputed(cascade):
    given = {name: music(22050, seed=seed) for seed, name in enumerate(STEMS)}
    stems = cascade.impute(given, 22050, targets=["bass"], part=(0.4, 0.6), seed=1)
    changed = np.flatnonzero(stems["bass"][0] != given["bass"][0])
    assert 8820 <= changed.min() < changed.max() < 13230
    blocks = cascade.impute_blocks(given, 22050, targets=["bass"], part=(0.4, 0.6), seed=1)
    check_same(stems, join(blocks, with_mixture=True))


def test_bars_make_a_loop(cascade):
    asked = Controls(tempo=180.0, style="waltz")
    loop = cascade.generate(bars=1, controls=asked, seed=3)
    assert loop["piano"].shape == (1, 22050)
    assert (loop["piano"] != cascade.generate(1.0, controls=asked, seed=3)["piano"]).any()
    check_same(loop, join(cascade.generate_blocks(bars=1, controls=asked, seed=3), True))


def test_bars_need_a_tempo(model, cascade):
    with pytest.raises(ValueError, match="expected a model that draws sketches"):
        model.generate(bars=2)
    for bars in (0, 2.5):
        with pytest.raises(
            ValueError, match=f"expected one bar or more, and whole ones, got {bars}"
        ):
            cascade.generate(bars=bars)


ASK_FOR = {
    "generate": lambda model, controls: model.generate(0.3, controls=controls),
    "impute": lambda model, controls: model.impute({"drums": music(99)}, 22050, controls=controls),
    "extend": lambda model, controls: model.extend(
        {"drums": music(99)}, 0.3, 22050, controls=controls
    ),
}


@pytest.mark.parametrize("ask", ASK_FOR.values(), ids=ASK_FOR)
def test_controls_are_those_of_a_model_that_heeds_them(model, cascade, ask):
    for asked in (Controls(tempo=100.0), Controls(playing=(True, False))):
        with pytest.raises(ValueError, match="others heed no controls"):
            ask(model, asked)
    check_same(ask(model, Controls()), ask(model, None))
    with pytest.raises(TypeError, match="expected Controls, got dict"):
        ask(cascade, {"tempo": 100.0})


def test_controls_are_heard_by_imputed_stems(cascade):
    given = {"drums": music(8000)}
    free = cascade.impute(given, 22050, targets=["bass"])
    check_same(free, cascade.impute(given, 22050, targets=["bass"], controls=Controls()))
    asked = cascade.impute(given, 22050, targets=["bass"], controls=Controls(key="C major"))
    assert (free["bass"] != asked["bass"]).any()
    np.testing.assert_allclose(
        free["mixture"], given["drums"] + free["bass"], atol=MIXTURE_TOLERANCE
    )


def test_a_model_of_two_stages_separates_as_its_first_does(cascade, model):
    spec = dataclasses.replace(cascade.spec, stages=model.spec.stages)
    alone = dataclasses.replace(model, spec=spec)
    song = music(22050)
    check_same(
        cascade.separate(song, 22050, quality="fast"), alone.separate(song, 22050, quality="fast")
    )


# Errors


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda model: model.separate(music(100)), "expected a sample rate"),
        (lambda model: model.separate(np.zeros((1, 2, 3)), 44100), r"expected samples \[C, T\]"),
        (lambda model: model.separate(np.zeros(100), 1), "expected a rate of 100 to 1000000 Hz"),
        (lambda model: model.separate(music(9), 22050, absent=["kazoo"]), "of bass.*got kazoo"),
        (lambda model: model.separate(music(9), 22050, absent=STEMS), "a stem that is not absent"),
        (lambda model: model.impute({"drums": music(100)}), "beside the samples of drums"),
        (lambda model: model.impute({"kazoo": music(9)}, 22050), "expected stems of bass.*kazoo"),
        (
            lambda model: model.impute({"drums": music(9)}, 22050, targets=["kazoo"]),
            "expected stems of bass.*kazoo",
        ),
        (
            lambda model: model.impute({"drums": music(9)}, 22050, targets=["drums"]),
            "got drums as both",
        ),
        (lambda model: model.impute({}, 22050), "at least one given stem"),
        (lambda model: model.separate(music(9), 22050, seed=-1), "expected a seed from 0"),
        (lambda model: model.generate_blocks(0.1, seed=1 << 64), "expected a seed from 0"),
        (lambda model: model.generate(0.1, seed="a"), "expected a seed from 0.*got 'a'"),
        (lambda model: model.generate(0.1, seed=1.0), "expected a seed from 0.*got 1.0"),
        (
            lambda model: model.impute(dict.fromkeys(STEMS, music(9)), 22050),
            "one stem that is missing",
        ),
    ],
)
def test_mistakes_of_the_caller_are_value_errors(model, ask, words):
    with pytest.raises(ValueError, match=words):
        ask(model)


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda model: model.separate("none.wav"), UnreadableAudio, "no such file"),
        (lambda model: model.separate(np.zeros((2, 0)), 44100), UnsuitableAudio, "no samples"),
        (lambda model: model.separate(np.full(9, np.nan), 44100), UnsuitableAudio, "NaN"),
        (lambda model: model.separate(np.full(9, 1e300), 44100), UnsuitableAudio, "too loud"),
        (lambda model: model.impute({"drums": "none.wav"}), UnreadableAudio, "no such file"),
        (
            lambda model: model.impute({"drums": music(9), "bass": music(8)}, 22050),
            UnsuitableAudio,
            "drums has 9 samples, bass has 8",
        ),
        (lambda model: model.generate(0), UnsuitableAudio, "is no length"),
    ],
)
def test_what_is_wrong_with_a_sound_is_an_error_that_says_so(model, ask, error, words):
    with pytest.raises(error, match=words) as caught:
        ask(model)
    assert isinstance(caught.value, MsdmError)
    assert "--" not in caught.value.remedy


@pytest.mark.parametrize("method", ["separate_blocks", "impute_blocks", "generate_blocks"])
def test_blocks_fail_when_they_are_asked_for_and_not_later(model, method):
    arguments = {
        "separate_blocks": ("none.wav",),
        "impute_blocks": ({"drums": "none.wav"},),
        "generate_blocks": (0,),
    }
    with pytest.raises((UnreadableAudio, UnsuitableAudio)):
        getattr(model, method)(*arguments[method])


# Loading


def test_the_embedded_model_is_loaded_by_default():
    model = load_model(device="cpu")
    assert isinstance(model, Model)
    assert model.spec.name == "embedded"
    assert (model.runtime.backend, model.runtime.device) == ("torch", "cpu")
    assert len(model.weights_sha256) == 64


def test_what_cannot_be_loaded_is_an_error():
    with pytest.raises(UnknownModel, match="kazoo"):
        load_model("kazoo")
    with pytest.raises(ValueError, match="expected a backend"):
        load_model(backend="abacus")
    with pytest.raises(ValueError, match="a precision of"):
        load_model(precision="fp8")


def test_what_is_random_elsewhere_in_the_process_stays_as_it_was():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    load_model().generate(0.1, quality="fast")
    assert torch.equal(torch.rand(1), expected)


def test_the_result_does_not_depend_on_the_default_type_of_pytorch():
    asked = {"quality": "fast", "seed": 1}
    expected = load_model(precision="fp32").generate(0.2, **asked)
    torch.set_default_dtype(torch.float64)
    try:
        model = load_model(precision="fp32")
        check_same(model.generate(0.2, **asked), expected)
        separated = model.separate(music(2048), 22050, quality="fast")
    finally:
        torch.set_default_dtype(torch.float32)
    again = load_model(precision="fp32").separate(music(2048), 22050, quality="fast")
    check_same(separated, again)


# The package


def test_the_public_names_are_these():
    assert msdm_cli.__all__ == [
        "AudioError",
        "ClusterError",
        "Controls",
        "InputError",
        "Model",
        "ModelError",
        "MsdmError",
        "Progress",
        "ResultsError",
        "SamplingError",
        "StemBlock",
        "WeightsError",
        "__version__",
        "load_model",
    ]
    assert dir(msdm_cli) == msdm_cli.__all__
    assert all(getattr(msdm_cli, name) is not None for name in msdm_cli.__all__)
    assert (Path(msdm_cli.__file__).parent / "py.typed").exists()
    with pytest.raises(AttributeError, match="kazoo"):
        _ = msdm_cli.kazoo


def test_a_type_checker_knows_the_public_names(tmp_path):
    script = tmp_path / "user.py"
    script.write_text(
        "from msdm_cli import load_model, load_modell\nstems = load_model().separate('a.wav')\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(script)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert [line for line in ran.stdout.splitlines() if "error" in line][:1] == [
        f'{script}:1: error: Module "msdm_cli" has no attribute "load_modell"; '
        'maybe "load_model"?  [attr-defined]'
    ]


def test_every_error_belongs_to_a_public_one():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    public = [getattr(msdm_cli, name) for name in msdm_cli.__all__ if name.endswith("Error")]
    assert len(kinds) > 20
    for kind in kinds:
        assert kind is MsdmError or issubclass(kind, tuple(set(public) - {MsdmError}))


def test_importing_the_package_imports_nothing_heavy():
    code = """
import sys
import msdm_cli
dir(msdm_cli)
heavy = {"torch", "onnxruntime", "numba", "numpy", "soundfile", "resampy", "typer"}
print(sorted(heavy & set(sys.modules)))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout == "[]\n"


def test_the_examples_of_the_docstrings_are_true():
    result = doctest.testmod(interface, report=True)
    assert result.failed == 0
    assert result.attempted >= 5


class Silence:
    takes_mixture = True
    shares_sigma = False

    def __call__(self, x, sigma, mixture=None, *told):
        return np.zeros_like(x)


def test_the_examples_of_the_readme_run(cascade, monkeypatch):
    """Without a network."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert blocks
    silent = dataclasses.replace(
        replace_denoisers(cascade, Silence()), openers=(lambda stage: Silence(),)
    )
    monkeypatch.setattr(interface, "load_model", lambda: silent)
    monkeypatch.chdir(ROOT)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_fields_of_a_loaded_model_are_those_of_the_interface(tiny_model, model):
    names = [field.name for field in dataclasses.fields(tiny_model)]
    assert [field.name for field in dataclasses.fields(model)] == names
