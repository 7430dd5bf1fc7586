"""MAPSS: what the package is asked, and what becomes of its answer."""

import math
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from msdm_cli.errors import MissingPackage
from msdm_cli.evaluation.metrics.mapss import MAPSS, MapssRow, load_network, measure_mapss
from msdm_cli.evaluation.metrics.metric import SeparatedSong

RATE = 16000


class Frame:
    """A table of the package: a row for each source."""

    def __init__(self, rows):
        self.rows = rows

    def itertuples(self):
        return iter(SimpleNamespace(ps=ps, pm=pm) for ps, pm in self.rows)


@pytest.fixture
def package(monkeypatch):
    """Takes the place of mapss: PS and PM say which sources were asked for."""
    asked = []
    loaded = []

    def mapss(reference, output, *, sample_rate, model, add_ci):
        asked.append((np.array(reference), np.array(output), sample_rate, model))
        rows = [
            (abs(one).max(), abs(other).max()) for one, other in zip(reference, output, strict=True)
        ]
        return SimpleNamespace(summary=Frame(rows))

    modules = {name: ModuleType(name) for name in ("mapss", "mapss.models", "mapss.config")}
    modules["mapss"].mapss = mapss
    modules["mapss.config"].MODEL_DEFAULT_LAYER = {"wav2vec2": 2}
    modules["mapss.models"].load_model = lambda *arguments: loaded.append(arguments)
    modules["mapss.models"].cleanup_all_models = lambda: None
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return SimpleNamespace(asked=asked, loaded=loaded, module=modules["mapss"], modules=modules)


def draw(stems=3, seconds=1):
    rng = np.random.default_rng(0)
    return 0.1 * rng.standard_normal((stems, seconds * RATE)).astype(np.float32)


def test_the_package_hears_sounding_stems_at_its_rate(package):
    stems = draw()
    stems[1] = 0
    estimate = 0.5 * stems
    found = measure_mapss(estimate, stems, RATE)
    ((truth, guess, rate, model),) = package.asked
    np.testing.assert_array_equal(truth, stems[[0, 2]])
    np.testing.assert_array_equal(guess, estimate[[0, 2]])
    assert (rate, model) == (RATE, "wav2vec2")
    assert found[0] == pytest.approx((abs(stems[0]).max(), abs(estimate[0]).max()))
    assert all(map(math.isnan, found[1]))
    assert found[2] == pytest.approx((abs(stems[2]).max(), abs(estimate[2]).max()))


def test_other_rates_are_changed(package):
    measure_mapss(draw(), draw(), 2 * RATE)
    assert package.asked[0][0].shape == (3, RATE // 2)


@pytest.mark.parametrize(("stems", "frames"), [(1, RATE), (3, RATE // 3)])
def test_one_stem_or_a_moment_has_no_score(package, stems, frames):
    sound = draw(stems)[:, :frames]
    found = measure_mapss(sound, sound, RATE)
    assert not package.asked
    assert all(math.isnan(figure) for pair in found for figure in pair)


def test_stems_that_never_sound_together_have_no_score(package, monkeypatch):
    def mapss(*arguments, **options):
        raise RuntimeError("MAPSS produced no valid frames for PS[a].")

    monkeypatch.setattr(package.module, "mapss", mapss)
    assert all(
        math.isnan(figure) for pair in measure_mapss(draw(), draw(), RATE) for figure in pair
    )


def test_a_song_has_a_row_for_each_stem(package):
    stems = draw(2)
    rows = MAPSS.score(SeparatedSong("mine", "song", ("bass", "drums"), stems, stems, RATE))
    assert [(row.method, row.song, row.stem) for row in rows] == [
        ("mine", "song", "bass"),
        ("mine", "song", "drums"),
    ]


def test_figures_are_means_over_songs():
    scores = [("a", "bass", 0.5, 0.2), ("b", "bass", 1.0, 0.4), ("a", "drums", math.nan, 0.9)]
    rows = [MapssRow("mine", *score) for score in scores]
    (summary,) = MAPSS.summarise(rows, ("bass", "drums"))
    assert summary.stems["bass"] == 0.75
    assert math.isnan(summary.stems["drums"])
    assert summary.overall == pytest.approx({"ps": 0.75, "pm": 0.6})


def test_its_network_is_loaded_before_the_work(package, monkeypatch):
    MAPSS.check()
    assert package.loaded == [("wav2vec2", 2)]

    def load_model(*arguments):
        raise OSError("We couldn't connect to 'https://huggingface.co'")

    monkeypatch.setattr(package.modules["mapss.models"], "load_model", load_model)
    with pytest.raises(MissingPackage, match=r"weights that mapss fetches \(We couldn") as raised:
        MAPSS.check()
    assert "load_model('wav2vec2', 2)" in raised.value.remedy


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mapss", None)
    with pytest.raises(MissingPackage, match="needs mapss") as raised:
        MAPSS.check()
    assert "pip install mapss-measures" in raised.value.remedy


def test_the_package_itself_takes_what_it_is_given(monkeypatch):
    pytest.importorskip("mapss")
    monkeypatch.setattr("msdm_cli.evaluation.metrics.mapss.MODEL", "raw")
    load_network()
    stems = draw(2)
    found = measure_mapss(stems + 0.01 * draw(2)[::-1], stems, RATE)
    assert all(0.5 < figure <= 1 for pair in found for figure in pair)
