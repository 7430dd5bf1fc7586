import os
from pathlib import Path

import pytest

from msdm_cli.cli.folding import Folded, escape, fold, list_files, shorten, shorten_names


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain text, ü, 音", "plain text, ü, 音"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("\x9b2J", "\\x9b2J"),
        ("bad\udcff", "bad\\udcff"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("a\u2028error: b\u2029", "a\\u2028error: b\\u2029"),
        ("\u200fa\u061c", "\\u200fa\\u061c"),
    ],
)
def test_text_cannot_control_the_terminal(text, safe):
    assert escape(text) == safe


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("stems/a/bass.wav", 20, ["stems/a/bass.wav"]),
        ("stems/a/bass.wav", 10, ["stems/a/", "bass.wav"]),
        ("one two three", 8, ["one two", "three"]),
        ("out/my song/a b.wav, c d.wav", 13, ["out/my song/", "a b.wav,", "c d.wav"]),
        ("a,b and c", 5, ["a,b", "and c"]),
        ("a/verylongname.wav b", 6, ["a/", "verylongname.wav", "b"]),
        ("first\nsecond line", 40, ["first", "second line"]),
        ("C:\\music\\song.wav", 9, ["C:\\music\\", "song.wav"]),
        ("歌歌 歌歌", 5, ["歌歌", "歌歌"]),  # two cells each
        ("", 5, []),
    ],
)
def test_lines_end_at_separators(text, width, lines):
    assert fold(text, width) == lines


def test_the_longest_piece_is_the_narrowest_width():
    assert Folded("stems/my song/bass.wav").narrowest == len("bass.wav")
    assert Folded("").narrowest == 0


def test_a_name_is_cut_at_its_end():
    assert shorten("a name", 6) == "a name"
    assert shorten("a longer name", 6) == "a lon…"


def test_names_are_as_short_as_they_differ():
    names = [str(Path(name)) for name in ("x/a.wav", "y/a.wav", "y/b.wav", "seed 3")]
    short = shorten_names(names)
    assert [short[name] for name in names] == [names[0], names[1], "b.wav", "seed 3"]
    assert shorten_names(["/music/one.wav"]) == {"/music/one.wav": "one.wav"}


def test_very_many_names_are_shortened_in_proportional_time():
    names = [f"/music/{number}/song.wav" for number in range(20_000)]
    assert shorten_names(names)[names[7]] == str(Path("7/song.wav"))  # minutes, if by pairs


def test_files_are_listed_by_folder():
    paths = [Path("out/a/bass.wav"), Path("out/a/drums.wav"), Path("out/other.wav")]
    expected = [f"{Path('out/a')}{os.sep}", "bass.wav, drums.wav", str(Path("out/other.wav"))]
    assert list_files(paths).split("\n") == expected
    assert list_files([]) == ""
    assert list_files([Path("a\nb/x.wav"), Path("a\nb/y.wav")]) == f"a\\nb{os.sep}\nx.wav, y.wav"
