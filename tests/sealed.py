"""Processes that die when they open a socket of a network, on Linux, without any privilege.

Source: Linux, Documentation/userspace-api/seccomp_filter.rst. A filter is a program for the
Berkeley Packet Filter over ``struct seccomp_data``: the number of a system call, the architecture,
and the arguments.
"""

import ctypes
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

SOCKET_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""The architecture as the kernel numbers it, and its system call ``socket``."""

KILLED = -31
"""Exit status of a process that SIGSYS has ended."""

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2

LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16


def seal():
    """Let this process, and all that it starts, die when it opens a socket that is not local."""
    architecture, call = SOCKET_CALLS[platform.machine()]
    steps = [  # code, steps to skip if equal, steps to skip if not, value
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_IF_EQUAL, 0, 4, architecture),
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_EQUAL, 0, 2, call),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (JUMP_IF_EQUAL, 0, 1, 1),  # AF_UNIX: names of users are asked of a local socket
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, KILL_PROCESS),
    ]
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    kept = ctypes.create_string_buffer(program, len(program))

    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_void_p))

    described = Filter(len(steps), ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(described), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def run_sealed(code, **environment):
    """Run Python code in a sealed process with this environment alone."""
    if sys.platform != "linux" or platform.machine() not in SOCKET_CALLS:
        pytest.skip("system calls are filtered on Linux alone, on x86_64 and aarch64")
    start = "import sealed\ntry:\n    sealed.seal()\nexcept OSError:\n    raise SystemExit(77)\n"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parent),
        "OMP_NUM_THREADS": "2",
        **environment,
    }
    result = subprocess.run(
        [sys.executable, "-c", start + code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 77:
        pytest.skip("this kernel, or what it runs in, lets no process filter its system calls")
    return result
