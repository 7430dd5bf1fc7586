"""Times as people write them: ``60``, ``1:00`` or ``1:02:03.5``."""

import re

TIME = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d*)?|\.\d+)", re.ASCII)
"""Hours and minutes may be missing."""

MINUTE = 60
HOUR = 3600
LONGEST_HOURS = 24
MOST_SECONDS = 1e9
"""As in ``msdm_cli.jobs.request``, which takes long to load."""

EXACT_SECONDS = 10
"""Below this many seconds, tenths matter."""


def parse_time(text: str | float) -> float:
    """Seconds of a time.

    Raises:
        ValueError: It is none.
    """
    found = TIME.fullmatch(str(text).strip())
    hours, minutes, seconds = found.groups() if found else (None, None, "nan")
    if not found or (minutes is not None and float(seconds) >= MINUTE):
        raise ValueError(f"{text} is no time: write seconds (90), 1:30 or 1:02:03.5")
    total = float(hours or 0) * HOUR + float(minutes or 0) * MINUTE + float(seconds)
    if total > MOST_SECONDS:
        raise ValueError(f"{text} is too long")
    return total


def parse_length(text: str | float) -> float:
    """Seconds of a time that is no longer than a day.

    Raises:
        ValueError: It is longer, or none.
    """
    seconds = parse_time(text)
    if seconds > LONGEST_HOURS * HOUR:
        raise ValueError(f"{text} is longer than {LONGEST_HOURS} hours")
    return seconds


def format_time(seconds: float) -> str:
    """A time for people: ``3.4 s``, ``45 s``, ``12 min 5 s`` or ``2 h 31 min``."""
    if seconds < EXACT_SECONDS:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    minutes = round(seconds / MINUTE)
    return f"{minutes // MINUTE} h {minutes % MINUTE} min"


def format_clock(seconds: float) -> str:
    """A time as a clock shows it: ``0:42`` or ``1:02:03``."""
    whole = round(seconds)
    minutes = f"{whole // MINUTE % MINUTE}:{whole % MINUTE:02}"
    return minutes if whole < HOUR else f"{whole // HOUR}:{minutes:0>5}"
