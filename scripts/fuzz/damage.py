"""Ways to damage what is whole: bytes, and JSON."""

import copy
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

HEADER_BYTES = 128
"""Headers are where it hurts: half of all places are in the first bytes."""

Edit = tuple[float, str, bytes]


def list_edits() -> SearchStrategy[list[Edit]]:
    """Edits of bytes: where, how, and with what."""
    kinds = st.sampled_from(("flip", "drop", "insert", "cut", "repeat"))
    edit = st.tuples(st.floats(0, 1), kinds, st.binary(min_size=1, max_size=8))
    return st.lists(edit, min_size=1, max_size=6)


def list_some_edits() -> SearchStrategy[list[Edit]]:
    """Edits of bytes, or none in half of all inputs."""
    none: list[Edit] = []
    return st.one_of(st.just(none), list_edits())


def damage(content: bytes, edits: list[Edit]) -> bytes:
    """Bytes after some edits."""
    found = bytearray(content)
    for place, kind, some in edits:
        start = int(place * 2 * HEADER_BYTES) if place < 0.5 else int(place * len(found))
        if kind == "flip":
            found[start : start + len(some)] = some
        elif kind == "drop":
            del found[start : start + len(some)]
        elif kind == "insert":
            found[start:start] = some
        elif kind == "repeat":
            found[start:start] = found[start : start + 512] * some[0]
        else:
            del found[start:]
    return bytes(found)


def list_values() -> SearchStrategy[Any]:
    """Values of JSON that somebody might not expect."""
    numbers = st.one_of(
        st.integers(),
        st.sampled_from((0, -1, 1 << 31, 1 << 63, 1 << 64, 10**18, 10**30, 1e300, -0.0, 5e-324)),
        st.floats(allow_nan=False, allow_infinity=False),
    )
    texts = st.one_of(
        st.text(max_size=20),
        st.sampled_from(("", ".", "..", "../x", "/", "\0", "\x1b[31m", "\n", "{", "x" * 5000)),
        st.sampled_from(("{track:>3000000000}", "C:\\x", "con", "%ff", "%00", "😀", "\udc80")),
    )
    plain = st.one_of(st.none(), st.booleans(), numbers, texts)
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )


def list_changes() -> SearchStrategy[list[tuple[int, str, Any]]]:
    """Changes of a JSON document: the number of a place in it, how, and with what."""
    kinds = st.sampled_from(("replace", "remove", "add", "nest"))
    return st.lists(st.tuples(st.integers(0, 200), kinds, list_values()), min_size=1, max_size=4)


def change(document: Any, changes: list[tuple[int, str, Any]]) -> Any:
    """A JSON document after some changes."""
    whole = {"": copy.deepcopy(document)}
    for number, kind, value in changes:
        places = _list_places(whole)
        owner, key = places[number % len(places)]
        if kind == "remove" and owner is not whole:
            del owner[key]
        elif kind == "add" and isinstance(owner, dict):
            owner[str(value)[:40]] = value
        elif kind == "nest":
            for _ in range(number):
                owner[key] = [owner[key]]
        else:
            owner[key] = value
    return whole[""]


def _list_places(value: Any) -> list[tuple[Any, Any]]:
    """All places of a document that hold a value."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in inner:
        found.append((value, key))
        if isinstance(item, dict | list):
            found += _list_places(item)
    return found
