"""ONNX Runtime tells nobody that it is used: it writes no file of its own and opens no socket.

From 1.29 on it would, on Linux too: a device id and a database at once, a socket after 10 s.
"""

from pathlib import Path

import onnxruntime
import pytest
from conftest import list_files
from sealed import KILLED, run_sealed

SONG = Path(__file__).parents[1] / "data" / "song.flac"
FIRST_WITH_TELEMETRY = (1, 29)


@pytest.fixture
def places(tmp_path):
    """Empty folders where a program may leave something, as the environment names them."""
    found = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "temporary"}
    for folder in found.values():
        folder.mkdir()
    return {name: str(folder) for name, folder in found.items()}


def list_left(places):
    return [file for folder in places.values() for file in list_files(Path(folder))]


def test_a_socket_ends_a_sealed_process():
    assert run_sealed("import socket; socket.socket()").returncode == KILLED
    assert run_sealed("import socket; socket.socketpair()").returncode == 0


def test_without_our_setting_it_would_leave_files(places):
    version = tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])
    if version < FIRST_WITH_TELEMETRY:
        pytest.skip(f"ONNX Runtime {onnxruntime.__version__} has no telemetry on Linux")
    assert run_sealed("import onnxruntime", **places).returncode in (0, KILLED)
    assert list_left(places)


@pytest.mark.parametrize("command", ["separate", "doctor"])
def test_nothing_is_left_and_no_socket_opened(tmp_path, places, command):
    words = ("separate", SONG, "--backend", "onnx", "-o", tmp_path / "out", "--duration", "0.5")
    code = {
        "separate": (
            "import sys\n"
            f"sys.argv = ['msdm', *{list(map(str, words))!r}]\n"
            "from msdm_cli.cli.app import main\n"
            "main()\n"
        ),
        # without the network calls that measure the speed
        "doctor": "from msdm_cli.cli.examine import examine\nprint(*examine(), sep='\\n')\n",
    }[command]
    result = run_sealed(code, **places)
    assert result.returncode == 0, result.stderr
    assert "onnx" in result.stdout
    assert list_left(places) == []
