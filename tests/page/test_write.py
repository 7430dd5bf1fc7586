import pytest
from conftest import generate, separate

from msdm_cli.errors import MissingStems, ResultsExist
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.page.place import compares_takes, is_ours
from msdm_cli.page.write import find_takes, write_gallery, write_page


def test_the_page_lies_beside_what_it_shows(tiny_model, write_song, tmp_path):
    flat = OutputOptions(name="{track}-{stem}.{ext}")
    result = separate(tiny_model, write_song(seconds=0.3), tmp_path / "flat", output=flat)
    assert write_page(result.manifest) == tmp_path / "flat" / "song-index.html"
    write_song("any/kazoo.wav", seconds=0.2)
    assert write_page(tmp_path / "any") == tmp_path / "any" / "index.html"


def test_a_gallery_and_the_pages_of_its_takes(tiny_model, tmp_path):
    for seed in (1, 2):
        generate(tiny_model, tmp_path / "takes", 0.4, seed=seed)
    (tmp_path / "takes" / "seed-3").mkdir()
    (tmp_path / "takes" / "seed-3" / "msdm.json").write_text("damaged")
    folder = tmp_path / "takes"
    assert [path.parent.name for path in find_takes(folder)] == ["seed-1", "seed-2"]
    assert write_gallery(folder) == folder / "index.html"
    assert compares_takes(folder / "index.html")
    assert is_ours(folder / "seed-2" / "index.html")
    assert not compares_takes(folder / "seed-2" / "index.html")


def test_a_gallery_spares_the_page_of_results_in_its_folder(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.3), tmp_path)
    folder = result.manifest.parent
    page = write_page(result.manifest)
    for seed in (1, 2):
        generate(tiny_model, folder, 0.4, seed=seed)
    assert write_gallery(folder) == folder / "takes.html"
    assert compares_takes(folder / "takes.html")
    assert not compares_takes(page)
    (folder / "takes.html").replace(page)
    assert write_page(result.manifest) == page
    assert compares_takes(folder / "takes.html")
    assert not compares_takes(page)


def test_another_file_is_in_the_way_before_anything_is_measured(write_song, tmp_path, monkeypatch):
    write_song("any/kazoo.wav", seconds=0.2)
    (tmp_path / "any" / "index.html").write_text("mine")
    monkeypatch.setattr("msdm_cli.page.write.build_page", None)
    with pytest.raises(ResultsExist, match=r"index\.html"):
        write_page(tmp_path / "any")


def test_no_page_is_written_through_a_link(tiny_model, tmp_path):
    made = [
        generate(tiny_model, tmp_path / "made", 0.3, seed=seed, track=str(seed)) for seed in (1, 2)
    ]
    folder = tmp_path / "takes"
    folder.mkdir()
    first, second = (result.manifest.parent for result in made)
    first.rename(folder / "1")
    (folder / "2").symlink_to(second)
    assert find_takes(folder) == [folder / "1" / "msdm.json"]
    write_gallery(folder)
    assert not (second / "index.html").exists()


def test_folders_without_takes(tmp_path):
    assert find_takes(tmp_path) == []
    with pytest.raises(MissingStems):
        find_takes(tmp_path / "none")
