"""The part of a file, and what is known of the file."""

import pytest

from msdm_cli.models.part_file import PartFile, Version, discard, was_fetched

URL = "https://host/a.tar"
VERSION = Version(URL, 10, etag='"one"')


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tar"


def test_it_has_its_name_when_it_is_complete(path):
    with PartFile(path, URL) as file:
        file.begin(VERSION)
        file.append(b"01234")
        assert not path.exists()
        file.append(b"56789")
        file.complete()
    assert path.read_bytes() == b"0123456789"
    assert was_fetched(path)
    discard(path)
    assert list(path.parent.iterdir()) == []
    discard(path)


def test_it_goes_on_where_it_was(path):
    with PartFile(path, URL) as file:
        assert not file.can_continue
        file.begin(VERSION)
        file.append(b"01234")
    with PartFile(path, URL) as file:
        assert file.can_continue
        assert (file.version, file.size) == (VERSION, 5)
        file.append(b"56789")
        file.complete()
    assert path.read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("version", "url"),
    [
        (VERSION, "https://host/b.tar"),
        (Version(URL, 10), URL),
        (Version(URL, 10, etag='W/"weak"'), URL),
        (Version(URL, None, etag='"one"'), URL),
        (Version(URL, 5, etag='"one"'), URL),
        (Version(URL, 4, etag='"one"'), URL),
    ],
)
def test_what_may_be_of_another_file_does_not_go_on(path, version, url):
    with PartFile(path, URL) as file:
        file.begin(version)
        file.append(b"01234")
    with PartFile(path, url) as file:
        assert not file.can_continue


def test_a_new_beginning_forgets_the_old(path):
    with PartFile(path, URL) as file:
        file.begin(VERSION)
        file.append(b"01234")
        file.begin(Version(URL, 2))
        file.append(b"ab")
        file.complete()
    assert path.read_bytes() == b"ab"


def test_a_date_or_a_strong_etag_is_what_a_server_compares():
    assert Version(URL, 1, '"one"', "Monday").validator == '"one"'
    assert Version(URL, 1, 'W/"one"', "Monday").validator == "Monday"
    assert Version(URL, 1, digest="crc32c=A").validator == ""
    assert Version(URL, 1, digest="crc32c=A").tells


def test_an_error_of_the_disk_says_which_file(path, limit_file_size):
    with PartFile(path, URL) as file:
        file.begin(VERSION)
        with limit_file_size(5), pytest.raises(OSError, match=r"a\.tar\.part"):
            file.append(b"0123456789")


def test_no_folder_is_opened(path):
    path.with_name("a.tar.part").mkdir()
    with pytest.raises(OSError, match=r"a\.tar\.part"):
        PartFile(path, URL)
