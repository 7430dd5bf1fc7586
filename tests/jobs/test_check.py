import dataclasses
import json

import numpy as np
import pytest
import soundfile
from conftest import STEMS, generate, impute, music, read_sound, separate

from msdm_cli.audio import decoders
from msdm_cli.errors import UnreadableAudio, UnreadableManifest
from msdm_cli.jobs.check import WORST_NULL_DB, check_results
from msdm_cli.jobs.manifest import describe_files, load_manifest
from msdm_cli.jobs.output import OutputOptions


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_stems_of_a_part_are_proved(tiny_model, write_song, tmp_path, subtype):
    song = write_song(seconds=1, subtype=subtype)
    result = separate(tiny_model, song, tmp_path, start_seconds=0.2, duration_seconds=0.5)
    report = check_results(result.manifest.parent, song)
    assert not report.problems
    assert report.whole == list(STEMS)
    assert report.exact == (subtype == "PCM_16")
    assert report.null_db is None if report.exact else report.null_db < -120


def test_files_that_were_changed_or_removed_are_found(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    samples, rate = soundfile.read(result.files["bass"], dtype="int16")
    samples[100] += 1
    soundfile.write(result.files["bass"], samples, rate, "PCM_16")
    result.files["drums"].unlink()
    report = check_results(result.manifest.parent, None)
    assert report.whole == ["guitar", "piano"]
    assert report.exact is None
    assert len(report.problems) == 2
    assert "bass.wav: was changed" in report.problems[0]
    assert "drums.wav: no such file" in report.problems[1]


def forge(result, name, change):
    """Change a stem, and its record with it."""
    path = result.files[name]
    samples, rate = soundfile.read(path, always_2d=True)
    soundfile.write(path, change(samples), rate, soundfile.info(path).subtype)
    record_again(result)


def record_again(result):
    manifest = load_manifest(result.manifest)
    files = describe_files(result.files, result.files, result.manifest.parent)
    dataclasses.replace(manifest, files=files).save(result.manifest)


def test_stems_that_do_not_sum_are_found(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    result = separate(tiny_model, song, tmp_path / "out")
    forge(result, "bass", lambda samples: 0.5 * samples)
    report = check_results(result.manifest, song)
    assert report.whole == list(STEMS)
    assert report.exact is False
    left = np.square(0.5 * read_sound(result.files["bass"]) * 2).mean()
    expected = 10 * np.log10(left / np.square(read_sound(song)).mean())
    # 16 bits round the halved stem: 0.1 dB is far more than that takes.
    assert report.null_db == pytest.approx(expected, abs=0.1)
    assert report.null_db > WORST_NULL_DB
    assert [f"the stems leave {report.null_db:.1f} dB of the song"] == report.problems


def test_a_file_of_another_length_is_found(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    forge(result, "piano", lambda samples: samples[:-1])
    (problem,) = check_results(result.manifest, None).problems
    assert problem.endswith("piano.wav: has 22049 samples, expected 22050")


def test_a_file_that_is_no_sound_is_found(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    result.files["piano"].write_bytes(b"no sound at all")
    record_again(result)
    (problem,) = check_results(result.manifest, None).problems
    assert "piano.wav: " in problem
    assert "was changed" not in problem


def test_silence_and_full_scale_are_worth_a_note(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    forge(result, "piano", np.zeros_like)
    forge(result, "bass", lambda samples: np.sign(samples))
    notes = check_results(result.manifest, None).notes
    assert any(note.endswith("piano.wav: is silent") for note in notes)
    assert any(note.endswith("bass.wav: reaches full scale") for note in notes)


def test_another_song_is_found(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    other = write_song("other.wav", seconds=0.5, seed=3)
    (problem,) = check_results(result.manifest.parent, other).problems
    assert problem.endswith("other.wav: is not the song that was separated")


def test_a_song_that_was_moved_is_named(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    result = separate(tiny_model, song, tmp_path / "out")
    moved = song.rename(tmp_path / "moved.wav")
    report = check_results(result.manifest, None)
    assert report.exact is None
    assert not report.problems
    assert "song.wav: not found from here; name the song" in report.notes[0]
    assert check_results(result.manifest, moved).exact
    with pytest.raises(UnreadableAudio, match="no such file"):
        check_results(result.manifest, tmp_path / "none.wav")


def test_some_stems_have_nothing_to_sum(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    result = separate(tiny_model, song, tmp_path, stems=("bass",))
    report = check_results(result.manifest, song)
    assert (report.whole, report.exact) == (["bass"], None)
    assert report.notes == ["some stems alone: there is nothing to sum"]


def test_imputed_and_generated_files_are_whole(tiny_model, write_song, tmp_path):
    imputed = impute(tiny_model, {"drums": write_song("drums.wav", 0.5)}, tmp_path / "out")
    generated = generate(tiny_model, tmp_path, 0.5)
    for result in (imputed, generated):
        report = check_results(result.manifest, None)
        assert report.whole == list(result.files)
        assert not report.problems
        assert report.exact is None


def test_what_was_not_separated_has_no_song_to_compare(tiny_model, tmp_path):
    report = check_results(generate(tiny_model, tmp_path, 0.3).manifest, tmp_path / "song.wav")
    assert not report.problems
    assert report.notes == [
        f"{tmp_path / 'song.wav'}: is not compared, since no song was separated here"
    ]


@pytest.mark.parametrize(
    ("scale", "subtype"), [(1e-3, "PCM_16"), (0.5, "PCM_24")], ids=["quiet", "24 bits"]
)
def test_songs_are_judged_by_what_the_format_can_hold(tiny_model, tmp_path, scale, subtype):
    song = tmp_path / "song.wav"
    soundfile.write(song, music(20_000, 1).T * scale, 22050, "FLOAT")
    output = OutputOptions(subtype=subtype)
    result = separate(tiny_model, song, tmp_path / "out", output=output)
    report = check_results(result.manifest, song)
    assert result.exact
    assert report.exact
    assert not report.problems


def test_lossy_stems_may_leave_more(tiny_model, write_song, tmp_path):
    song = write_song(seconds=1)
    result = separate(tiny_model, song, tmp_path / "out", output=OutputOptions("ogg"))
    report = check_results(result.manifest, song)
    assert not report.problems
    assert report.exact is False
    assert report.null_db > WORST_NULL_DB
    assert report.lossy == "ogg"


def test_files_that_have_the_same_name_are_told_apart(tiny_model, write_song, tmp_path):
    output = OutputOptions(name="{stem}/{track}.{ext}")
    result = separate(tiny_model, write_song(), tmp_path, output=output)
    report = check_results(result.manifest, None)
    assert report.whole == list(STEMS)
    assert report.exact


def test_a_folder_of_one_manifest_is_enough(tiny_model, write_song, tmp_path):
    output = OutputOptions(name="{stem} of {track}.{ext}")
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path, output=output)
    assert check_results(result.manifest, None).exact
    assert check_results(tmp_path, None).exact
    separate(tiny_model, write_song("other.wav", seconds=0.5), tmp_path, output=output)
    with pytest.raises(UnreadableManifest, match=r"holds msdm of other\.json, msdm of song\.json"):
        check_results(tmp_path, None)


def test_without_a_manifest_there_is_nothing_to_check(tmp_path):
    with pytest.raises(UnreadableManifest, match=r"holds no msdm\.json"):
        check_results(tmp_path, None)
    (tmp_path / "msdm.json").write_text("{}")
    with pytest.raises(UnreadableManifest, match="not a manifest"):
        check_results(tmp_path, None)


def falsify(result, **facts):
    """Write facts into a manifest that no job has found."""
    content = json.loads(result.manifest.read_text())
    content["facts"].update(facts)
    result.manifest.write_text(json.dumps(content))


@pytest.mark.parametrize("gain", [1e200, 1.01, 0, -1, "1", None])
def test_a_forged_gain_is_refused(tiny_model, write_song, tmp_path, gain):
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    falsify(result, gain=gain)
    with pytest.raises(UnreadableManifest):
        check_results(result.manifest, None)


@pytest.mark.parametrize("gain", [1e-9, 0.5])
def test_a_forged_gain_that_might_be_one_does_not_sum(tiny_model, write_song, tmp_path, gain):
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    falsify(result, gain=gain)
    (problem,) = check_results(result.manifest, None).problems
    assert problem.endswith("dB of the song")


@pytest.mark.parametrize("word", ["NaN", "Infinity"])
def test_a_gain_that_is_no_number_is_refused(tiny_model, write_song, tmp_path, word):
    result = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    text = result.manifest.read_text()
    assert '"gain": 1.0' in text
    result.manifest.write_text(text.replace('"gain": 1.0', f'"gain": {word}'))
    with pytest.raises(UnreadableManifest):
        check_results(result.manifest, None)


def test_forged_stems_are_not_excused_as_lossy(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    result = separate(tiny_model, song, tmp_path / "out")
    forge(result, "bass", lambda samples: 0.5 * samples)
    falsify(result, subtype_written="VORBIS")
    report = check_results(result.manifest, song)
    assert len(report.problems) == 1
    assert "cannot hold VORBIS" in report.problems[0]
    falsify(result, subtype_written="PCM_8")
    with pytest.raises(UnreadableManifest, match="unknown subtype PCM_8"):
        check_results(result.manifest, song)


def test_a_minus_one_and_its_stem_sum_to_the_song(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.3)
    minus = {"without-drums": {"drums": 0.0}}
    pair = separate(tiny_model, song, tmp_path / "pair", mixes=minus, stems=("drums",))
    assert check_results(pair.manifest, None).exact
    alone = check_results(separate(tiny_model, song, tmp_path / "one", mixes=minus).manifest, None)
    assert alone.exact is None
    assert alone.notes == ["some stems alone: there is nothing to sum"]


def test_a_mix_that_was_never_written_sums_to_nothing(tiny_model, write_song, tmp_path):
    made = separate(tiny_model, write_song(seconds=0.2), tmp_path / "out", stems=("drums",))
    described = json.loads(made.manifest.read_text())
    described["request"]["options"]["mixes"] = {"without-drums": {"drums": 0.0}}
    made.manifest.write_text(json.dumps(described))
    assert check_results(made.manifest, None).notes == ["some stems alone: there is nothing to sum"]


@pytest.mark.parametrize("level", [1e-40, 1e-12, 0.0])
def test_of_a_song_that_is_hardly_one_rounding_may_leave_more(tiny_model, tmp_path, level):
    song = tmp_path / "song.wav"
    soundfile.write(song, np.full(5000, level, np.float32), 22050, "FLOAT")
    made = separate(tiny_model, song, tmp_path / "out")
    assert not check_results(made.manifest, song).problems


def test_a_song_is_read_once_for_its_digest_and_once_to_compare(
    tiny_model, write_song, tmp_path, monkeypatch
):
    opened = []
    decoding = decoders.open_decoder
    monkeypatch.setattr(
        decoders, "open_decoder", lambda *found: opened.append(found[0].name) or decoding(*found)
    )
    song = write_song(seconds=0.2)
    made = separate(tiny_model, song, tmp_path / "out")
    opened.clear()
    assert check_results(made.manifest, song).exact
    assert opened.count("song.wav") == 2


def test_stems_without_an_absent_one_sum_to_the_song(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    made = separate(tiny_model, song, tmp_path / "out", absent=("piano",))
    assert list(made.files) == ["bass", "drums", "guitar"]
    assert check_results(made.manifest, song).exact
    minus = {"without-drums": {"drums": 0.0}}
    fields = {"mixes": minus, "stems": ("drums",), "absent": ("piano",)}
    assert check_results(
        separate(tiny_model, song, tmp_path / "pair", **fields).manifest, song
    ).exact


def test_stems_of_a_song_at_the_scale_of_integers_are_proved(tiny_model, tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, 32768 * music(22050).T, 22050, "FLOAT")
    result = separate(tiny_model, path, tmp_path / "out", output=OutputOptions(subtype="PCM_16"))
    assert result.gain_db < -60
    assert check_results(result.manifest, None).exact
