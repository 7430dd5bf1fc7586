"""The command as a shell sees it: exit codes, and what goes to which stream."""

import json
import os
import re
import resource
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from conftest import STEMS, lightning_checkpoint, music


def msdm(*arguments, cwd=None, **options):
    command = [sys.executable, "-m", "msdm_cli", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        timeout=300,
        check=False,
        **options,
    )


def assert_two_lines(result, *words):
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 2, result.stderr
    assert lines[0].startswith("error: ")
    assert all(word in lines[0] for word in words), lines
    assert not result.stdout.strip() or "failed" in result.stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['msdm', '--help']\n"
        "from msdm_cli.cli.app import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print([name for name in ('torch', 'onnxruntime', 'numba', 'numpy', 'soundfile') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "command", ["separate", "impute", "generate", "check", "rerun", "evaluate", "doctor", "weights"]
)
def test_every_command_has_help(command):
    assert f"{command}" in msdm(command, "--help").stdout


def test_separate_writes_stems_that_sum(write_song, tmp_path):
    song = write_song("my song [1].wav", seconds=2)
    result = msdm("separate", song, "-o", tmp_path / "stems", "--seed", 3)
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "stems" / "my song [1]"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*(f"{stem}.wav" for stem in STEMS), "msdm.json"]
    )
    stems = [soundfile.read(folder / f"{stem}.wav", dtype="int16")[0].astype(int) for stem in STEMS]
    np.testing.assert_array_equal(sum(stems), soundfile.read(song, dtype="int16")[0])


def test_a_failed_song_does_not_end_the_batch_and_does_not_exit_0(write_song, tmp_path):
    bad, good = tmp_path / "bad.wav", write_song("good.wav", seconds=0.5)
    bad.write_text("text")
    result = msdm("separate", bad, good, "-o", tmp_path / "stems", "--json", "--quality", "fast")
    assert result.returncode == 1
    events = [json.loads(line) for line in result.stderr.splitlines()]
    (error,) = (event for event in events if event["event"] == "error")
    assert error["name"] == str(bad)
    assert error["message"]
    assert error["hint"]
    assert {
        "event": "progress",
        "name": "good.wav",
        "done": 1,
        "total": 1,
        "unit": "calls",
    } in events
    failed, done = json.loads(result.stdout)
    assert "error" in failed
    assert Path(done["files"]["bass"]).is_file()
    assert done["calls"] == 1


def test_quiet_says_nothing(write_song, tmp_path):
    result = msdm(
        "separate", write_song(seconds=0.5), "-o", tmp_path / "s", "--quiet", "--quality", "fast"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_songs_that_would_share_a_folder_are_refused_before_anything_runs(write_song, tmp_path):
    one, two = write_song("a/song.wav", 0.2), write_song("b/Song.wav", 0.2)
    result = msdm("separate", one, two, "-o", tmp_path / "stems")
    assert result.returncode == 1
    assert_two_lines(result, "both")
    assert not (tmp_path / "stems").exists()


def test_a_song_of_the_batch_is_never_replaced(write_song, tmp_path):
    one = write_song("a.wav", 0.2)
    for stem, options in (("bass", ()), ("residual", ("--residual",))):
        two = write_song(f"a/{stem}.wav", 0.2)
        before = two.read_bytes()
        result = msdm("separate", one, two, "-o", tmp_path, "--overwrite", *options)
        assert result.returncode == 1
        assert_two_lines(result, f"{stem}.wav: is an input")
        assert two.read_bytes() == before


def test_a_missing_file(tmp_path):
    result = msdm("separate", tmp_path / "none.wav", "-o", tmp_path / "stems")
    assert result.returncode == 1
    assert_two_lines(result, "no such file")


def test_an_unknown_stem_is_wrong_usage(write_song):
    result = msdm("separate", write_song(), "--stems", "kazoo")
    assert result.returncode == 2
    assert_two_lines(result, "kazoo", "--stems")


@pytest.mark.parametrize("option", ["--start", "--duration", "--overlap"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_what_is_not_a_number_is_wrong_usage(write_song, option, value):
    assert msdm("separate", write_song(seconds=0.2), option, value).returncode == 2


def test_a_failed_variation_does_not_end_the_rest(tmp_path):
    (tmp_path / "seed-1").touch()
    result = msdm(
        "generate",
        "--seconds",
        0.2,
        "--seed",
        1,
        "--variations",
        2,
        "--steps",
        1,
        "-o",
        tmp_path,
        "--json",
    )
    assert result.returncode == 1
    failed, done = json.loads(result.stdout)
    assert "error" in failed
    assert Path(done["files"]["mixture"]).is_file()


def test_a_folder_that_cannot_be_written(write_song, tmp_path):
    (tmp_path / "file").touch()
    result = msdm("separate", write_song(seconds=0.2), "-o", tmp_path / "file", "--quality", "fast")
    assert result.returncode == 1
    assert_two_lines(result, "cannot be written")


def test_a_full_disk_leaves_the_finished_songs_and_no_half_file(write_song, tmp_path):
    small, large = write_song("small.wav", 0.5), write_song("large.wav", 4)

    def limit():
        # A file size limit fails writes as a full disk does; the small song's stems stay below it.
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    result = msdm(
        "separate", large, small, "-o", tmp_path / "stems", "--quality", "fast", preexec_fn=limit
    )
    assert result.returncode == 1
    assert_two_lines(result, "large", "cannot be written")
    files = [path for path in (tmp_path / "stems").rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == sorted(
        [*(f"{stem}.wav" for stem in STEMS), "msdm.json"]
    )
    assert all(path.parent.name == "small" for path in files)


def test_onnx_separates_like_torch_and_without_it(write_song, tmp_path):
    song = write_song(seconds=2)
    for backend in ("torch", "onnx"):
        result = msdm(
            "separate", song, "-o", tmp_path / backend, "--backend", backend, "--precision", "fp32"
        )
        assert result.returncode == 0, result.stderr
        assert backend in result.stdout
    for stem in STEMS:
        one, two = (
            soundfile.read(tmp_path / name / "song" / f"{stem}.wav")[0]
            for name in ("torch", "onnx")
        )
        # Of 16 bits; rounding of the network, and of the shares that make the stems sum.
        np.testing.assert_allclose(one, two, atol=3 / 32768)
    assert msdm("check", tmp_path / "onnx" / "song", song).returncode == 0


@pytest.mark.parametrize("command", ["separate", "impute", "generate"])
def test_onnx_does_not_need_torch(write_song, tmp_path, command):
    song = write_song("drums.wav", seconds=0.5, channels=1)
    arguments = {
        "separate": [str(song)],
        "impute": ["--given", str(song), "--target", "piano", "--steps", "2"],
        "generate": ["--seconds", "0.5", "--steps", "2"],
    }[command]
    code = (
        "import sys; sys.modules['torch'] = None\n"  # importing it raises
        f"sys.argv = ['msdm', {command!r}, *{arguments!r}, '--backend', 'onnx', '-o', {str(tmp_path / 'out')!r}]\n"
        "from msdm_cli.cli.app import main\n"
        "main()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / "out").rglob("*.wav"))) >= 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--provider", "coreml"), "coreml"),
        (("--backend", "onnx", "--device", "mps"), "mps"),
        (("--backend", "onnx", "--precision", "bf16"), "exported in fp32"),
    ],
)
def test_a_backend_that_is_not_there_is_never_replaced(write_song, options, words):
    result = msdm("separate", write_song(seconds=0.2), *options)
    assert result.returncode == 1
    assert_two_lines(result, words)


def test_a_provider_is_not_for_torch(write_song):
    assert (
        msdm(
            "separate", write_song(seconds=0.2), "--provider", "cpu", "--backend", "torch"
        ).returncode
        == 2
    )


def test_doctor_tells_what_works_and_how_fast():
    told = json.loads(msdm("doctor", "--json").stdout)
    subjects = {finding["subject"]: finding for finding in told["findings"]}
    assert {"msdm", "ONNX Runtime", "cpu (torch)", "cpu (onnx)", "model embedded", "cache"} <= set(
        subjects
    )
    assert subjects["cpu (onnx)"]["told"] == "works"
    assert all(pace["times_real_time"] > 0 for pace in told["paces"])
    assert told["runtime"]["device"]


def test_doctor_tells_what_it_found_even_if_the_device_is_not_there():
    result = msdm("doctor", "--device", "cuda:77")
    assert result.returncode == 1
    assert "ONNX Runtime" in result.stdout
    assert "the device cuda:77 is not available" in result.stderr


def test_a_quality_is_not_for_the_samplers_of_the_paper(write_song):
    result = msdm("separate", write_song(seconds=0.2), "--sampler", "dirac", "--quality", "best")
    assert result.returncode == 2
    assert_two_lines(result, "--quality")


def test_a_device_that_is_not_there(write_song):
    result = msdm("separate", write_song(seconds=0.2), "--device", "cuda:77")
    assert result.returncode == 1
    assert_two_lines(result, "cuda:77")


def test_impute_lands_in_a_folder_named_after_the_input(write_song, tmp_path):
    drums = write_song("my drums.wav", seconds=1, rate=22050, channels=1)
    before = drums.read_bytes()
    result = msdm(
        "impute",
        "--given",
        "my drums.wav",
        "--target",
        "piano",
        "--steps",
        2,
        "--seed",
        1,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    files = sorted(path.name for path in (tmp_path / "my drums").iterdir())
    assert files == ["drums.wav", "mixture.wav", "msdm.json", "piano.wav"]
    assert drums.read_bytes() == before == (tmp_path / "my drums" / "drums.wav").read_bytes()


def test_variations_of_an_imputation_are_what_their_seeds_make(write_song, tmp_path):
    drums = write_song("drums.wav", seconds=1, rate=22050, channels=1)
    command = ("impute", "--given", drums, "--target", "piano", "--steps", 2)
    result = msdm(*command, "--seed", 4, "--variations", 2, "-o", tmp_path / "takes", "--json")
    assert result.returncode == 0, result.stderr
    assert [take["seed"] for take in json.loads(result.stdout)] == [4, 5]
    assert msdm(*command, "--seed", 5, "-o", tmp_path / "one").returncode == 0
    second = tmp_path / "takes" / "seed-5"
    assert sorted(path.name for path in second.iterdir()) == [
        "drums.wav",
        "mixture.wav",
        "msdm.json",
        "piano.wav",
    ]
    assert (second / "piano.wav").read_bytes() == (tmp_path / "one" / "piano.wav").read_bytes()
    assert (second / "piano.wav").read_bytes() != (
        tmp_path / "takes" / "seed-4" / "piano.wav"
    ).read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--given", "song.wav"),
        ("--given", "kazoo=song.wav"),
        ("--given", "bass=song.wav", "--target", "bass"),
        ("--given", "bass=song.wav", "--given", "bass=song.wav"),
        ("--given", "bass and drums.wav"),
        ("--given", "drums="),
        (),
    ],
)
def test_what_impute_cannot_understand_is_wrong_usage(arguments, tmp_path):
    result = msdm("impute", *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert_two_lines(result)
    assert "--given" in result.stderr or "--target" in result.stderr


def test_generate_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        result = msdm(
            "generate",
            "--seconds",
            1,
            "--seed",
            1,
            "--variations",
            2,
            "--steps",
            2,
            "-o",
            tmp_path / name,
        )
        assert result.returncode == 0, result.stderr
    for seed in (1, 2):
        for stem in (*STEMS, "mixture"):
            one, two = (tmp_path / name / f"seed-{seed}" / f"{stem}.wav" for name in ("a", "b"))
            assert one.read_bytes() == two.read_bytes()


def test_weights_list_path_verify():
    assert json.loads(msdm("weights", "list", "--json").stdout)["models"][0]["name"] == "embedded"
    assert Path(msdm("weights", "path").stdout.strip()).is_file()
    assert msdm("weights", "verify").returncode == 0
    unknown = msdm("weights", "path", "nonsense")
    assert unknown.returncode == 1
    assert_two_lines(unknown, "nonsense")


def separate_and_die(song, folder, how, after):
    """Run the command in a process that an exception or a signal stops at its ``after``-th chunk."""
    code = (
        (
            "import os, signal, sys, time, _thread\n"
            "import msdm_cli.tasks.separate as module\n"
            "from msdm_cli.cli.app import main\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs of a shell ignore it
            "inner, left = module.ChunkSampler.draw, [%d]\n"
            "def draw(*arguments):\n"
            "    left[0] -= 1\n"
            "    if left[0] == 0: %s\n"
            "    return inner(*arguments)\n"
            "module.ChunkSampler.draw = draw\n"
            f"sys.argv = ['msdm', 'separate', {str(song)!r}, '-o', {str(folder)!r}]\n"
            "main()\n"
        )
        % (after, how)
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("_thread.interrupt_main(); time.sleep(3)", 130),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    ],
)
def test_a_stopped_separation_goes_on(tmp_path, how, status):
    song = tmp_path / "long.wav"
    soundfile.write(song, music(22050 * 40, 1, 22050).T, 22050)
    stopped = separate_and_die(song, tmp_path / "stems", how, 3)
    assert stopped.returncode == status, stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert status != 130 or "goes on from here" in stopped.stderr
    assert not (tmp_path / "stems" / "long" / "bass.wav").exists()
    resumed = msdm("separate", song, "-o", tmp_path / "stems", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert re.search(
        "[23] chunks are done", resumed.stderr
    )  # one that has begun may still be finished
    (done,) = json.loads(resumed.stdout)
    whole = msdm("separate", song, "-o", tmp_path / "whole", "--seed", done["seed"])
    assert whole.returncode == 0, whole.stderr
    for stem in STEMS:
        one, two = (tmp_path / name / "long" / f"{stem}.wav" for name in ("stems", "whole"))
        assert one.read_bytes() == two.read_bytes()
    assert len(list((tmp_path / "stems" / "long").iterdir())) == 5
    assert msdm("check", tmp_path / "stems" / "long", song).stdout.endswith(
        "the stems sum to the song, exactly\n"
    )
    again = msdm("separate", song, "-o", tmp_path / "stems")
    assert again.returncode == 0
    assert "was there" in again.stdout


def test_a_folder_of_songs_with_names_of_ones_own(write_song, tmp_path):
    write_song("album/a.wav", 0.3)
    write_song("album/b.wav", 0.3)
    result = msdm(
        "separate", tmp_path / "album", "-o", tmp_path / "out", "--name", "{stem}/{track}.{ext}"
    )
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out" / "bass").iterdir()) == ["a.wav", "b.wav"]
    for name in ("{track}.{ext}", "{track}/{stem}.wav"):
        wrong = msdm("separate", tmp_path / "album", "--name", name)
        assert wrong.returncode == 2
        assert_two_lines(wrong, "--name")


def test_songs_at_once_are_the_same_songs(write_song, tmp_path):
    songs = [write_song(f"{name}.wav", 1, seed=index) for index, name in enumerate("abc")]
    for jobs in (1, 3):
        result = msdm("separate", *songs, "-o", tmp_path / str(jobs), "--seed", 1, "--jobs", jobs)
        assert result.returncode == 0, result.stderr
    for path in (tmp_path / "1").rglob("*.wav"):
        assert path.read_bytes() == (tmp_path / "3" / path.relative_to(tmp_path / "1")).read_bytes()


def test_pipes(write_song, tmp_path):
    song = write_song(seconds=0.5)
    command = [
        sys.executable,
        "-m",
        "msdm_cli",
        "separate",
        "-",
        "-o",
        "-",
        "--stems",
        "drums",
        "--seed",
        "1",
    ]
    piped = subprocess.run(
        command, input=song.read_bytes(), capture_output=True, check=True, timeout=300
    )
    assert (
        msdm("separate", song, "-o", tmp_path / "out", "--stems", "drums", "--seed", 1).returncode
        == 0
    )
    assert piped.stdout == (tmp_path / "out" / "song" / "drums.wav").read_bytes()
    wrong = msdm("separate", song, "-o", "-")
    assert wrong.returncode == 2
    assert_two_lines(wrong, "one stem of one song")
    os.mkfifo(tmp_path / "live.wav")
    with subprocess.Popen(["cp", song, tmp_path / "live.wav"]):
        live = msdm(
            "separate",
            tmp_path / "live.wav",
            "-o",
            tmp_path / "out",
            "--stems",
            "drums",
            "--seed",
            1,
        )
    assert live.returncode == 0, live.stderr
    assert (tmp_path / "out" / "live" / "drums.wav").read_bytes() == piped.stdout


def test_a_dry_run_does_nothing(write_song, tmp_path):
    song = write_song(seconds=1)
    for command in (
        ("separate", song),
        ("impute", "--given", f"drums={song}"),
        ("generate", "--seconds", 1),
    ):
        told = msdm(*command, "-o", tmp_path / "out", "--dry-run", "--json", "--seed", 1)
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)[0]["calls"] > 0
    told = msdm("separate", tmp_path / "none.wav", song, "-o", tmp_path / "out", "--dry-run")
    assert told.returncode == 1
    assert "nothing was done" in told.stdout
    assert "none.wav: no such file" in told.stderr
    assert not (tmp_path / "out").exists()


def test_results_are_made_again_from_their_manifest(write_song, tmp_path):
    assert msdm("separate", write_song(seconds=0.5), "-o", tmp_path / "one").returncode == 0
    result = msdm("rerun", tmp_path / "one" / "song" / "msdm.json", "-o", tmp_path / "two")
    assert result.returncode == 0, result.stderr
    assert "the same to the last bit" in result.stdout
    one, two = (tmp_path / name / "song" / "bass.wav" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_check_fails_for_stems_that_were_changed(write_song, tmp_path):
    assert msdm("separate", write_song(seconds=0.3), "-o", tmp_path).returncode == 0
    (tmp_path / "song" / "bass.wav").unlink()
    result = msdm("check", tmp_path / "song")
    assert result.returncode == 1
    assert "error: " in result.stderr
    assert_two_lines(msdm("check", tmp_path / "none"), "no such file")


def test_a_model_is_imported_used_and_removed(write_song, tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    torch.save(lightning_checkpoint()[1], tmp_path / "epoch=1.ckpt")
    imported = msdm("weights", "import", tmp_path / "epoch=1.ckpt", "--name", "mine")
    assert imported.returncode == 0, imported.stderr
    assert "mine" in msdm("weights", "list").stdout
    assert msdm("weights", "verify", "mine").returncode == 0
    song = write_song(seconds=0.5)
    options = ("--model", "mine", "--sampler", "dirac", "--steps", 2, "--seed", 1)
    result = msdm("separate", song, "-o", tmp_path / "stems", *options)
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / "stems" / "song").glob("*.wav"))) == 4
    assert msdm("weights", "remove", "mine").returncode == 0
    gone = msdm("separate", song, "--model", "mine")
    assert gone.returncode == 1
    assert_two_lines(gone, "no model is called mine")


def test_what_is_not_here_is_offered_and_not_fetched_offline(write_song, tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    offered = json.loads(msdm("weights", "list", "--json").stdout)["offered"]
    assert [model["name"] for model in offered] == ["msdm", "msdm-generation", "msdm-per-stem"]
    missing = msdm("separate", write_song(), "--model", "msdm-generation")
    assert missing.returncode == 1
    assert "msdm weights pull msdm" in missing.stderr
    offline = msdm("weights", "pull", "msdm", "--offline")
    assert offline.returncode == 1
    assert_two_lines(offline, "msdm is not on this machine")


def test_evaluate_separates_scores_and_goes_on(tmp_path, museval):
    for index, stem in enumerate(STEMS):
        path = tmp_path / "references" / "Track00001" / f"{stem}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, music(5 * 22050, 1, 22050, seed=index).T, 22050)
    (tmp_path / "references" / "Track00002").mkdir()
    command = ("evaluate", tmp_path / "references", tmp_path / "estimates")
    missing = msdm(*command)
    assert missing.returncode == 1
    assert_two_lines(missing, "has no stem")
    first = msdm(*command, "--separate", "embedded", "--json")
    assert first.returncode == 0, first.stderr
    assert msdm(*command, "--json").stdout == first.stdout
    other = msdm(*command, "--separate", "embedded", "--quality", "fast")
    assert other.returncode == 1
    assert "other settings" in other.stderr
    summaries = json.loads(first.stdout)
    assert [summary["method"] for summary in summaries] == [
        "estimates",
        "ideal binary mask",
        "ideal ratio mask",
    ]
    assert "SI-SDRi" in msdm(*command).stdout
    with_sdr = json.loads(msdm(*command, "--sdr", "--json").stdout)
    assert [set(summary["sdr"]) for summary in with_sdr] == [set(STEMS)] * 3
    assert (tmp_path / "estimates" / "sdr.csv").exists()


def test_a_tar_of_several_checkpoints_is_not_guessed_at(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "epoch=1.ckpt").write_bytes(b"x")
    with tarfile.open(tmp_path / "some.tar", "w") as tar:
        for name in ("one", "two"):
            tar.add(tmp_path / name, name)
    result = msdm("weights", "import", tmp_path / "some.tar", "--name", "mine")
    assert result.returncode == 1
    assert_two_lines(result, "holds 2 checkpoints", "one, two")
