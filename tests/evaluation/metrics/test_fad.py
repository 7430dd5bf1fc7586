"""FAD, with a small network in the place of VGGish."""

import math
import sys
from importlib import import_module
from types import ModuleType

import numpy as np
import pytest

from msdm_cli.errors import MissingPackage
from msdm_cli.evaluation.metrics import fad
from msdm_cli.evaluation.metrics.fad import FAD, FadRow, load_embedder, measure_fad
from msdm_cli.evaluation.metrics.metric import SeparatedSong

RATE = 16000
WINDOW = 1000


class SmallEmbedder:
    """Level and steepness of windows; what fadtk's ``ModelLoader`` offers."""

    def __init__(self):
        self.loaded = False
        self.heard = []

    def load_model(self):
        self.loaded = True

    def enforce_min_len(self, samples):
        return samples

    def get_embedding(self, samples):
        assert self.loaded
        self.heard.append(samples)
        windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
        found = np.stack([windows.std(1), np.diff(windows).std(1)], 1)
        return found.astype(np.float16)


def calc_embd_statistics(embedded):
    assert len(embedded) >= 2
    return embedded.mean(0), np.cov(embedded, rowvar=False)


def calc_frechet_distance(mean, covariance, other_mean, other_covariance):
    """By the eigenvalues of the product of covariances, which are those of its root, squared."""
    values = np.linalg.eigvals(covariance @ other_covariance).real.clip(min=0)
    traces = np.trace(covariance) + np.trace(other_covariance)
    return np.square(mean - other_mean).sum() + traces - 2 * np.sqrt(values).sum()


@pytest.fixture
def embedder(monkeypatch):
    """fadtk with that network; the package itself where it is installed."""
    found = SmallEmbedder()
    try:
        import fadtk.model_loader as loader
    except ImportError:
        loader = ModuleType("fadtk.model_loader")
        distances = ModuleType("fadtk.fad")
        distances.calc_embd_statistics = calc_embd_statistics
        distances.calc_frechet_distance = calc_frechet_distance
        monkeypatch.setitem(sys.modules, "fadtk", ModuleType("fadtk"))
        monkeypatch.setitem(sys.modules, "fadtk.fad", distances)
        monkeypatch.setitem(sys.modules, "fadtk.model_loader", loader)
    monkeypatch.setattr(loader, "VGGishModel", lambda: found, raising=False)
    load_embedder.cache_clear()
    yield found
    load_embedder.cache_clear()


def draw(stems=2, seconds=2, seed=0):
    rng = np.random.default_rng(seed)
    envelope = np.repeat(rng.uniform(0.1, 0.5, (stems, seconds * 8)), RATE // 8, 1)
    return (envelope * rng.standard_normal((stems, seconds * RATE))).astype(np.float32)


def test_the_truth_has_no_distance(embedder):
    stems = draw()
    assert measure_fad(stems, stems, RATE) == pytest.approx([0, 0], abs=1e-6)


def test_the_distance_is_that_of_the_embeddings(embedder):
    stems = draw(1)
    (found,) = measure_fad(2 * stems, stems, RATE)
    windows = stems.reshape(-1, WINDOW)
    embedded = np.stack([windows.std(1), np.diff(windows).std(1)], 1).astype(np.float64)
    # Twice a sound has twice the mean, and four times the covariance, whose root is twice as large.
    mean, covariance = calc_embd_statistics(embedded)
    expected = np.square(mean).sum() + np.trace(covariance)
    assert found == pytest.approx(expected, rel=0.01)  # embeddings have 11 bits


def test_stems_are_heard_at_the_rate_of_the_network(embedder):
    stems = draw()
    measure_fad(stems, stems, 2 * RATE)
    assert [len(samples) for samples in embedder.heard] == 4 * [stems.shape[1] // 2]


def test_silence_and_what_is_too_short_do_not_count(embedder):
    stems = draw(3)
    stems[1] = 0
    estimate = stems.copy()
    estimate[2] = 0
    first, *others = measure_fad(estimate, stems, RATE)
    assert first == pytest.approx(0, abs=1e-6)
    assert all(map(math.isnan, others))
    assert all(map(math.isnan, measure_fad(stems[:, :WINDOW], stems[:, :WINDOW], RATE)))


def test_covariances_without_a_real_root_have_no_distance(embedder, monkeypatch):
    def refuse(*statistics):
        raise ValueError("Imaginary component 0.002")

    monkeypatch.setattr(import_module("fadtk.fad"), "calc_frechet_distance", refuse)
    stems = draw()
    assert all(map(math.isnan, measure_fad(stems, stems, RATE)))


def test_a_song_has_a_row_for_each_stem(embedder):
    stems = draw()
    rows = FAD.score(SeparatedSong("mine", "song", ("bass", "drums"), stems, stems, RATE))
    assert [(row.method, row.song, row.stem) for row in rows] == [
        ("mine", "song", "bass"),
        ("mine", "song", "drums"),
    ]


def test_the_figure_is_the_mean_over_songs():
    scores = [("a", "bass", 1.0), ("b", "bass", math.nan), ("c", "bass", 4.0), ("a", "drums", 0.5)]
    rows = [FadRow("mine", *score) for score in scores]
    (summary,) = FAD.summarise(rows, ("bass", "drums", "piano"))
    assert summary.stems["bass"] == 2.5
    assert math.isnan(summary.stems["piano"])
    assert summary.overall == {"mean": 1.5}


def test_weights_that_cannot_be_fetched_are_named_before_the_work(embedder, monkeypatch):
    def load_model():
        raise RuntimeError("no internet\nconnection")

    monkeypatch.setattr(embedder, "load_model", load_model)
    with pytest.raises(MissingPackage, match=r"weights that fadtk fetches \(no internet") as raised:
        FAD.check()
    assert "VGGishModel().load_model()" in raised.value.remedy


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fadtk", None)
    with pytest.raises(MissingPackage, match="FAD of each song needs fadtk") as raised:
        fad.FAD.check()
    assert "pip install fadtk" in raised.value.remedy
