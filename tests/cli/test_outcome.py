import os
from pathlib import Path

from msdm_cli.audio.source import AudioProperties
from msdm_cli.cli.display import Display
from msdm_cli.cli.outcome import MOST_ROWS, Outcome, show_gain, show_heard, show_outcomes
from msdm_cli.errors import ResultsExist
from msdm_cli.jobs.result import JobResult
from msdm_cli.tasks.hearing import Heard


def make_result(**fields):
    usual = {
        "files": {"bass": Path("stems/a/bass.wav"), "drums": Path("stems/a/drums.wav")},
        "manifest": Path("stems/a/msdm.json"),
        "properties": AudioProperties(100, 1, 1000, "PCM_16"),
        "seed": None,
        "calls": 4,
    }
    return JobResult(**usual | fields)


def test_a_result_is_described():
    outcome = Outcome("a", make_result(seed=0), 2.5)
    assert outcome.describe() == {
        "speed": "4.0x real time",
        "seed": "0",
        "written": f"{Path('stems/a')}{os.sep}\nbass.wav, drums.wav",
    }
    skipped = Outcome("a", make_result(skipped=True), 2.5).describe()
    assert (skipped["speed"], skipped["seed"]) == ("was there", "")


def test_an_error_is_described():
    outcome = Outcome("a", ResultsExist("a.wav: is there already", "remedy"), 0.1, "hint")
    assert outcome.failed
    assert outcome.describe() == {"speed": "failed", "seed": "", "written": ""}
    assert outcome.to_json("song") == {
        "song": "a",
        "error": "a.wav: is there already",
        "hint": "hint",
    }


def test_a_gain_and_clipped_samples_are_said(capsys):
    show_gain("a", make_result(gain_db=-0.456), Display(quiet=False))
    show_gain("b", make_result(), Display(quiet=False))
    show_gain("c", make_result(clipped=3), Display(quiet=False))
    show_gain("d", make_result(gain_db=-0.456, clipped=3), Display(quiet=False))
    show_gain("e", make_result(gain_db=-0.456, mixture_only=True), Display(quiet=False))
    show_gain("f", make_result(gain_db=-0.456, stay=("drums",)), Display(quiet=False))
    assert capsys.readouterr().err.splitlines() == [
        "a: -0.46 dB, so that nothing clips; --subtype FLOAT needs no gain",
        "c: 3 samples beyond full scale were clipped; --subtype FLOAT keeps them",
        "d: the mixture is 0.46 dB softer than its stems, of which 3 samples beyond full scale "
        "were clipped; --subtype FLOAT avoids both",
        "e: the mixture is 0.46 dB softer than its stems, so that it does not clip; "
        "--subtype FLOAT needs no gain",
        "f: -0.46 dB beside drums, so that nothing clips; --subtype FLOAT needs no gain",
    ]


def test_a_quiet_display_has_no_summary(capsys):
    show_outcomes("song", "title", [Outcome("a", make_result(), 1.0)], Display(quiet=True), 1)
    assert capsys.readouterr().out == ""


def test_seeds_have_a_column_if_there_are_any(capsys):
    for seed, expected in ((None, False), (7, True)):
        outcomes = [Outcome("a", make_result(seed=seed), 1.0)]
        show_outcomes("song", "title", outcomes, Display(quiet=False), 1)
        shown = capsys.readouterr().out
        assert shown.startswith("title\n")
        assert ("seed" in shown) == expected


def test_of_very_many_jobs_those_that_failed_are_listed(capsys):
    outcomes = [
        Outcome("a.wav", make_result(), 1.0),
        Outcome("b.wav", ResultsExist("is there already", "remedy"), 0.1, "a hint"),
    ]
    show_outcomes("song", "title", outcomes, Display(quiet=False), MOST_ROWS + 1)
    shown = capsys.readouterr().out
    assert "a.wav" not in shown
    for text in ("b.wav", "is there already", "a hint", f"{MOST_ROWS} done, 1 failed"):
        assert text in shown


def test_what_was_heard_is_said_if_anything_was(capsys):
    display = Display(quiet=False)
    for heard in (Heard(96.0, "A minor"), Heard(key="A minor"), Heard(136.03), Heard()):
        show_heard("piano", make_result(heard=heard), display)
    end = "in the given stems; --tempo and --key override it"
    assert capsys.readouterr().err.splitlines() == [
        f"piano: heard {music} {end}" for music in ("96 bpm, A minor", "A minor", "136 bpm")
    ]
