"""Damaged and invented weights give a model or an error of ours, and never run code."""

import io
import pickle
import tarfile
import zipfile

import pytest
import torch
from conftest import lightning_checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msdm_cli.errors import UnreadableCheckpoint, WeightsError
from msdm_cli.models.archive import extract_checkpoints
from msdm_cli.models.checkpoint import load_checkpoint

FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

places = st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "whole.ckpt"
    torch.save(lightning_checkpoint()[1], path)
    return path


def flip(content, changes):
    found = bytearray(content)
    for place, value in changes:
        found[int(place * len(found))] = value
    return bytes(found)


def load_or_refuse(path):
    try:
        load_checkpoint(path)
    except UnreadableCheckpoint as error:
        assert "\n" not in error.message


@FUZZ
@given(changes=places, length=st.floats(0, 1))
def test_a_damaged_checkpoint_is_read_or_refused(tmp_path, whole, changes, length):
    path = tmp_path / "a.ckpt"
    content = whole.read_bytes()
    path.write_bytes(flip(content, changes)[: int(length * len(content)) or None])
    load_or_refuse(path)


@FUZZ
@given(changes=places)
def test_a_damaged_pickle_in_a_whole_archive_is_read_or_refused(tmp_path, whole, changes):
    path = tmp_path / "a.ckpt"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, flip(content, changes) if name.endswith("data.pkl") else content)
    load_or_refuse(path)


@FUZZ
@given(st.binary(max_size=200), st.booleans())
def test_anything_at_all_is_refused(tmp_path, content, pickled):
    path = tmp_path / "a.ckpt"
    path.write_bytes(pickle.dumps(content) if pickled else content)
    with pytest.raises(UnreadableCheckpoint):
        load_checkpoint(path)


@FUZZ
@given(changes=places, length=st.floats(0, 1))
def test_a_damaged_tar_gives_files_inside_its_folder_or_an_error(tmp_path, changes, length):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("one/a.ckpt", "two/b.ckpt"):
            info = tarfile.TarInfo(name)
            info.size = 700
            tar.addfile(info, io.BytesIO(b"x" * 700))
    content = buffer.getvalue()[:4096]
    path = tmp_path / "a.tar"
    folder = tmp_path / "out"
    folder.mkdir(exist_ok=True)
    path.write_bytes(flip(content, changes)[: int(length * len(content)) or None])
    try:
        found = extract_checkpoints(path, folder)
    except WeightsError as error:
        assert "\n" not in error.message
    else:
        assert all(file.parent == folder for file in found.values())
    assert {file.name for file in tmp_path.iterdir()} == {"a.tar", "out"}
