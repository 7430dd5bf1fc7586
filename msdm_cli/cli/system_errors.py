"""Errors of the operating system, as two lines: one net under everything else."""

from msdm_cli.cli.hints import find_errno_hint
from msdm_cli.errors import MsdmError


class SystemFailure(MsdmError):
    """The operating system has refused something that no other error describes."""


def describe_failure(error: MsdmError | OSError | MemoryError) -> MsdmError:
    """An error with what helps: an MsdmError as it is, and one of the operating system."""
    if isinstance(error, MsdmError):
        return error
    if isinstance(error, MemoryError):
        return SystemFailure(
            "the memory of this machine is full", "Close other programs, or run fewer --jobs."
        )
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return SystemFailure(place + reason, find_errno_hint(error))
