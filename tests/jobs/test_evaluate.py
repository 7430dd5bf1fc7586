import dataclasses
import shutil
import time

import numpy as np
import pytest
import soundfile
from conftest import STEMS, music

from msdm_cli.errors import UnreadableAudio, UnsuitableAudio, UnwritableAudio
from msdm_cli.evaluation.metrics import score_windows
from msdm_cli.evaluation.scores import Score, summarise
from msdm_cli.evaluation.sdr import SongSdr, summarise_sdr
from msdm_cli.evaluation.tables import load_table
from msdm_cli.jobs import evaluate
from msdm_cli.jobs.evaluate import (
    Separator,
    Tables,
    evaluate_song,
    find_songs,
    load_stems,
    write_mixture,
)
from msdm_cli.progress import SilentProgress

SECONDS = 7


@pytest.fixture
def references(tmp_path):
    folder = tmp_path / "references"
    for number in range(2):
        for index, stem in enumerate(STEMS):
            path = folder / f"Track{number:05d}" / f"{stem}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            samples = music(SECONDS * 44100, 1, 44100, seed=10 * number + index)
            soundfile.write(path, samples.T, 44100, "FLOAT")
    (folder / "notes").mkdir()
    return folder


def evaluate_all(references, estimates, separator=None, method="estimates"):
    tables = Tables(estimates / "scores.csv")
    for song in find_songs(references):
        evaluate_song(song, estimates, tables, method, separator, SilentProgress())
    return load_table(tables.scores, Score)


def test_the_truth_scores_as_high_as_it_can_and_the_masks_below_it(references):
    scores = evaluate_all(references, references)
    truth, binary, ratio = summarise(scores, STEMS)
    assert (truth.method, truth.songs) == ("estimates", 2)
    # Silence and truth score 109.5 dB: the energy of a window over eps.
    assert truth.active > 60
    assert truth.active > ratio.active > 0.3
    assert truth.active > binary.active


def test_the_figures_are_those_of_the_protocol(references, tmp_path):
    rng = np.random.default_rng(0)
    for song in find_songs(references):
        (tmp_path / "estimates" / song.name).mkdir(parents=True)
        for path in song.iterdir():
            samples, rate = soundfile.read(path)
            noisy = samples + 0.01 * rng.standard_normal(samples.shape)
            soundfile.write(tmp_path / "estimates" / song.name / path.name, noisy, rate, "FLOAT")
    scores = evaluate_all(references, tmp_path / "estimates")
    (summary, *_) = summarise(scores, STEMS)
    expected = [
        score_windows(
            load_stems(tmp_path / "estimates" / song.name), load_stems(song), 22050
        ).improvement
        for song in find_songs(references)
    ]
    assert summary.official == pytest.approx(np.concatenate(expected).mean(), abs=1e-6)


def test_what_has_no_estimates_is_separated_once(references, tiny_model, tmp_path):
    separator = Separator(tiny_model, tiny_model.spec.preset("separate", "fast"), 0)
    first = evaluate_all(references, tmp_path / "estimates", separator)
    assert sorted(path.name for path in (tmp_path / "estimates").iterdir()) == [
        "Track00000",
        "Track00001",
        "scores.csv",
    ]
    assert soundfile.info(tmp_path / "estimates" / "Track00000" / "bass.wav").samplerate == 44100
    made = [path.stat().st_mtime_ns for path in sorted((tmp_path / "estimates").rglob("*.wav"))]
    again = evaluate_all(references, tmp_path / "estimates", separator, method="again")
    assert made == [
        path.stat().st_mtime_ns for path in sorted((tmp_path / "estimates").rglob("*.wav"))
    ]
    assert [score.si_sdri for score in again if score.method == "again"] == [
        score.si_sdri for score in first if score.method == "estimates"
    ]


def test_estimates_of_other_settings_are_not_taken_for_these(references, tiny_model, tmp_path):
    one, other = (
        Separator(tiny_model, tiny_model.spec.preset("separate", name), 0)
        for name in ("fast", "default")
    )
    evaluate_all(references, tmp_path / "estimates", one)
    for method in ("estimates", "other"):
        with pytest.raises(UnwritableAudio, match="other settings"):
            evaluate_all(references, tmp_path / "estimates", other, method=method)
    before = evaluate_all(references, tmp_path / "estimates")
    shutil.rmtree(tmp_path / "estimates" / "Track00000")
    one = dataclasses.replace(one, seed=1, preset=tiny_model.spec.preset("separate", "default"))
    with pytest.raises(UnwritableAudio, match="other settings"):  # of the second song
        evaluate_all(references, tmp_path / "estimates", one)
    after = load_table(tmp_path / "estimates" / "scores.csv", Score)
    assert len(after) == len(before)
    for song, same in (("Track00000", False), ("Track00001", True)):
        old, new = (
            [s.si_sdri for s in rows if (s.song, s.method) == (song, "estimates")]
            for rows in (before, after)
        )
        assert (old == new) == same


def test_incomplete_estimates_are_said(references, tiny_model, tmp_path):
    separator = Separator(tiny_model, tiny_model.spec.preset("separate", "fast"), 0)
    shutil.copytree(references / "Track00000", tmp_path / "estimates" / "Track00000")
    (tmp_path / "estimates" / "Track00000" / "bass.wav").unlink()
    with pytest.raises(UnwritableAudio, match="is incomplete"):
        evaluate_all(references, tmp_path / "estimates", separator)


def test_estimates_that_others_made_are_scored_as_they_are(references, tiny_model):
    separator = Separator(tiny_model, tiny_model.spec.preset("separate", "fast"), 0)
    assert evaluate_all(references, references, separator)[0].si_sdri > 60
    assert not list(references.rglob("msdm.json"))


def test_a_mixture_is_the_same_file_at_any_time(references, tmp_path):
    (song, _) = find_songs(references)
    write_mixture(song, tmp_path / "one.wav")
    time.sleep(1.1)  # a chunk of the file could tell the second it was written in
    write_mixture(song, tmp_path / "two.wav")
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()


def test_what_is_scored_is_not_scored_again(references, monkeypatch):
    scores = evaluate_all(references, references)
    monkeypatch.delattr(evaluate, "score_windows")
    assert evaluate_all(references, references) == scores


def test_sdr_is_measured_beside_scores_that_are_there(references, museval):
    scores = evaluate_all(references, references)
    tables = Tables(references / "scores.csv", references / "sdr.csv")
    for song in find_songs(references):
        evaluate_song(song, references, tables, "estimates", None, SilentProgress())
    assert load_table(tables.scores, Score) == scores
    medians = summarise_sdr(load_table(tables.sdr, SongSdr), STEMS)
    assert list(medians) == ["estimates", "ideal binary mask", "ideal ratio mask"]
    assert all(
        medians["estimates"][stem] > medians["ideal ratio mask"][stem] > 0.5 for stem in STEMS
    )


def test_a_missing_estimate_is_said(references, tmp_path):
    with pytest.raises(UnreadableAudio, match="has no stem"):
        evaluate_all(references, tmp_path / "estimates")


def test_an_estimate_of_another_length_is_refused(references, tmp_path):
    for song in find_songs(references):
        (tmp_path / "estimates" / song.name).mkdir(parents=True)
        for stem in STEMS:
            soundfile.write(
                tmp_path / "estimates" / song.name / f"{stem}.wav", np.zeros(44100), 44100
            )
    with pytest.raises(UnsuitableAudio, match="has 22050 samples"):
        evaluate_all(references, tmp_path / "estimates")


def test_a_folder_without_songs_is_said(tmp_path):
    with pytest.raises(UnreadableAudio, match="no songs"):
        find_songs(tmp_path)
