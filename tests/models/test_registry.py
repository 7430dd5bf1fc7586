import hashlib
import json

import pytest

from msdm_cli.errors import MissingWeights, UnknownModel
from msdm_cli.models import registry
from msdm_cli.models.registry import EMBEDDED, find_entry, load_archives, load_registry
from msdm_cli.models.verify import check_file

FILE = {"name": "a", "sha256": "b", "size_bytes": 1}
ENTRY = {"description": "a model", "licence": "MIT", "weights": FILE, "spec": FILE}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path))
    return tmp_path


def write_entry(cache, name, content):
    (cache / name).mkdir()
    (cache / name / "entry.json").write_text(content)


def test_the_shipped_files_are_those_of_the_registry():
    entry = find_entry(EMBEDDED)
    assert len(entry.files) == 7
    for file in entry.files:
        assert check_file(entry, file).stat().st_size == file.size_bytes


def test_the_embedded_model_fits_in_the_wheel():
    assert sum(file.size_bytes for file in find_entry("embedded").files) < 50_000_000


def test_a_model_of_the_cache_has_its_files_there(cache):
    write_entry(cache, "mine", json.dumps(ENTRY))
    entry = load_registry()["mine"]
    assert (entry.name, entry.folder, entry.onnx) == ("mine", cache / "mine", None)
    assert entry.weights.size_bytes == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ("{}", "missing required field `description`"),
        ('{"a": ' + "[" * 100_000, "recursion"),
        (json.dumps(ENTRY | {"weights": FILE | {"name": "../a"}}), "expected the name of a file"),
        (json.dumps(ENTRY | {"weights": 3}), "Expected `object`, got `int` - at `\\$.weights`"),
        (json.dumps(ENTRY | {"onnx": {"name": "a"}}), "missing required field `sha256`"),
    ],
)
def test_a_damaged_entry_of_the_cache_does_not_stop_what_ships(cache, content, reason):
    write_entry(cache, "mine", content)
    assert find_entry("embedded").name == "embedded"
    with pytest.raises(MissingWeights, match=f"mine.*is damaged .*{reason}"):
        find_entry("mine")


def test_stages_have_files_of_their_own(cache):
    stages = {name: FILE | {"name": name, "sha256": name} for name in ("sketch", "sound")}
    for name, content in (("one", ENTRY), ("three", ENTRY | {"stages": stages})):
        write_entry(cache, name, json.dumps(content))
    one, three = find_entry("one"), find_entry("three")
    assert one.weights_sha256 == "b"
    assert [file.name for file in three.files] == ["a", "a", "sketch", "sound"]
    assert three.weights_sha256 == hashlib.sha256(b"bsketchsound").hexdigest()
    assert three.find_weights("") == three.weights
    assert three.find_weights("sound").name == "sound"
    with pytest.raises(MissingWeights, match="the model one has no weights of its stage sketch"):
        one.find_weights("sketch")


def test_an_unknown_name_is_refused(cache):
    with pytest.raises(UnknownModel, match="no model is called nonsense"):
        find_entry("nonsense")


def test_a_model_that_can_be_fetched_is_named_with_its_archive(cache):
    archives = load_archives()
    assert archives["msdm-per-stem"].models[0].checkpoints[0] == "laced-dream-329"
    with pytest.raises(MissingWeights) as caught:
        find_entry("msdm-generation")
    assert "archive msdm first" in caught.value.remedy


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', '{"a": {"models": {"b": {}}}}'])
def test_a_damaged_list_of_archives_is_an_error(tmp_path, monkeypatch, content):
    monkeypatch.setattr(registry, "weights_folder", lambda: tmp_path)
    (tmp_path / "archives.json").write_text(content)
    with pytest.raises(MissingWeights, match=r"archives\.json: is damaged"):
        load_archives()
