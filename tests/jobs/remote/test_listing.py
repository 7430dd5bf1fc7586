from pathlib import Path

import pytest

from msdm_cli.errors import InputError
from msdm_cli.jobs.remote.addresses import to_address
from msdm_cli.jobs.remote.listing import list_songs

SUFFIXES = (".wav", ".flac")


def put(memory, *names):
    for name in names:
        memory.pipe_file(f"/{name}", name.encode())


def list_names(word):
    return [path.name for path in list_songs(Path(word), SUFFIXES, "msdm.json")]


def test_songs_of_folders_and_patterns_without_results(memory):
    put(memory, "in/b.wav", "in/a.FLAC", "in/c/d.wav", "in/.hidden.wav", "in/text.txt")
    put(memory, "in/stems/a/bass.wav", "in/stems/a/msdm.json")
    assert list_names("memory://in") == ["a.FLAC", "b.wav", "d.wav"]
    assert list_names("memory://in/*.wav") == ["b.wav"]
    assert list_names("memory://in/b.wav") == ["b.wav"]
    assert list_names("memory://nothing/*.wav") == []


def test_a_host_stays_in_the_names_of_songs(memory, monkeypatch):
    put(memory, "in/a.wav", "in/b/c.wav")
    monkeypatch.setattr(
        "fsspec.core.url_to_fs", lambda address: (memory, address.removeprefix("ssh://me@host:22"))
    )
    for word in ("ssh://me@host:22/in", "ssh://me@host:22/in/", "ssh://me@host:22/in/*.wav"):
        found = [to_address(path) for path in list_songs(Path(word), SUFFIXES, "msdm.json")]
        assert found[0] == "ssh://me@host:22/in/a.wav"
        assert found[1:] in ([], ["ssh://me@host:22/in/b/c.wav"])


def test_a_name_with_brackets_is_no_pattern(memory):
    put(memory, "in/a [live].wav", "in/al.wav")
    assert list_names("memory://in/a [live].wav") == ["a [live].wav"]
    assert list_names("memory://in/a[l].wav") == ["al.wav"]
    put(memory, "in/who?.wav")
    assert list_names("memory://in/who?.wav") == ["who?.wav"]


def test_a_storage_that_refuses_is_said_with_its_address():
    with pytest.raises(InputError, match=r"refusing://bucket/in: cannot be listed .*Access Denied"):
        list_names("refusing://bucket/in")
