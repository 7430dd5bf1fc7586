"""Whether threads share a heap, as glibc itself reports."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys, threading
from msdm_cli.cli.heap import keep_one_heap

if sys.argv[1] == "one":
    keep_one_heap()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier(4)

def allocate():
    barrier.wait()
    library.malloc(100_000)

threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(library.fdopen(1, b"w"))
library.malloc_info(0, stream)
library.fflush(stream)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_threads_share_a_heap():
    def count(mode):
        report = subprocess.run(
            [sys.executable, "-c", PROGRAM, mode], check=True, capture_output=True, text=True
        ).stdout
        return report.count("<heap nr=")

    assert count("one") == 1
    assert count("several") > 1
