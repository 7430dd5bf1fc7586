import dataclasses
import json
import os

import pytest
from conftest import STEMS, list_files, request_separation, separate

from msdm_cli.audio.source import AudioProperties
from msdm_cli.digest import digest_file
from msdm_cli.errors import UnreadableManifest, UnwritableResults
from msdm_cli.jobs.manifest import (
    FORMAT,
    Facts,
    FileRecord,
    Manifest,
    describe_files,
    load_manifest,
)
from msdm_cli.jobs.output import OutputOptions


def test_it_describes_what_was_made_and_how(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    fields = {"quality": "default", "output": OutputOptions(subtype="PCM_24")}
    result = separate(tiny_model, song, tmp_path / "out", **fields)
    assert result.manifest == tmp_path / "out" / "song" / "msdm.json"
    manifest = load_manifest(result.manifest)
    request = request_separation(tiny_model, song, tmp_path / "out", **fields)
    assert manifest.parse_request() == request
    assert manifest.identity["inputs"] == {"song": digest_file(song)}
    assert manifest.identity["options"]["preset"]["warm_start"] is True
    assert manifest.seed == 5
    assert manifest.format == FORMAT
    for stem in STEMS:
        path = result.files[stem]
        assert manifest.files[stem] == FileRecord(
            f"{stem}.wav", digest_file(path), path.stat().st_size
        )
    facts = manifest.facts
    assert (facts.properties.frames, facts.properties.subtype) == (22050, "PCM_16")
    assert (facts.subtype_written, facts.calls, facts.exact) == ("PCM_24", 5, True)
    assert facts.seconds > 0
    assert facts.more["seams"]["joins"] == 0


def make_manifest(**fields):
    facts = Facts(
        AudioProperties(44100, 2, 100, "PCM_16"), "PCM_24", 7, 0.5, -6.0, null_db=-140.0, clipped=2
    )
    return Manifest(
        **{
            "request": {"task": "separate"},
            "identity": {"options": {"seed": 1}},
            "files": {"bass": FileRecord("bass.wav", "abc", 3)},
            "facts": facts,
        }
        | fields
    )


def test_it_is_written_as_a_whole_and_nothing_beside_it(tmp_path):
    path = tmp_path / "msdm.json"
    path.write_text("before")
    make_manifest().save(path)
    described = json.loads(path.read_text())
    assert described["files"] == {"bass": {"path": "bass.wav", "sha256": "abc", "size_bytes": 3}}
    assert described["facts"]["properties"]["frames"] == 100
    assert list_files(tmp_path) == ["msdm.json"]


def test_a_manifest_that_cannot_be_written_is_an_error(tmp_path, limit_file_size):
    path = tmp_path / "msdm.json"
    path.write_text("before")
    with (
        pytest.raises(UnwritableResults, match=r"msdm\.json: cannot be written"),
        limit_file_size(10),
    ):
        make_manifest().save(path)
    assert path.read_text() == "before"


def test_records_are_relative_to_the_manifest(tmp_path):
    file = tmp_path / ".bass.wav.part"
    file.write_bytes(b"abc")
    paths = {"bass": tmp_path / "bass" / "song.wav"}
    (record,) = describe_files({"bass": file}, paths, tmp_path / "msdm").values()
    assert record == FileRecord("../bass/song.wav", digest_file(file), 3)


@pytest.mark.parametrize(
    "change",
    [
        {"request": 1},
        {"request": {}},
        {"request": {"task": "separate"}},
        {"identity": {}},
        {"identity": {"inputs": {}, "weights_sha256": "", "options": {"seed": 1}}},
        {"facts": {}},
        {"facts": None},
        {"files": {"bass": {}}},
        {"files": None},
        {"format": FORMAT + 1},
    ],
)
def test_what_only_looks_like_a_manifest_is_refused(tiny_model, write_song, tmp_path, change):
    result = separate(tiny_model, write_song(seconds=0.2), tmp_path)
    described = json.loads(result.manifest.read_text())
    result.manifest.write_text(json.dumps(described | change))
    with pytest.raises(UnreadableManifest, match="not a manifest of this version of msdm"):
        load_manifest(result.manifest)


@pytest.mark.parametrize("seconds", [0.1, 60])
def test_a_sound_is_no_manifest_however_long(write_song, seconds):
    song = write_song("a song.WAV", seconds)
    with pytest.raises(UnreadableManifest, match=r"a song\.WAV: is a sound") as found:
        load_manifest(song)
    assert found.value.remedy.startswith("Name the folder")


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("request", "start_seconds", -1),
        ("request", "duration_seconds", -1e300),
        ("request", "output", {"rate": 10**12}),
        ("request", "output", {"name": "{track:>3000000000}/{stem}.{ext}"}),
        ("request", "options", {"overlap": 1e9}),
        ("request", "options", {"preset": {"sampler": "regression", "estimates": 10**9}}),
        ("identity", "runtime", {"device": 1e9}),
        ("identity", "runtime", {"device": "cpu," * 1000}),
        ("identity", "runtime", {"threads": 1.5}),
        ("identity", "runtime", {"backend": "\n" + 5000 * "x"}),
        ("request", "task", 5000 * "x"),
        ("identity", "versions", 1e9),
        ("identity", "versions", {"torch": ["2"]}),
        ("identity", "inputs", {"song": 1}),
        ("identity", "weights_sha256", None),
        ("identity", "options", {"seed": "1"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_manifest_of_strange_values_is_refused(
    tiny_model, write_song, tmp_path, part, field, value
):
    result = separate(tiny_model, write_song(seconds=0.2), tmp_path)
    described = json.loads(result.manifest.read_text())
    before = described[part][field]
    mergeable = isinstance(value, dict) and isinstance(before, dict)
    described[part][field] = before | value if mergeable else value
    result.manifest.write_text(json.dumps(described))
    with pytest.raises(UnreadableManifest, match="not a manifest of this version of msdm") as found:
        load_manifest(result.manifest)
    assert "\n" not in found.value.message
    assert len(found.value.message) < 500 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("weights_sha256", 3),
        ("weights_sha256", None),
        ("inputs", {"song": 3}),
        ("inputs", None),
        ("options", None),
        ("options", {"seed": "one"}),
    ],
)
def test_an_identity_that_cannot_be_compared_is_refused(
    tiny_model, write_song, tmp_path, key, value
):
    result = separate(tiny_model, write_song(seconds=0.2), tmp_path)
    described = json.loads(result.manifest.read_text())
    described["identity"][key] = value
    result.manifest.write_text(json.dumps(described))
    with pytest.raises(UnreadableManifest, match="not a manifest of this version of msdm"):
        load_manifest(result.manifest)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"request": {}}']
)
def test_any_other_file_is_refused(tmp_path, content):
    path = tmp_path / "msdm.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableManifest, match="not a manifest of this version of msdm"):
        load_manifest(path)


def test_a_manifest_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UnreadableManifest, match="no such file"):
        load_manifest(tmp_path / "msdm.json")


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
@pytest.mark.parametrize("name", ["A: intro", "..and then", "back\\slash"])
def test_names_that_only_look_like_ways_out_are_names(tiny_model, write_song, tmp_path, name):
    song = write_song(f"{name}.wav", seconds=0.2)
    result = separate(tiny_model, song, tmp_path / "out")
    assert result.manifest == tmp_path / "out" / name / "msdm.json"
    assert load_manifest(result.manifest).parse_request().track == name


def test_the_request_of_a_job_without_noise_has_no_seed(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.2), tmp_path)
    manifest = load_manifest(result.manifest)
    assert manifest.seed is None
    options = manifest.parse_request().options
    assert options == dataclasses.replace(options, seed=None)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "length"),
        ({"bass": {"path": "a\0b", "sha256": "", "size_bytes": 1}}, "no file has"),
        ({"bass": {"path": "file:a%00b", "sha256": "", "size_bytes": 1}}, "no file has"),
        ({str(n): {"path": "a", "sha256": "", "size_bytes": 1} for n in range(101)}, "100"),
    ],
)
def test_files_that_no_job_writes_are_refused(tiny_model, write_song, tmp_path, files, said):
    made = separate(tiny_model, write_song(seconds=0.2), tmp_path / "out")
    described = json.loads(made.manifest.read_text())
    made.manifest.write_text(json.dumps(described | {"files": files}))
    with pytest.raises(UnreadableManifest, match=said):
        load_manifest(made.manifest)


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("properties", "sample_rate", 0),
        ("properties", "sample_rate", 10**9),
        ("properties", "channels", 0),
        ("properties", "frames", -1),
        ("request", "start_seconds", 1e308),
        ("request", "duration_seconds", 1e10),
    ],
)
def test_sounds_that_are_none_are_refused(tiny_model, write_song, tmp_path, place, name, value):
    made = separate(tiny_model, write_song(seconds=0.2), tmp_path / "out")
    described = json.loads(made.manifest.read_text())
    changed = described["facts"]["properties"] if place == "properties" else described[place]
    assert name in changed
    changed[name] = value
    made.manifest.write_text(json.dumps(described))
    with pytest.raises(UnreadableManifest, match=r"expected|none"):
        load_manifest(made.manifest)
