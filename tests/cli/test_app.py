"""The command ``msdm`` as a whole: its help, its exit codes, and what it imports."""

import json
import os
import subprocess
import sys

import pytest
import typer
from conftest import BY_POST
from run_msdm import msdm

from msdm_cli.cli.app import app
from msdm_cli.jobs.executors import EXECUTORS

HEAVY = ("torch", "onnxruntime", "numba", "numpy", "soundfile")
LATER = ("av", "msgspec", "platformdirs", "rich")
"""Packages that work needs, and that would make the help half as slow again."""
COMMANDS = dict(typer.main.get_command(app).commands)
WEIGHTS = {f"weights {name}": command for name, command in COMMANDS["weights"].commands.items()}


@pytest.mark.parametrize("arguments", [("--help",), ("separate", "--help"), ("--version",)])
def test_what_needs_no_model_imports_nothing_heavy(arguments):
    code = (
        "import sys\n"
        f"sys.argv = ['msdm', *{arguments!r}]\n"
        "from msdm_cli.cli.app import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        f"print([name for name in {HEAVY + LATER!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "weights"] + [*WEIGHTS])
def test_every_command_explains_itself_and_its_options(name):
    command = {**COMMANDS, **WEIGHTS}[name]
    result = msdm(*name.split(), "--help", columns=80)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"Usage: msdm {name}")
    assert lines[2].strip().endswith(".")
    assert max(map(len, lines)) <= 80
    for parameter in command.params:
        assert parameter.help.strip(), parameter.name
        shown = [word for word in parameter.opts if word.startswith("--")]
        assert all(word in result.stdout for word in shown)


@pytest.mark.parametrize("command", ["impute", "generate"])
def test_the_help_says_how_the_music_of_the_embedded_model_sounds(command):
    assert "is simple" in " ".join(msdm(command, "--help").stdout.split())


@pytest.mark.parametrize("group", [(), ("weights",)])
def test_each_command_fits_into_a_line_of_the_list(group):
    lines = msdm(*group, "--help").stdout.partition("Commands:")[2].splitlines()
    assert len(lines) > 5
    assert not [line for line in lines if line.endswith("...")]


def test_no_arguments_at_all_show_the_help():
    result = msdm()
    assert result.returncode == 2
    assert result.stderr.startswith("Usage: msdm")
    assert "separate" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("separate",),
        ("separate", "--nonsense"),
        ("generate", "--style", "a\nerror: \x1b[2Jforged"),
        ("sep\narate",),
    ],
)
def test_wrong_usage_is_two_lines(arguments):
    msdm(*arguments).assert_two_lines("--help", returncode=2)


@pytest.mark.parametrize("command", ["separate", "impute", "generate"])
def test_onnx_does_not_need_torch(write_song, tmp_path, command):
    song = write_song("drums.wav", seconds=0.5, channels=1)
    arguments = {
        "separate": [str(song)],
        "impute": ["--given", str(song), "--target", "piano", "--steps", "2"],
        "generate": ["--seconds", "0.5", "--steps", "2"],
    }[command]
    output = ["--backend", "onnx", "--json", "-o", str(tmp_path / "out")]
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"  # importing it raises
        f"sys.argv = ['msdm', {command!r}, *{arguments!r}, *{output!r}]\n"
        "from msdm_cli.cli.app import main\n"
        "main()\n"
    )
    program = [sys.executable, "-c", code]
    result = subprocess.run(program, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert len(done["files"]) == {"separate": 4, "impute": 3, "generate": 5}[command]


@pytest.mark.usefixtures("pages")
def test_a_finished_batch_is_recognised_without_a_backend(write_song, tmp_path):
    songs = [write_song(f"{name}.wav", seconds=0.3, channels=1) for name in "ab"]
    command = ("separate", *map(str, songs), "-o", str(tmp_path / "out"), "--json", "--seed", "3")
    first = json.loads(msdm(*command).stdout)
    code = (
        "import sys\n"
        "for name in ('torch', 'onnxruntime', 'av'):\n"
        "    sys.modules[name] = None\n"  # importing it raises
        f"sys.argv = ['msdm', *{command!r}]\n"
        "from msdm_cli.cli.app import main\n"
        "main()\n"
    )
    program = [sys.executable, "-c", code]
    result = subprocess.run(program, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    again = json.loads(result.stdout)
    assert [entry["skipped"] for entry in again] == [True, True]
    assert [entry["files"] for entry in again] == [entry["files"] for entry in first]


def test_an_executor_is_chosen_by_its_name(write_song, tmp_path, monkeypatch):
    monkeypatch.setitem(EXECUTORS, "post", BY_POST)
    song = write_song(seconds=0.3)
    for name in ("post", "threads"):
        result = msdm("separate", song, "-o", tmp_path / name, "--executor", name, "--json")
        assert result.returncode == 0, result.stderr
    one, two = ((tmp_path / name / "song" / "bass.wav") for name in ("post", "threads"))
    assert one.read_bytes() == two.read_bytes()
    unknown = msdm("separate", song, "--executor", "elves")
    unknown.assert_two_lines("elves is none of serial, threads, ray, post", returncode=2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--provider", "coreml"), "coreml"),
        (("--backend", "onnx", "--device", "mps"), "mps"),
        (("--backend", "onnx", "--precision", "bf16"), "exported in fp32"),
        (("--device", "cuda:77"), "cuda:77"),
    ],
)
def test_a_backend_that_is_missing_is_never_replaced(write_song, tmp_path, options, words):
    result = msdm("separate", write_song(seconds=0.2), "-o", tmp_path / "stems", *options)
    result.assert_two_lines(words)
    assert "--" in result.stderr.splitlines()[1]
    assert not (tmp_path / "stems").exists()


@pytest.mark.parametrize("command", [("separate", "a.wav"), ("impute", "--given", "bass=a.wav")])
@pytest.mark.parametrize(
    ("options", "known"),
    [
        (("--device", "gpu"), "auto, cpu, cuda, mps"),
        (("--model", "nonsense"), "embedded"),
        (("--backend", "jax"), "auto, torch, onnx"),
    ],
)
def test_what_is_unknown_is_wrong_usage_with_the_list(command, options, known):
    msdm(*command, *options).assert_two_lines(options[1], known, returncode=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("separate", "a.wav", "--start", "x"),
        ("separate", "a.wav", "--duration", "1:99"),
        ("generate", "--seconds", "-1"),
    ],
)
def test_a_time_that_is_none_is_wrong_usage(arguments):
    result = msdm(*arguments)
    result.assert_two_lines("is no time: write seconds (90), 1:30", returncode=2)
    assert "Value error" not in result.stderr


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "x"), MemoryError()])
def test_an_error_of_the_system_is_two_lines(monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr("msdm_cli.cli.weights.load_registry", fail)
    msdm("weights", "list").assert_two_lines()


def test_a_shell_completes_commands_options_and_values():
    def complete(words, count):
        environment = {
            "_MSDM_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(count),
        }
        program = [sys.executable, "-m", "msdm_cli"]
        ended = subprocess.run(
            program, capture_output=True, text=True, env={**os.environ, **environment}, check=False
        )
        assert ended.stderr == ""
        return ended.stdout.split()

    assert complete("msdm sep", 1) == ["separate"]
    assert "--quality" in complete("msdm separate --q", 2)
    assert complete("msdm separate --device cu", 3) == ["cuda"]
    assert "--install-completion" in msdm("--help").stdout
