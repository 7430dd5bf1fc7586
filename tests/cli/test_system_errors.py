import errno
import os

import pytest

from msdm_cli.cli.hints import find_hint
from msdm_cli.cli.system_errors import describe_failure
from msdm_cli.errors import ResultsExist


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "Make room on the disk, or choose another folder with -o."),
        (errno.EACCES, "You may not write there: change its rights, or choose another folder"),
        (errno.EROFS, "You may not write there"),
        (errno.ENAMETOOLONG, "Choose a shorter name."),
        (errno.EMFILE, "Let more files be open"),
        (errno.ENOTDIR, "Choose another folder with -o."),
    ],
)
def test_the_hint_follows_the_number(number, hint):
    described = describe_failure(OSError(number, os.strerror(number), "some/file"))
    assert described.message == f"some/file: {os.strerror(number).lower()}"
    assert find_hint(described).startswith(hint)


def test_an_error_without_a_number_has_a_neutral_hint():
    described = describe_failure(OSError("odd"))
    assert described.message == "odd"
    assert find_hint(described) == "Choose another folder with -o."
    assert describe_failure(OSError()).message == "oserror"


def test_full_memory():
    assert "memory" in describe_failure(MemoryError()).message


def test_errors_of_msdm_stay():
    error = ResultsExist("what", "remedy")
    assert describe_failure(error) is error
