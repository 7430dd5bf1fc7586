"""Work that is interrupted goes on; the result is that of work that was not."""

import dataclasses
import logging

import numpy as np
import pytest

from msdm_cli.errors import NonFiniteSamples, UnsuitableAudio, UnwritableAudio
from msdm_cli.jobs.journal import Journal, discard_journal
from msdm_cli.jobs.request import Job, find_difference
from msdm_cli.models.load import Model
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.generate import GenerateOptions, generate_song
from msdm_cli.tasks.impute import ImputeOptions, impute_stems
from msdm_cli.tasks.sampling import calls_per_chunk
from msdm_cli.tasks.separate import SeparateOptions, separate_song

JOB = Job(
    "separate", "tiny", "abc", "cpu", 1, {"preset": {"eta": 0.0}}, {"song": "def"}, {"msdm": "1"}
)


def chunk(value):
    return np.full((2, 3), value, np.float32)


def fail():
    raise AssertionError("drawn again")


def interrupted(folder, job=JOB, chunks=2):
    with pytest.raises(KeyboardInterrupt), Journal(folder, job) as journal:
        journal.begin()
        for index in range(chunks):
            journal.recall(index, lambda index=index: chunk(index), fail, keep=True)
        raise KeyboardInterrupt


def test_what_was_finished_is_recalled_after_an_interruption(tmp_path):
    interrupted(tmp_path / "journal")
    skipped = []
    with Journal(tmp_path / "journal", JOB) as journal:
        assert journal.resumed
        journal.begin()
        for index in range(2):
            found = journal.recall(index, fail, lambda: skipped.append(1), keep=True)
            np.testing.assert_array_equal(found, chunk(index))
        np.testing.assert_array_equal(
            journal.recall(2, lambda: chunk(2), fail, keep=True), chunk(2)
        )
        journal.end()
    assert len(skipped) == 2
    assert not (tmp_path / "journal").exists()


def test_another_job_starts_afresh_and_says_why(tmp_path, caplog):
    interrupted(tmp_path / "journal")
    other = dataclasses.replace(JOB, options={"preset": {"eta": 1.0}})
    with caplog.at_level(logging.INFO, "msdm_cli"), Journal(tmp_path / "journal", other) as journal:
        assert not journal.resumed
        journal.begin()
        np.testing.assert_array_equal(
            journal.recall(0, lambda: chunk(9), fail, keep=True), chunk(9)
        )
    assert "options.preset.eta" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY\x01\x00", b"nonsense"])
def test_a_damaged_chunk_is_drawn_again(tmp_path, damage):
    interrupted(tmp_path / "journal")
    (tmp_path / "journal" / "1.npy").write_bytes(damage)
    with Journal(tmp_path / "journal", JOB) as journal:
        np.testing.assert_array_equal(
            journal.recall(1, lambda: chunk(7), fail, keep=True), chunk(7)
        )


def test_an_error_leaves_what_is_finished_and_says_so(tmp_path, caplog):
    with (
        caplog.at_level(logging.INFO, "msdm_cli"),
        pytest.raises(UnwritableAudio),
        Journal(tmp_path / "j", JOB) as j,
    ):
        j.begin()
        j.recall(0, lambda: chunk(0), fail, keep=True)
        raise UnwritableAudio("disk full", "make room")
    assert "1 finished chunks are kept" in caplog.text
    with Journal(tmp_path / "j", JOB) as j:
        assert j.resumed
        j.end()


@pytest.mark.parametrize("error", [NonFiniteSamples, UnsuitableAudio])
def test_an_error_that_would_come_again_takes_the_journal_away(tmp_path, error):
    with pytest.raises(error), Journal(tmp_path / "j", JOB) as j:
        j.begin()
        j.recall(0, lambda: chunk(0), fail, keep=True)
        raise error("what", "do")
    assert not (tmp_path / "j").exists()


def test_an_error_before_anything_is_finished_leaves_nothing(tmp_path):
    with pytest.raises(UnwritableAudio), Journal(tmp_path / "new" / "j", JOB) as j:
        j.begin()
        raise UnwritableAudio("disk full", "make room")
    assert not (tmp_path / "new").exists()


def test_what_may_not_begin_changes_nothing(tmp_path):
    interrupted(tmp_path / "j")
    before = sorted(path.name for path in (tmp_path / "j").iterdir())
    with (
        pytest.raises(UnwritableAudio),
        Journal(tmp_path / "j", dataclasses.replace(JOB, seed=9)) as j,
    ):
        assert not j.resumed
        raise UnwritableAudio("is there already", "")
    assert sorted(path.name for path in (tmp_path / "j").iterdir()) == before
    with Journal(tmp_path / "j", JOB) as j:
        assert j.resumed


def test_only_the_journal_of_the_finished_job_is_discarded(tmp_path):
    interrupted(tmp_path / "j")
    discard_journal(tmp_path / "j", dataclasses.replace(JOB, seed=9))
    assert (tmp_path / "j" / "0.npy").exists()
    with Journal(tmp_path / "j", JOB):
        discard_journal(tmp_path / "j", JOB)  # it is held
        assert (tmp_path / "j" / "0.npy").exists()
    discard_journal(tmp_path / "j", JOB)
    assert not (tmp_path / "j").exists()
    discard_journal(tmp_path / "j", JOB)


def test_two_at_once_are_refused(tmp_path):
    with (
        Journal(tmp_path / "journal", JOB),
        pytest.raises(UnwritableAudio, match="at work"),
        Journal(tmp_path / "journal", JOB),
    ):
        pass


def test_a_chunk_that_the_disk_does_not_take_is_said(tmp_path, limit_file_size):
    with (
        pytest.raises(UnwritableAudio, match="cannot be written"),
        Journal(tmp_path / "journal", JOB) as journal,
    ):
        journal.begin()
        with limit_file_size(5000):
            journal.recall(0, lambda: np.zeros(5000, np.float32), fail, keep=True)
    assert not (tmp_path / "journal").exists()


def test_the_first_difference_is_found():
    assert find_difference({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 2}}) is None
    assert find_difference({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}) == "b.c"
    assert find_difference({"a": 1}, {"a": 1, "b": None, "c": 1}) == "c"


class Interrupting:
    """A denoiser that is stopped at a call."""

    def __init__(self, denoiser, calls):
        self.denoiser, self.left = denoiser, calls
        self.takes_mixture, self.shares_sigma = denoiser.takes_mixture, denoiser.shares_sigma

    def __call__(self, *arguments):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return self.denoiser(*arguments)


def stopped_after(model, calls):
    return Model(model.spec, Interrupting(model.denoiser, calls), model.runtime)


def run_separate(model, song, folder):
    options = SeparateOptions(model.spec.preset("separate", "default"), None)
    return separate_song(model, song, folder, options, SilentProgress())


def run_impute(model, song, folder):
    options = ImputeOptions(model.spec.preset("impute", "default"), None, ("piano",))
    return impute_stems(model, {"drums": song}, folder, options, SilentProgress())


def run_generate(model, song, folder):
    options = GenerateOptions(model.spec.preset("generate", "default"), 5, 3.0)
    return generate_song(model, folder, options, SilentProgress())


@pytest.mark.parametrize("run", [run_separate, run_impute, run_generate])
@pytest.mark.parametrize("calls", [1, 4, 9])
def test_stopped_work_goes_on_to_the_same_bytes(tiny_model, write_song, tmp_path, run, calls):
    song = write_song("drums.wav", seconds=3)
    with pytest.raises(KeyboardInterrupt):
        run(stopped_after(tiny_model, calls), song, tmp_path / "a")
    assert not [path for path in (tmp_path / "a").rglob("*.wav") if not path.name.startswith(".")]
    finished = len(list((tmp_path / "a").rglob("*.npy")))
    resumed = run(
        tiny_model, song, tmp_path / "a"
    )  # without a seed, goes on with that of the journal
    whole = run(tiny_model, song, tmp_path / "b") if run is run_generate else None
    if whole is None:
        seed = resumed.seed
        options = SeparateOptions(tiny_model.spec.preset("separate", "default"), seed)
        if run is run_separate:
            whole = separate_song(tiny_model, song, tmp_path / "b", options, SilentProgress())
        else:
            told = ImputeOptions(tiny_model.spec.preset("impute", "default"), seed, ("piano",))
            whole = impute_stems(
                tiny_model, {"drums": song}, tmp_path / "b", told, SilentProgress()
            )
    preset = tiny_model.spec.preset(run.__name__.removeprefix("run_"), "default")
    assert whole.calls - resumed.calls == finished * calls_per_chunk(preset)
    assert calls < calls_per_chunk(preset) or finished > 0
    for name, path in whole.files.items():
        assert resumed.files[name].read_bytes() == path.read_bytes()
    assert not [path for path in (tmp_path / "a").rglob("*") if ".part" in path.name]
