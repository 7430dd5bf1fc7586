"""What lies beside results: it proves them, and spares work that is done."""

import dataclasses
import json
import os
import time

import numpy as np
import pytest
import soundfile
from conftest import STEMS, music

from msdm_cli.audio.files import StemWriter
from msdm_cli.errors import UnreadableAudio, UnreadableManifest, UnsuitableAudio, UnwritableAudio
from msdm_cli.jobs.check import check_results
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.models.verify import digest
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.separate import SeparateOptions, separate_song


def separate(model, song, folder, seed=5, **fields):
    options = SeparateOptions(model.spec.preset("separate", "fast"), seed, **fields)
    return separate_song(model, song, folder, options, SilentProgress())


def test_it_tells_what_was_made_and_how(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    done = separate(tiny_model, song, tmp_path / "out")
    manifest = load_manifest(done.manifest)
    assert done.manifest == tmp_path / "out" / "song" / "msdm.json"
    assert manifest.job["inputs"] == {"song": digest(song)}
    assert manifest.job["options"]["preset"]["warm_start"] is True
    assert (manifest.seed, manifest.facts["exact"], manifest.facts["frames"]) == (5, True, 22050)
    for stem in STEMS:
        record = manifest.files[stem]
        assert (record.path, record.sha256) == (f"{stem}.wav", digest(done.files[stem]))
    json.loads(done.manifest.read_text())


def test_what_is_done_is_not_done_again(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    first = separate(tiny_model, song, tmp_path / "out")
    again = separate(tiny_model, song, tmp_path / "out")
    unseeded = separate(tiny_model, song, tmp_path / "out", seed=None)
    assert again == unseeded == dataclasses.replace(first, calls=0, skipped=True)


@pytest.mark.parametrize("change", ["seed", "song", "lost"])
def test_what_differs_is_not_taken_for_done(tiny_model, write_song, tmp_path, change):
    song = write_song(seconds=0.5)
    first = separate(tiny_model, song, tmp_path / "out")
    if change == "song":
        write_song(seconds=0.5, seed=9)
    if change == "lost":
        first.files["bass"].unlink()
    with pytest.raises(UnwritableAudio, match="is there already"):
        separate(tiny_model, song, tmp_path / "out", seed=6 if change == "seed" else 5)
    redone = separate(tiny_model, song, tmp_path / "out", output=OutputOptions(overwrite=True))
    assert not redone.skipped
    assert redone.calls > 0


def test_stems_can_be_named(tiny_model, write_song, tmp_path):
    done = separate(
        tiny_model, write_song(), tmp_path, output=OutputOptions(name="{stem} of {track}.{ext}")
    )
    assert done.files["bass"] == tmp_path / "bass of song.wav"
    assert done.manifest == tmp_path / "msdm of song.json"
    assert check_results(done.manifest, None).exact
    assert check_results(tmp_path, None).exact
    write_song("other.wav")
    separate(
        tiny_model,
        tmp_path / "other.wav",
        tmp_path,
        output=OutputOptions(name="{stem} of {track}.{ext}"),
    )
    with pytest.raises(UnreadableManifest, match=r"holds msdm of other\.json, msdm of song\.json"):
        check_results(tmp_path, None)


@pytest.mark.parametrize(
    "name",
    [
        *("{track}.{ext}", "../{stem}.{ext}", "/x/{stem}.{ext}", "C:{stem}.{ext}"),
        *(
            "{stem}{kazoo}.{ext}",
            "{stem",
            "{0}{stem}.{ext}",
            "{stem.x}.{ext}",
            "{track}/{stem}",
            "{stem}.wav",
        ),
    ],
)
def test_names_that_do_not_tell_stems_apart_or_lead_out_are_refused(name):
    with pytest.raises(ValueError, match="expected a name"):
        OutputOptions(name=name)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_check_proves_results(tiny_model, write_song, tmp_path, subtype):
    song = write_song(seconds=1, subtype=subtype)
    done = separate(tiny_model, song, tmp_path / "out", start_seconds=0.2, duration_seconds=0.5)
    report = check_results(done.manifest.parent, song)
    assert not report.problems
    assert report.whole == list(STEMS)
    assert report.exact if subtype == "PCM_16" else report.null_db < -120


def test_check_finds_what_was_changed(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    done = separate(tiny_model, song, tmp_path / "out")
    samples, rate = soundfile.read(done.files["bass"], dtype="int16")
    samples[100] += 1
    soundfile.write(done.files["bass"], samples, rate, "PCM_16")
    done.files["drums"].unlink()
    report = check_results(done.manifest.parent, None)
    assert len(report.problems) == 2
    assert "bass.wav: was changed" in report.problems[0]
    assert "drums.wav: no such file" in report.problems[1]


def test_check_knows_another_song(tiny_model, write_song, tmp_path):
    done = separate(tiny_model, write_song(seconds=0.5), tmp_path / "out")
    other = write_song("other.wav", seconds=0.5, seed=3)
    assert "not the song" in check_results(done.manifest.parent, other).problems[0]


def test_without_a_manifest_there_is_nothing_to_check(tmp_path):
    with pytest.raises(UnreadableManifest, match=r"holds no msdm\.json"):
        check_results(tmp_path, None)
    (tmp_path / "msdm.json").write_text("{}")
    with pytest.raises(UnreadableManifest, match="not a manifest"):
        check_results(tmp_path, None)


def test_a_stem_that_would_clip_turns_all_down(tiny_model, tmp_path):
    song = tmp_path / "loud.wav"
    soundfile.write(song, np.sign(music(60_000, 1)).T * 3, 22050, "FLOAT")
    done = separate(tiny_model, song, tmp_path / "out", output=OutputOptions(subtype="PCM_16"))
    stems = np.stack([soundfile.read(path, dtype="float64")[0] for path in done.files.values()])
    assert done.gain_db < 0
    assert done.clipped == 0
    assert 0.99 < np.abs(stems).max() < 1
    whole = soundfile.read(song, dtype="float64")[0] * 10 ** (done.gain_db / 20)
    np.testing.assert_array_equal(stems.sum(0) * 32768, np.rint(whole * 32768))
    assert done.exact
    report = check_results(done.manifest.parent, song)
    assert not report.problems
    assert report.exact


@pytest.mark.parametrize(
    ("file_format", "subtype"), [("wav", "FLOAT"), ("wav", "DOUBLE"), ("ogg", None), ("flac", None)]
)
def test_the_same_command_gives_the_same_bytes_at_any_time(
    tiny_model, write_song, tmp_path, file_format, subtype
):
    song, output = write_song(seconds=0.5), OutputOptions(file_format, subtype)
    first = separate(tiny_model, song, tmp_path / "one", output=output)
    time.sleep(1.1)  # libsndfile looks at the clock
    again = separate(tiny_model, song, tmp_path / "two", output=output)
    for name, path in first.files.items():
        assert path.read_bytes() == again.files[name].read_bytes()
    assert not check_results(first.manifest, song).problems


def test_quiet_songs_are_judged_by_what_their_format_can_hold(tiny_model, tmp_path):
    song = tmp_path / "quiet.wav"
    soundfile.write(song, music(20_000, 1).T * 1e-3, 22050, "FLOAT")
    done = separate(tiny_model, song, tmp_path / "out", output=OutputOptions(subtype="PCM_16"))
    report = check_results(done.manifest, song)
    assert done.exact
    assert report.exact
    assert not report.problems


def test_check_counts_files_that_have_the_same_name(tiny_model, write_song, tmp_path):
    done = separate(
        tiny_model, write_song(), tmp_path, output=OutputOptions(name="{stem}/{track}.{ext}")
    )
    assert check_results(done.manifest, None).whole == list(STEMS)


def test_check_of_a_song_that_is_not_there(tiny_model, write_song, tmp_path):
    done = separate(tiny_model, write_song(), tmp_path)
    with pytest.raises(UnreadableAudio, match="no such file"):
        check_results(done.manifest, tmp_path / "none.wav")


def test_an_interrupted_replacement_is_not_taken_for_done(
    tiny_model, write_song, tmp_path, monkeypatch
):
    song, commit, left = write_song(seconds=0.5), StemWriter.commit, [2]
    first = separate(tiny_model, song, tmp_path, seed=1)

    def stop_at_the_third(self):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        commit(self)

    monkeypatch.setattr(StemWriter, "commit", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        separate(tiny_model, song, tmp_path, seed=2, output=OutputOptions(overwrite=True))
    monkeypatch.undo()
    with pytest.raises(UnwritableAudio, match="is there already"):
        separate(tiny_model, song, tmp_path, seed=1)
    again = separate(tiny_model, song, tmp_path, seed=1, output=OutputOptions(overwrite=True))
    assert not check_results(again.manifest, song).problems
    assert again.files == first.files


def test_a_song_that_changes_while_it_is_read_is_refused(tiny_model, write_song, tmp_path):
    song = write_song(seconds=1)

    class Writing:
        takes_mixture, shares_sigma = True, False

        def __call__(self, *arguments):
            write_song(seconds=1, seed=9)
            return tiny_model.denoiser(*arguments)

    with pytest.raises(UnsuitableAudio, match="has changed"):
        separate(dataclasses.replace(tiny_model, denoiser=Writing()), song, tmp_path / "out")
    assert not (tmp_path / "out" / "song").exists()


def test_a_song_whose_name_leads_out_is_refused(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.2).rename(tmp_path / "...wav")
    with pytest.raises(UnwritableAudio, match="is not inside"):
        separate(tiny_model, song, tmp_path / "out")


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
@pytest.mark.parametrize("name", ["A: intro", "..and then", "back\\slash"])
def test_names_that_only_look_like_ways_out_are_names(tiny_model, write_song, tmp_path, name):
    done = separate(tiny_model, write_song(f"{name}.wav", seconds=0.2), tmp_path / "out")
    assert done.manifest == tmp_path / "out" / name / "msdm.json"


@pytest.mark.parametrize(
    "change",
    [
        {"job": 1}, {"facts": {}}, {"facts": None}, {"inputs": {"song": 3}}, {"inputs": {}}, {"files": {"bass": {}}},
        {"format": 99}, {"files": None},
    ],
)  # fmt: skip
def test_what_only_looks_like_a_manifest_is_refused(tiny_model, write_song, tmp_path, change):
    done = separate(tiny_model, write_song(seconds=0.2), tmp_path)
    told = json.loads(done.manifest.read_text())
    done.manifest.write_text(json.dumps(told | change))
    with pytest.raises(UnreadableManifest, match="not a manifest"):
        check_results(done.manifest, None)
