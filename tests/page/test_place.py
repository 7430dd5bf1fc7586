from pathlib import Path

import pytest

from msdm_cli.errors import ResultsExist, UnwritableResults
from msdm_cli.page.place import is_ours, place_page, save_page
from msdm_cli.page.template import Page

PAGE = Page("title", "summary", 1.0, [])


def test_a_page_lies_beside_its_manifest():
    assert place_page(Path("a/msdm.json")) == Path("a/index.html")
    assert place_page(Path("a/song-msdm.json")) == Path("a/song-index.html")
    assert place_page(Path("msdm/song 1.5.json")) == Path("msdm/song 1.5.html")


def test_a_page_of_ours_is_replaced_and_no_other(tmp_path):
    path = tmp_path / "index.html"
    save_page(PAGE, path)
    assert is_ours(path)
    first = path.read_bytes()
    save_page(PAGE, path)
    assert path.read_bytes() == first  # nothing in it changes from day to day
    path.write_text("<p>mine</p>")
    with pytest.raises(ResultsExist, match="stays as it is"):
        save_page(PAGE, path)
    assert path.read_text() == "<p>mine</p>"
    assert not is_ours(tmp_path / "none.html")


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(UnwritableResults, match="cannot be written"):
        save_page(PAGE, tmp_path / "none" / "index.html")
