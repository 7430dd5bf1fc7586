import errno
import pickle

import pytest

from msdm_cli.audio.formats import choose_subtype
from msdm_cli.cli.hints import HINTS, find_errno_hint, find_hint, hinted
from msdm_cli.errors import (
    BackendUnavailable,
    ChecksumMismatch,
    EmptyPart,
    JobRunning,
    MissingFormat,
    MissingPreset,
    MissingSubtype,
    MissingTask,
    MissingWeights,
    MsdmError,
    NoLength,
    NonFiniteSamples,
    ReplacesInput,
    ResultsExist,
    SamePlace,
    StrayName,
    UnfetchedModel,
    UnknownModel,
    UnreadableAudio,
    UnsuitableAudio,
    UnsuitableFormat,
    UnwritableAudio,
    UnwritableResults,
)
from msdm_cli.jobs.journal_folder import check_own
from msdm_cli.jobs.output import OutputOptions, check_links, check_vacant
from msdm_cli.models.registry import find_entry, load_archives


def raised(call, *arguments, **options):
    """The error that a call raises."""
    with pytest.raises(MsdmError) as caught:
        call(*arguments, **options)
    return caught.value


def test_results_that_exist_name_the_option(tmp_path):
    (tmp_path / "bass.wav").touch()
    error = raised(check_vacant, [tmp_path / "bass.wav"], {}, overwrite=False)
    assert isinstance(error, ResultsExist)
    assert find_hint(error) == "Say --overwrite to replace it, or choose another folder with -o."


def test_an_input_that_would_be_replaced_names_the_option(tmp_path):
    song = tmp_path / "song.wav"
    error = raised(check_vacant, [song], {"song": song}, overwrite=True)
    assert isinstance(error, ReplacesInput)
    assert find_hint(error) == "Choose another folder with -o."


def test_a_model_that_is_missing_names_its_archive(monkeypatch, tmp_path):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path))
    for archive in load_archives().values():
        for model in archive.models:
            error = raised(find_entry, model.name)
            assert isinstance(error, UnfetchedModel)
            assert find_hint(error) == f"Fetch it: msdm weights pull {archive.name}"


def test_an_unknown_model_names_the_list(monkeypatch, tmp_path):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path))
    error = raised(find_entry, "nonsense")
    assert isinstance(error, UnknownModel)
    assert find_hint(error) == "These are here: embedded. msdm weights list shows them all."


def test_a_subtype_that_a_format_lacks_names_those_that_it_has():
    error = raised(choose_subtype, "flac", "FLOAT", "PCM_16")
    assert isinstance(error, MissingSubtype)
    hint = "It has PCM_16, PCM_24. Choose one with --subtype, or another --format."
    assert find_hint(error) == hint


def test_a_preset_that_a_model_lacks_names_those_that_it_has(tiny_model):
    error = raised(tiny_model.spec.preset, "separate", "best")
    assert isinstance(error, MissingPreset)
    assert find_hint(error) == "It has fast, default. Choose one with --quality or --sampler."
    error = raised(tiny_model.spec.preset, "dance", "best")
    assert isinstance(error, MissingTask)
    assert find_hint(error) == "Choose another --model: msdm weights list."


def test_a_name_that_leads_out_of_the_folder_names_the_option(tmp_path):
    options = OutputOptions(name="{track}/{stem}.{ext}")
    error = raised(options.place, tmp_path, "..", "bass")
    assert isinstance(error, StrayName)
    assert find_hint(error) == "Rename the song, or choose names of the results with --name."


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (
            BackendUnavailable("what", "Choose the precision fp32."),
            "Choose the precision fp32. See --device, --backend and --precision, and msdm doctor.",
        ),
        (JobRunning("what", "Wait."), "Wait for it, or choose another folder with -o."),
        (
            NonFiniteSamples("what", "Try another device or precision."),
            "Try another --device or --precision. If it stays, report song and --seed.",
        ),
        (
            UnwritableAudio("what", "Make room on the disk, or choose another folder."),
            "Make room on the disk, or choose another folder with -o.",
        ),
        (UnsuitableAudio("a.wav: contains NaN", "Repair it."), "Repair it."),
        (UnsuitableAudio("no samples after all; 0 s is no length", "Repair it."), "Repair it."),
        (
            MissingWeights("the model msdm has no file", "Install msdm again."),
            "Install msdm again.",
        ),
        (MissingFormat("what", "Upgrade it."), "Upgrade it."),
        (
            SamePlace("what", "Rename one."),
            "Rename one, or separate them in two runs, each with its own -o.",
        ),
        (EmptyPart("what", "Begin earlier."), "Choose an earlier --start."),
        (NoLength("what", "More."), "Ask for more with --duration."),
        (UnsuitableFormat("what", "Another."), "Another. See --format and --subtype."),
    ],
)
def test_hints_by_class(error, hint):
    assert find_hint(error) == hint


def test_an_error_has_the_hint_of_the_nearest_class_that_has_one():
    class Special(UnwritableAudio):
        """A kind that nobody has a hint for."""

    error = raise_from(Special("what", "remedy"), OSError(errno.ENOSPC, "why"))
    assert find_hint(error).startswith("Make room on the disk")
    with pytest.raises(Special) as caught, hinted({UnwritableAudio: "of the command"}):
        raise error
    assert find_hint(caught.value) == "of the command"


@pytest.mark.parametrize(
    "error", [UnfetchedModel("what", "remedy", "archive"), ResultsExist("what", "remedy")]
)
def test_an_error_is_what_it_was_after_a_journey(error):
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert vars(arrived) == vars(error)
    assert str(arrived) == str(error)


def test_an_error_without_a_row_has_its_remedy():
    assert ChecksumMismatch not in HINTS
    assert find_hint(ChecksumMismatch("what", "Install msdm again.")) == "Install msdm again."


def test_the_words_of_a_remedy_decide_nothing():
    for remedy in ("Say --input PATH.", "It has others.", "Rename it.", "Choose a subtype."):
        hint = "Say --overwrite to replace it, or choose another folder with -o."
        assert find_hint(ResultsExist("what", remedy)) == hint
        assert find_hint(UnwritableAudio("what", remedy)).startswith("Make room on the disk")


def test_a_command_has_hints_of_its_own():
    hints = {ResultsExist: "Choose another folder with -o."}
    with pytest.raises(ResultsExist, match="what") as caught, hinted(hints):
        raise ResultsExist("what", "remedy")
    assert find_hint(caught.value) == "Choose another folder with -o."
    with pytest.raises(UnreadableAudio) as kept, hinted({ResultsExist: "no"}):
        raise UnreadableAudio("what", "remedy")
    assert kept.value.remedy == "remedy"


def raise_from(error, cause):
    """An error as it arrives, with the error that it comes from."""
    try:
        raise error from cause
    except MsdmError as arrived:
        return arrived


@pytest.mark.parametrize("kind", [UnwritableAudio, UnwritableResults])
@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "Make room on the disk, or choose another folder with -o."),
        (errno.EACCES, "You may not write there: change its rights, or choose another folder"),
        (errno.EROFS, "You may not write there"),
        (errno.ENAMETOOLONG, "Choose a shorter name: rename the song, or see --name."),
        (errno.ENOTDIR, "Choose another folder with -o."),
    ],
)
def test_the_hint_follows_the_error_below(kind, number, hint):
    error = kind("what", "Make room on the disk, or choose another folder.")
    assert find_hint(raise_from(error, OSError(number, "why"))).startswith(hint)


def test_what_is_in_the_way_of_results_says_what_to_do(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    for error in (
        raised(check_links, tmp_path, [link / "bass.wav"]),
        raised(check_own, link),
    ):
        assert find_hint(error) == "Remove it, or choose another folder."


def test_a_command_may_have_another_folder_in_its_hint():
    hints = {UnwritableAudio: lambda error: find_errno_hint(error, "choose another DIR")}
    with pytest.raises(UnwritableAudio) as caught, hinted(hints):
        raise UnwritableAudio("what", "remedy") from OSError(errno.EROFS, "why")
    expected = "You may not write there: change its rights, or choose another DIR."
    assert find_hint(caught.value) == expected
