"""Damaged and invented tars."""

import bz2
import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from msdm_cli.models.archive import MOST_RATIO, SPARE_BYTES, extract_checkpoints
from scripts.fuzz.damage import damage, list_some_edits

PACKED = {"plain": lambda content: content, "gzip": gzip.compress, "bzip2": bz2.compress}
KINDS = (
    tarfile.REGTYPE,
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
    tarfile.GNUTYPE_SPARSE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
)
NAMES = ("one/a.ckpt", "two/b.ckpt", "../a.ckpt", "/a.ckpt", "a.ckpt", "x/..\\a.ckpt", "x.yaml", "")


def list_inputs() -> SearchStrategy[Any]:
    """Members with what they claim, how they are packed, and damage before and after packing."""
    size = st.one_of(st.integers(0, 3000), st.integers(0, 1 << 33))
    headers = st.dictionaries(
        st.sampled_from(("path", "size", "GNU.sparse.size", "GNU.sparse.map", "linkpath", "mtime")),
        st.one_of(st.integers().map(str), st.text(max_size=10), st.just("0,512")),
        max_size=2,
    )
    member = st.tuples(st.sampled_from(NAMES), st.sampled_from(KINDS), size, headers)
    return st.tuples(
        st.lists(member, max_size=5),
        st.sampled_from(tuple(PACKED)),
        list_some_edits(),
        list_some_edits(),
    )


def read(damaged: Any, folder: Path) -> None:
    """Unpack a tar.

    Raises:
        MsdmError: It is not one.
    """
    members, packed, before, after = damaged
    content = PACKED[packed](damage(write(members), before))
    path = folder / "a.tar"
    path.write_bytes(damage(content, after))
    out = folder / "out"
    out.mkdir()
    try:
        found = extract_checkpoints(path, out)
        assert all(file.parent == out and file.is_file() for file in found.values())
    finally:
        total = sum(file.stat().st_size for file in out.iterdir())
        assert total <= MOST_RATIO * len(content) + SPARE_BYTES
        assert sorted(file.name for file in folder.iterdir()) == ["a.tar", "out"]


def write(members: list[tuple[str, bytes, int, dict[str, str]]]) -> bytes:
    """A tar of members that claim what they like."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT):
        for name, kind, size, headers in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.size = size
            info.pax_headers = headers
            buffer.write(info.tobuf(tarfile.PAX_FORMAT))
            buffer.write(b"x" * min(-(-size // 512) * 512, 4096))
    return buffer.getvalue()
