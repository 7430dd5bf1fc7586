"""python -m scripts.fuzz NAME --minutes 10: damaged input, until something is found.

Every input is read, or refused by an error of msdm in one line; anything else is a finding, and so
is an input that takes too long, or too much memory. A finding is shown as hypothesis shows it, with
the seed that gives it again.
"""

import argparse
import os
import secrets
import tempfile
import time
from pathlib import Path

# Glibc keeps memory for each thread, which would look like growth.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import HealthCheck, Phase, given, seed, settings

from scripts.fuzz.bounds import bounded
from scripts.fuzz.targets import TARGETS

ROUND_EXAMPLES = 500


def fuzz(name: str, number: int, examples: int) -> None:
    """Try inputs that a seed gives.

    Args:
        name: Name of a target.
        number: The seed.
        examples: How many.

    Raises:
        Exception: What an input has led to, after hypothesis has made the input small.
    """
    target = TARGETS[name]

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs())
    def attempt(damaged: object) -> None:
        with tempfile.TemporaryDirectory() as folder, bounded():
            target.attempt(damaged, Path(folder))

    attempt()


def main() -> None:
    """Fuzz a target for some minutes, a seed after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, help="try this seed alone")
    options = parser.parse_args()
    if options.seed is not None:
        fuzz(options.name, options.seed, ROUND_EXAMPLES)
        return
    stop = time.monotonic() + 60 * options.minutes
    rounds = 0
    while time.monotonic() < stop:
        number = secrets.randbelow(1 << 32)
        print(f"{options.name}: --seed {number}", flush=True)
        fuzz(options.name, number, ROUND_EXAMPLES)
        rounds += 1
    print(f"{options.name}: {rounds * ROUND_EXAMPLES} inputs, nothing found")


if __name__ == "__main__":
    main()
