import dataclasses
import shutil

import numpy as np
import pytest
import soundfile
from conftest import STEMS, music

from msdm_cli.errors import MissingStems, ResultsExist, UnreadableTable, UnsuitableAudio
from msdm_cli.evaluation.layout import Layout
from msdm_cli.evaluation.metrics.si_sdr import SI_SDR, score_windows
from msdm_cli.evaluation.tables import ScoreTable
from msdm_cli.jobs.check import check_results
from msdm_cli.jobs.evaluate import PAPER_LAYOUT, Evaluation, Separator
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.progress import SilentProgress

SECONDS = 3
TABLE = "scores.csv"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    for number in range(2):
        for index, stem in enumerate(STEMS):
            path = folder / f"Track{number:05d}" / f"{stem}.wav"
            path.parent.mkdir(exist_ok=True)
            samples = music(SECONDS * 22050, 1, 22050, seed=10 * number + index)
            soundfile.write(path, samples.T, 22050, "FLOAT")
    return folder


@pytest.fixture
def references(original, tmp_path):
    return shutil.copytree(original, tmp_path / "references")


@pytest.fixture
def separator(tiny_model):
    return Separator(tiny_model, tiny_model.spec.preset("separate", "fast"), 0)


@pytest.fixture
def other_separator(tiny_model):
    return Separator(tiny_model, tiny_model.spec.preset("separate", "default"), 0)


def evaluate_all(references, estimates, **options):
    evaluation = Evaluation(estimates, estimates, **options)
    for song in evaluation.layout.find_songs(references):
        evaluation.score(song, SilentProgress())
    return evaluation.tables[0].rows


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def state(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.wav")}


def test_the_truth_scores_as_high_as_it_can_and_the_masks_below_it(references):
    rows = evaluate_all(references, references)
    truth, binary, ratio = SI_SDR.summarise(rows, STEMS)
    assert (truth.method, truth.songs) == ("estimates", 2)
    # Silence and truth score 109.5 dB: the energy of a window over eps.
    assert truth.overall["active"] > 60
    assert truth.overall["active"] > ratio.overall["active"] > 0.3
    assert truth.overall["active"] > binary.overall["active"]


def test_the_figures_are_those_of_the_protocol(references, tmp_path):
    rng = np.random.default_rng(0)
    songs = PAPER_LAYOUT.find_songs(references)
    for song in songs:
        (tmp_path / "estimates" / song.name).mkdir(parents=True)
        for path in song.iterdir():
            samples, rate = soundfile.read(path)
            noisy = samples + 0.01 * rng.standard_normal(samples.shape)
            soundfile.write(tmp_path / "estimates" / song.name / path.name, noisy, rate, "FLOAT")
    rows = evaluate_all(references, tmp_path / "estimates")
    expected = []
    for song in songs:
        estimate = PAPER_LAYOUT.load_stems(tmp_path / "estimates" / song.name)
        scores = score_windows(estimate, PAPER_LAYOUT.load_stems(song), 22050)
        expected += scores.improvement.ravel().tolist()
    assert [row.si_sdri for row in rows if row.method == "estimates"] == expected


def test_what_has_no_estimates_is_separated_once(references, separator, tmp_path):
    estimates = tmp_path / "estimates"
    first = evaluate_all(references, estimates, separator=separator)
    assert names(estimates) == ["Track00000", "Track00001", TABLE]
    expected = sorted([*(f"{stem}.wav" for stem in STEMS), "msdm.json"])
    assert names(estimates / "Track00000") == expected
    made = state(estimates)
    again = evaluate_all(references, estimates, separator=separator, method="again")
    assert state(estimates) == made
    assert [row.si_sdri for row in again if row.method == "again"] == [
        row.si_sdri for row in first if row.method == "estimates"
    ]


def test_estimates_are_floats_that_sum_to_the_mixture(references, separator, tmp_path):
    evaluate_all(references, tmp_path / "estimates", separator=separator)
    paths = [tmp_path / "estimates" / "Track00000" / f"{stem}.wav" for stem in STEMS]
    assert {soundfile.info(path).subtype for path in paths} == {"FLOAT"}
    total = sum(soundfile.read(path, dtype="float32")[0] for path in paths)
    (mixture,) = PAPER_LAYOUT.load_mixture(references / "Track00000").samples
    # Four sums of floats below 1 are rounded to 2^-24 each.
    np.testing.assert_allclose(total, mixture, atol=4 * 2**-24)


def test_no_sound_is_written_but_the_estimates(references, separator, tmp_path, monkeypatch):
    written = []
    real = soundfile.SoundFile.__init__

    def watch(self, file, mode="r", *arguments, **options):
        if "w" in mode:
            written.append(file)
        real(self, file, mode, *arguments, **options)

    monkeypatch.setattr(soundfile.SoundFile, "__init__", watch)
    evaluate_all(references, tmp_path / "estimates", separator=separator)
    assert len(written) == 2 * len(STEMS)


def test_estimates_of_other_settings_are_not_taken_for_these(
    references, separator, other_separator, tmp_path
):
    estimates = tmp_path / "estimates"
    before = evaluate_all(references, estimates, separator=separator)
    for method in ("estimates", "other"):
        with pytest.raises(ResultsExist, match="other settings"):
            evaluate_all(references, estimates, separator=other_separator, method=method)
    assert ScoreTable(SI_SDR, estimates).rows == before


def test_another_mixture_is_not_taken_for_this_one(references, separator, tmp_path):
    estimates = tmp_path / "estimates"
    evaluate_all(references, estimates, separator=separator)
    path = references / "Track00000" / "bass.wav"
    samples, rate = soundfile.read(path)
    soundfile.write(path, 0.9 * samples, rate, "FLOAT")
    with pytest.raises(ResultsExist, match="other settings"):
        evaluate_all(references, estimates, separator=separator)


def test_another_seed_is_not_taken_for_this_one(references, other_separator, tmp_path):
    estimates = tmp_path / "estimates"
    evaluate_all(references, estimates, separator=other_separator)
    with pytest.raises(ResultsExist, match="other settings"):
        evaluate_all(references, estimates, separator=dataclasses.replace(other_separator, seed=1))


def test_scores_of_estimates_that_were_replaced_are_replaced(
    references, separator, other_separator, tmp_path
):
    estimates = tmp_path / "estimates"
    before = evaluate_all(references, estimates, separator=separator)
    shutil.rmtree(estimates / "Track00000")
    with pytest.raises(ResultsExist, match="Track00001"):
        evaluate_all(references, estimates, separator=other_separator)
    after = ScoreTable(SI_SDR, estimates).rows
    assert len(after) == len(before)
    for song, same in (("Track00000", False), ("Track00001", True)):
        old, new = (
            [row.si_sdri for row in rows if (row.song, row.method) == (song, "estimates")]
            for rows in (before, after)
        )
        assert (old == new) == same


def test_scores_of_removed_estimates_go_before_new_ones_are_made(
    references, separator, tmp_path, monkeypatch
):
    estimates = tmp_path / "estimates"
    evaluate_all(references, estimates, separator=separator)
    shutil.rmtree(estimates / "Track00000")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("msdm_cli.jobs.evaluate.run_job", interrupt)
    with pytest.raises(KeyboardInterrupt):
        evaluate_all(references, estimates, separator=separator)
    table = ScoreTable(SI_SDR, estimates)
    assert not table.holds("Track00000", "estimates")
    assert table.holds("Track00001", "estimates")


def test_incomplete_estimates_are_reported(references, separator, tmp_path):
    song = tmp_path / "estimates" / "Track00000"
    shutil.copytree(references / "Track00000", song)
    (song / "bass.wav").unlink()
    with pytest.raises(ResultsExist, match="is incomplete"):
        evaluate_all(references, tmp_path / "estimates", separator=separator)
    assert len(list(song.iterdir())) == 3


def test_estimates_of_others_are_scored_as_they_are(references, separator):
    assert evaluate_all(references, references, separator=separator)[0].si_sdri > 60
    assert not list(references.rglob("msdm.json"))


def test_the_manifest_says_what_was_separated(references, separator, tmp_path):
    evaluate_all(references, tmp_path / "estimates", separator=separator)
    manifest = load_manifest(tmp_path / "estimates" / "Track00000" / "msdm.json")
    mixture = PAPER_LAYOUT.load_mixture(references / "Track00000")
    assert manifest.request["inputs"] == {"song": str(references / "Track00000" / "mixture")}
    assert manifest.identity["inputs"] == {"song": mixture.digest()}
    report = check_results(tmp_path / "estimates" / "Track00000", None)
    assert sorted(report.whole) == sorted(STEMS)
    assert not report.problems


def test_what_is_scored_is_not_scored_again(references):
    rows = evaluate_all(references, references)
    written = (references / TABLE).stat().st_mtime_ns
    shutil.rmtree(references / "Track00001")
    shutil.copytree(references / "Track00000", references / "Track00001")
    assert evaluate_all(references, references) == rows
    assert (references / TABLE).stat().st_mtime_ns == written


def test_scores_of_other_stems_are_not_taken_for_these(references):
    evaluate_all(references, references, layout=Layout(STEMS[:2], 22050))
    written = (references / TABLE).read_bytes()
    with pytest.raises(UnreadableTable, match="for the stems bass, drums, which do not compare"):
        evaluate_all(references, references)
    assert (references / TABLE).read_bytes() == written


def test_a_metric_joins_scores_of_another_that_are_there(references, museval):
    names = STEMS[:2]  # museval takes much longer for four
    layout = Layout(names, 22050)
    rows = evaluate_all(references, references, layout=layout)
    evaluation = Evaluation(references, references, ("si-sdr", "sdr"), layout)
    for song in layout.find_songs(references):
        evaluation.score(song, SilentProgress())
    si_sdr, sdr = evaluation.tables
    assert si_sdr.rows == rows
    truth, _, ratio = sdr.metric.summarise(sdr.rows, names)
    assert (truth.method, ratio.method) == ("estimates", "ideal ratio mask")
    assert all(truth.stems[name] > 60 > ratio.stems[name] > 0 for name in names)


def test_a_missing_estimate_is_reported(references, tmp_path):
    with pytest.raises(MissingStems, match="has no stem bass, drums, guitar, piano"):
        evaluate_all(references, tmp_path / "estimates")


def test_an_estimate_of_another_length_is_refused(references, tmp_path):
    for song in PAPER_LAYOUT.find_songs(references):
        (tmp_path / "estimates" / song.name).mkdir(parents=True)
        for stem in STEMS:
            path = tmp_path / "estimates" / song.name / f"{stem}.wav"
            soundfile.write(path, np.zeros(44100), 44100)
    with pytest.raises(UnsuitableAudio, match="has 22050 samples"):
        evaluate_all(references, tmp_path / "estimates")


def test_an_estimate_may_be_a_little_shorter(references, tmp_path):
    for song in PAPER_LAYOUT.find_songs(references):
        (tmp_path / "estimates" / song.name).mkdir(parents=True)
        for path in song.iterdir():
            samples, rate = soundfile.read(path, dtype="float32")
            cut = tmp_path / "estimates" / song.name / path.name
            soundfile.write(cut, samples[: -rate // 20], rate, "FLOAT")
    summary, *_ = SI_SDR.summarise(evaluate_all(references, tmp_path / "estimates"), STEMS)
    assert summary.overall["active"] > 60
