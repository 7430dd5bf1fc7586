"""Lists of songs. tests/cli/test_songs.py has what their words mean."""

import os
import threading
from pathlib import Path

import pytest

from msdm_cli.cli import song_lists
from msdm_cli.cli.song_lists import read_list
from msdm_cli.errors import UnreadableList


def test_words_are_lines_without_comments(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone.wav\r\n# two\n\n  three \xff.wav \n")
    words = read_list(str(tmp_path / "a.txt"))
    assert words == ["one.wav", os.fsdecode(b"three \xff.wav")]


def test_a_name_may_have_what_python_takes_for_the_end_of_a_line(tmp_path):
    names = ["a\u2028b.wav", "c\x85.wav", "d\x0c.wav", "\xa0e.wav"]
    (tmp_path / "a.txt").write_bytes("\r".join(names).encode())
    assert read_list(str(tmp_path / "a.txt")) == names


def test_a_folder_is_no_list(tmp_path):
    with pytest.raises(UnreadableList, match=r"cannot be read \((Is a directory|.*denied)\)"):
        read_list(str(tmp_path))


def test_a_list_without_end_is_refused(tmp_path):
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(1 << 40)  # a hole, which takes no room
    for path in (tmp_path / "a.txt", Path("/dev/zero")):
        with pytest.raises(UnreadableList, match=r"more than 16 MB|cannot be read"):
            read_list(str(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs Unix")
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(song_lists, "QUIET_SECONDS", 0.01)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableList, match="nothing comes"):
        read_list(str(tmp_path / "pipe"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs Unix")
def test_a_list_may_be_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("one.wav\n"))
    writer.start()
    assert read_list(str(pipe)) == ["one.wav"]
    writer.join()
