"""Reading a file of ``torch.save`` without running code in it, at a bounded cost.

Before PyTorch's restricted unpickler sees it, the zip is read to compare the checksums of its
records, and the pickle in it is searched for names. Only those pass that build tensors, containers
and numbers no larger than what the file holds.
"""

import io
import pickle
import pickletools
import struct
import warnings
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from msdm_cli.small_files import check_regular

MOST_PICKLE_BYTES = 1 << 24
"""The pickle in a checkpoint of the authors is 100 times smaller."""

BLOCK_BYTES = 1 << 20
PICKLE = "data.pkl"

STORAGES = ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8")
BUILT = {
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "torch.nn.parameter.Parameter",
    "torch.Size",
    "torch.device",
    "torch.bool",
    "builtins.set",
    *(f"torch.{kind}Storage" for kind in STORAGES),
    *(f"torch.{kind}" for kind in DTYPES),
}
"""Names that PyTorch may look up. Each builds something that the file holds, or something small.

Others that its unpickler allows are left out on purpose: ``bytearray`` and the classes of tensors
take a size, ``_codecs.encode`` can double what it is given, and sparse, quantised and nested
tensors, or those without memory, are no weights of MSDM.
"""

HIDDEN = ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4")
"""Other ways to ask for names in a pickle."""

UNREADABLE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    RuntimeError,
    EOFError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    OSError,
    AssertionError,
    MemoryError,
    struct.error,
    StopIteration,
)
"""What zipfile and PyTorch's unpickler raise for a damaged file, or an unexpected one."""


class RefusedPickle(ValueError):
    """A file holds what is not read, for a reason that can be shown."""


def load_pickled(path: Path, stands_in: type[Any], names: tuple[str, ...]) -> Any:
    """What ``torch.save`` has put into a file; its tensors stay on the disk until they are used.

    Args:
        path: The file.
        stands_in: What objects of other classes become. It must do nothing. Each class gets a
            subclass of it, whose ``asked`` is the name.
        names: Names of those classes, or how they begin.

    Raises:
        RefusedPickle: It is damaged, or holds something else.
    """
    try:
        asked = sorted(_check_records(path) - BUILT)
        if others := [name for name in asked if not name.startswith(names)]:
            raise RefusedPickle(
                f"it asks for {others[0][:100]}, which only running its code could build; "
                "nothing of it was run"
            )
        shells: list[Any] = [
            (type(stands_in.__name__, (stands_in,), {"asked": name}), name) for name in asked
        ]
        with torch.serialization.safe_globals(shells), warnings.catch_warnings():
            # PyTorch warns of its own classes while it refuses damaged files.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RefusedPickle:
        raise
    except UNREADABLE as error:
        # Nothing that PyTorch says is shown: it recommends to switch off what protects from code.
        raise RefusedPickle(_explain(path, error)) from error


def _explain(path: Path, error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, zipfile.BadZipFile) and not zipfile.is_zipfile(path):
        return "it was not written by torch.save, or is cut off"
    return "it is damaged"


def _check_records(path: Path) -> set[str]:
    """Read a zip to its end, and find the names that its pickle asks for.

    Raises:
        RefusedPickle: It is packed, or its pickle is too long.
        BadZipFile: It is damaged.
    """
    check_regular(path)
    with zipfile.ZipFile(path) as records:
        found = records.infolist()
        if any(record.compress_type != zipfile.ZIP_STORED for record in found):
            raise RefusedPickle("its records are compressed")
        # Records that overlap would be read more than once.
        if sum(record.file_size for record in found) > path.stat().st_size:
            raise zipfile.BadZipFile("more in it than it holds")
        pickles = [record for record in found if record.filename.rpartition("/")[2] == PICKLE]
        if len(pickles) != 1 or len({record.filename for record in found}) < len(found):
            raise RefusedPickle(f"it has {len(pickles)} {PICKLE}")
        if pickles[0].file_size > MOST_PICKLE_BYTES:
            raise RefusedPickle(f"its {PICKLE} has more than {MOST_PICKLE_BYTES >> 20} MB")
        for record in found:
            with records.open(record) as content:  # which compares the CRC at its end
                while content.read(BLOCK_BYTES):
                    pass
        return set(_find_names(records.read(pickles[0])))


def _find_names(content: bytes) -> Iterator[str]:
    """The names that a pickle asks for.

    Raises:
        RefusedPickle: It asks for names that cannot be seen.
    """
    for code, argument, _ in pickletools.genops(io.BytesIO(content)):
        if code.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            # Protocol 2 of pickle has the names of Python 2.
            module, name = NAME_MAPPING.get(
                (module, name), (IMPORT_MAPPING.get(module, module), name)
            )
            yield f"{module}.{name}"
        elif code.name in HIDDEN:
            raise RefusedPickle(f"its pickle has {code.name}, which torch.save does not write")
