"""``msdm separate``."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import FIVE_STEMS, STEMS, list_files
from run_msdm import msdm

from msdm_cli.audio.formats import describe_readable
from msdm_cli.models.spec import QUALITIES

pytestmark = pytest.mark.usefixtures("tiny")

RESULTS = sorted([*(f"{stem}.wav" for stem in STEMS), "msdm.json"])


def separate(*arguments, model="tiny", quality="fast"):
    options = ("--model", model, "--device", "cpu", "--precision", "fp32", "--quality", quality)
    return msdm("separate", *arguments, *options)


def read_samples(folder, stems=STEMS):
    """The integer samples of stems in a folder."""
    return [soundfile.read(folder / f"{stem}.wav", dtype="int16")[0].astype(int) for stem in stems]


def test_stems_of_the_embedded_model_sum_to_the_song(write_song, tmp_path):
    song = write_song("my song [1].wav", seconds=2)
    result = msdm("separate", song, "-o", tmp_path / "stems")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "stems" / "my song [1]"
    assert list_files(folder) == RESULTS
    expected = soundfile.read(song, dtype="int16")[0]
    np.testing.assert_array_equal(sum(read_samples(folder)), expected)


def test_a_model_of_five_stems_is_no_exception(write_song, tmp_path):
    song = write_song(seconds=2)
    result = separate(song, "-o", tmp_path, model="quintet")
    assert result.returncode == 0, result.stderr
    stems = read_samples(tmp_path / "song", FIVE_STEMS)
    np.testing.assert_array_equal(sum(stems), soundfile.read(song, dtype="int16")[0])
    one = separate(song, "-o", tmp_path / "one", "--stems", "vocals", model="quintet")
    assert one.returncode == 0, one.stderr
    assert list_files(tmp_path / "one" / "song") == ["msdm.json", "vocals.wav"]
    wrong = separate(song, "--stems", "kazoo", model="quintet")
    wrong.assert_two_lines("--stems", "kazoo", "bass, drums, guitar, piano", returncode=2)


def test_the_help_states_the_estimates_of_the_embedded_model():
    from msdm_cli.cli.model_options import find_spec

    presets = find_spec("embedded").stage.presets["separate"]
    estimates = [presets[name].options.estimates for name in QUALITIES]
    text = " ".join(msdm("separate", "--help").stdout.split())
    assert f"averages {estimates[0]}, {estimates[1]} or {estimates[2]} estimates" in text


def test_a_seed_is_shown_where_it_changes_samples(write_song, tmp_path):
    song = write_song(seconds=0.5)
    without = separate(song, "-o", tmp_path / "one", "--seed", 3)
    assert without.stdout.splitlines()[1].replace("┃", " ").split() == ["song", "speed", "written"]
    again = separate(song, "-o", tmp_path / "one", "--json")
    (done,) = json.loads(again.stdout)
    assert done["skipped"]
    assert done["seed"] is None
    drawn = separate(song, "-o", tmp_path / "two", "--json", quality="default")
    seed = json.loads(drawn.stdout)[0]["seed"]
    assert str(seed) in separate(song, "-o", tmp_path / "two", quality="default").stdout


def test_a_failed_song_does_not_end_the_batch_and_does_not_exit_0(write_song, tmp_path):
    good = write_song("good.wav", seconds=0.5)
    bad = tmp_path / "bad.wav"
    bad.write_text("text")
    result = separate(bad, good, "-o", tmp_path / "stems", "--json")
    assert result.returncode == 1
    events = [json.loads(line) for line in result.stderr.splitlines()]
    (error,) = (event for event in events if event["event"] == "error")
    assert error["name"] == str(bad)
    assert "not a sound file" in error["message"]
    assert error["hint"] == describe_readable()
    progress = {"event": "progress", "name": "good.wav", "done": 1, "total": 1, "unit": "calls"}
    assert progress in events
    failed, done = json.loads(result.stdout)
    assert failed == {"song": str(bad), "error": error["message"], "hint": error["hint"]}
    assert Path(done["files"]["bass"]).is_file()
    assert done["calls"] == 1


def test_quiet_says_nothing(write_song, tmp_path):
    result = separate(write_song(seconds=0.5), "-o", tmp_path / "s", "--quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_songs_that_would_share_a_folder_are_refused_before_anything_runs(write_song, tmp_path):
    one = write_song("a/song.wav", 0.2)
    two = write_song("b/Song.wav", 0.2)
    separate(one, two, "-o", tmp_path / "stems").assert_two_lines("both", "-o")
    assert not (tmp_path / "stems").exists()


@pytest.mark.parametrize(("stem", "options"), [("bass", ()), ("residual", ("--residual",))])
def test_a_song_of_the_batch_is_never_replaced(write_song, tmp_path, stem, options):
    one = write_song("a.wav", 0.2)
    two = write_song(f"a/{stem}.wav", 0.2)
    before = two.read_bytes()
    result = separate(one, two, "-o", tmp_path, "--overwrite", *options)
    result.assert_two_lines(f"{stem}.wav: is an input", "-o")
    assert two.read_bytes() == before


def test_a_missing_file(tmp_path):
    result = separate(tmp_path / "none.wav", "-o", tmp_path / "stems")
    result.assert_two_lines("no such file", "Check the name.")


@pytest.mark.parametrize("option", ["--start", "--duration", "--overlap"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_what_is_not_a_number_is_wrong_usage(write_song, option, value):
    result = separate(write_song(seconds=0.2), option, value)
    result.assert_two_lines(option, returncode=2)


def test_a_part_beyond_the_end_names_the_option(write_song, tmp_path):
    result = separate(write_song(seconds=0.5), "-o", tmp_path / "s", "--start", 2)
    result.assert_two_lines("no samples after 2 s", "Choose an earlier --start.")


def test_a_format_without_the_subtype_names_the_options(write_song, tmp_path):
    options = ("--format", "flac", "--subtype", "FLOAT")
    result = separate(write_song(seconds=0.5), "-o", tmp_path / "s", *options)
    result.assert_two_lines("flac has no subtype FLOAT", "PCM_24", "--subtype", "--format")


def test_fewer_bits_than_the_input_has_are_said(write_song, tmp_path):
    song = write_song(seconds=0.2, subtype="PCM_24")
    for subtype in ("PCM_24", "PCM_16"):
        result = separate(song, "-o", tmp_path / subtype, "--subtype", subtype)
        assert result.returncode == 0, result.stderr
        line = f"{song}: written as PCM_16, fewer bits than the input has, PCM_24"
        assert (line in result.stderr) == (subtype == "PCM_16")


def test_what_is_there_is_replaced_with_overwrite_only(write_song, tmp_path):
    song = write_song(seconds=0.5)
    (tmp_path / "song").mkdir()
    (tmp_path / "song" / "bass.wav").write_text("mine")
    separate(song, "-o", tmp_path).assert_two_lines("is there already", "--overwrite", "-o")
    assert (tmp_path / "song" / "bass.wav").read_text() == "mine"
    assert separate(song, "-o", tmp_path, "--overwrite").returncode == 0
    assert soundfile.info(tmp_path / "song" / "bass.wav").frames == 22050


def test_a_folder_that_cannot_be_written(write_song, tmp_path):
    (tmp_path / "file").touch()
    result = separate(write_song(seconds=0.2), "-o", tmp_path / "file")
    result.assert_two_lines("cannot be written", "-o")


def test_a_full_disk_leaves_the_finished_songs_and_no_half_file(
    write_song, tmp_path, limit_file_size
):
    small = write_song("small.wav", 0.5)
    large = write_song("large.wav", 4)
    # A file size limit fails writes as a full disk does. The small song's stems stay below it.
    with limit_file_size(300_000):
        result = separate(large, small, "-o", tmp_path / "stems")
    assert result.returncode == 1
    what, hint, other = result.stderr.splitlines()
    assert "large: cannot be written" in what
    assert hint == "  Make room on the disk, or choose another folder with -o."
    assert other.startswith("2 of 2: small.wav, ")
    *_, failed, end = result.stdout.splitlines()
    assert failed.split("│")[1].strip() == "failed"
    assert end == "1 done, 1 failed"
    assert list_files(tmp_path / "stems") == [f"small/{name}" for name in RESULTS]


def test_onnx_separates_like_torch(write_song, tmp_path):
    song = write_song(seconds=2)
    for backend in ("torch", "onnx"):
        options = ("--backend", backend, "--precision", "fp32")
        result = msdm("separate", song, "-o", tmp_path / backend, *options)
        assert result.returncode == 0, result.stderr
        assert backend in result.stdout
    pairs = zip(
        read_samples(tmp_path / "torch" / "song"),
        read_samples(tmp_path / "onnx" / "song"),
        strict=True,
    )
    for one, two in pairs:
        # Of 16 bits; rounding of the network, and of the shares that make the stems sum.
        np.testing.assert_allclose(one, two, atol=3)
    assert msdm("check", tmp_path / "onnx" / "song", song).returncode == 0


def test_a_sampler_of_the_model_is_chosen_by_name(write_song, tmp_path):
    song = write_song(seconds=0.5)
    options = ("-o", tmp_path / "stems", "--sampler", "dirac", "--seed", 1, "--json")
    result = separate(song, *options, model="paper", quality="default")
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert done["calls"] == 2
    made = json.loads(Path(done["manifest"]).read_text())["request"]["options"]
    assert made["preset"]["sampler"] == "dirac"
    assert made["seed"] == 1
    wrong = separate(song, "--sampler", "dirac", model="paper", quality="best")
    wrong.assert_two_lines("--quality", "dirac has one quality", returncode=2)
    unknown = separate(song, "--sampler", "euler", model="paper", quality="default")
    unknown.assert_two_lines("--sampler", "euler", "it has dirac", returncode=2)


def test_a_folder_of_songs_with_names_of_ones_own(write_song, tmp_path):
    write_song("album/a.wav", 0.3)
    write_song("album/b.wav", 0.3)
    result = separate(tmp_path / "album", "-o", tmp_path / "out", "--name", "{stem}/{track}.{ext}")
    assert result.returncode == 0, result.stderr
    assert list_files(tmp_path / "out" / "bass") == ["a.wav", "b.wav"]


@pytest.mark.parametrize("name", ["{track}.{ext}", "{track}/{stem}.wav", "../{stem}.{ext}"])
def test_a_name_that_is_no_good_is_wrong_usage(write_song, name):
    result = separate(write_song(seconds=0.2), "--name", name)
    result.assert_two_lines("--name", returncode=2)


def test_songs_at_once_are_the_same_songs(write_song, tmp_path):
    songs = [write_song(f"{name}.wav", 1, seed=index) for index, name in enumerate("abc")]
    for jobs in (1, 3):
        options = ("-o", tmp_path / str(jobs), "--seed", 1, "--jobs", jobs, "--json")
        result = separate(*songs, *options, quality="default")
        assert result.returncode == 0, result.stderr
        assert [done["song"] for done in json.loads(result.stdout)] == list(map(str, songs))
    made = list((tmp_path / "1").rglob("*.wav"))
    assert len(made) == 12
    for path in made:
        assert path.read_bytes() == (tmp_path / "3" / path.relative_to(tmp_path / "1")).read_bytes()


def test_a_dry_run_does_nothing(write_song, tmp_path):
    song = write_song(seconds=1)
    result = separate(song, "-o", tmp_path / "out", "--dry-run", "--json", quality="default")
    assert result.returncode == 0, result.stderr
    (estimate,) = json.loads(result.stdout)
    assert estimate["name"] == str(song)
    assert estimate["audio_seconds"] == 1.0
    # Two chunks of 0.74 s, of 2 samples of 2 steps, and one call for the warm start each.
    assert estimate["calls"] == 2 * (2 * 2 + 1)
    assert not (tmp_path / "out").exists()


def test_a_dry_run_that_fails_does_not_exit_0(write_song, tmp_path):
    song = write_song(seconds=1)
    result = separate(tmp_path / "none.wav", song, "-o", tmp_path / "out", "--dry-run")
    assert result.returncode == 1
    assert "nothing was written" in result.stdout
    assert str(song) in result.stdout
    assert "none.wav: no such file" in result.stderr
    assert not (tmp_path / "out").exists()


def test_stems_are_separated_by_commas(write_song, tmp_path):
    result = separate(write_song(seconds=0.3), "-o", tmp_path, "--stems", "drums,bass")
    assert result.returncode == 0, result.stderr
    assert list_files(tmp_path / "song") == ["bass.wav", "drums.wav", "msdm.json"]
    wrong = separate(tmp_path / "song.wav", "--stems", "drums,kazoo")
    wrong.assert_two_lines("--stems", "kazoo", returncode=2)


def test_a_part_of_a_song_by_the_clock(write_song, tmp_path):
    song = write_song(seconds=2)
    for option in ("--duration", "--seconds"):
        folder = tmp_path / option
        result = separate(song, "-o", folder, "--start", "0:01", option, "0:00.5")
        assert result.returncode == 0, result.stderr
        assert soundfile.info(folder / "song" / "bass.wav").frames == 22050
    made, again = (
        (tmp_path / option / "song" / "bass.wav") for option in ("--duration", "--seconds")
    )
    assert made.read_bytes() == again.read_bytes()


def test_a_sampler_of_the_paper_takes_its_options_and_computes_exactly(write_song, tmp_path, tiny):
    song = write_song(seconds=0.3)
    options = ("--model", "paper", "--sampler", "dirac", "--anchor", "guitar", "--churn", "3")
    more = ("--num-resamples", "2", "--threads", "1", "--device", "cpu", "--seed", "1")
    result = msdm("separate", song, "-o", tmp_path / "out", *options, *more)
    assert result.returncode == 0, result.stderr
    made = json.loads((tmp_path / "out" / "song" / "msdm.json").read_text())["identity"]
    preset = made["options"]["preset"]
    assert (preset["anchor"], preset["churn"], preset["num_resamples"]) == (2, 3.0, 2)
    assert made["runtime"] == {
        "backend": "torch",
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
    }
    wrong = msdm("separate", song, "-o", tmp_path / "out", *options, "--gamma", "0.5")
    assert wrong.returncode == 2
    assert "dirac has --num-resamples, --churn, --anchor" in " ".join(wrong.stderr.split())


def test_songs_and_results_may_lie_elsewhere(write_song, tmp_path):
    song = write_song(seconds=0.5, channels=1)
    place = tmp_path / "there"
    result = separate(song.as_uri(), "-o", place.as_uri(), "--json")
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert done["song"] == song.as_uri()
    assert done["files"]["bass"] == f"{place.as_uri()}/song/bass.wav"
    assert list_files(place / "song") == RESULTS
    (again,) = json.loads(separate(song.as_uri(), "-o", place.as_uri(), "--json").stdout)
    assert again["skipped"]
    separate(f"{tmp_path.as_uri()}/nothing.wav").assert_two_lines("nothing.wav: cannot be read")
    plan = separate(song.as_uri(), "-o", tmp_path / "no", "--dry-run", "--json")
    assert json.loads(plan.stdout)[0]["audio_seconds"] == 0.5
