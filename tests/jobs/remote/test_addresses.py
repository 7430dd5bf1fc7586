from pathlib import Path

import pytest

from msdm_cli.jobs.remote.addresses import (
    has_address,
    is_address,
    is_word_address,
    stay_here,
    to_address,
)


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket/album/a song.flac",
        "file:///shared/a.wav",
        "ssh://me@host:22/home/me/a.wav",
        "memory://a.wav",
        "S3://bucket/a.wav",
    ],
)
def test_an_address_travels_as_a_path(address):
    path = Path(address)
    assert is_word_address(address)
    assert is_address(path)
    assert to_address(path) == address
    assert to_address(path.parent / "b.wav") == address.rpartition("/")[0] + "/b.wav"


@pytest.mark.parametrize("name", ["a.wav", "/tmp/a.wav", "C:\\a.wav", "c:/a.wav", "../a:b", "-"])
def test_other_paths_are_no_addresses(name):
    assert not is_address(Path(name))
    assert not is_word_address(name)
    assert to_address(Path(name)) == str(Path(name))


def test_a_job_has_an_address_in_its_inputs_or_results():
    here, there = Path("a.wav"), Path("s3://bucket/a.wav")
    assert not has_address({"song": here}, here)
    assert has_address({"song": there}, here)
    assert has_address({}, there)


def test_a_path_of_this_machine_is_no_address():
    for name in ("a.wav", "../a:b", "/live:/a.wav", "stems/live:"):
        assert stay_here(Path(name)) == Path(name)
    for name in ("live:/a.wav", "live:"):
        assert stay_here(Path(name)) == Path(name).absolute()
        assert not is_address(stay_here(Path(name)) / "a.wav")
