"""How long calls take in this process."""

import time
from collections.abc import Callable


def best_time(work: Callable[[], object], repeats: int = 3) -> float:
    """Least seconds of several runs, after one that does not count."""
    work()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
