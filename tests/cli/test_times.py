import pytest

from msdm_cli.cli.times import MOST_SECONDS, format_clock, format_time, parse_length, parse_time
from msdm_cli.jobs import request


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60),
        ("1:00", 60),
        ("0:07.25", 7.25),
        ("1:02:03.5", 3723.5),
        ("90.5", 90.5),
        (".5", 0.5),
        ("100:00", None),
        (" 5 ", 5),
        (12.0, 12),
        ("12:00:00", 43200),
    ],
)
def test_a_time_in_seconds_or_as_a_clock_shows_it(text, seconds):
    if seconds is None:
        with pytest.raises(ValueError, match="is no time"):
            parse_time(text)
    else:
        assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "abc", "-1", "1:60", "1:", ":30", "1:2:3:4", "nan", "inf", "1e3", "1,5", "１"]
)
def test_what_is_no_time_says_how_to_write_one(text):
    with pytest.raises(ValueError, match=r"is no time: write seconds \(90\), 1:30 or 1:02:03\.5"):
        parse_time(text)


def test_a_length_is_at_most_a_day():
    assert parse_length("24:00:00") == 86_400
    with pytest.raises(ValueError, match="1000000000 is longer than 24 hours"):
        parse_length("1000000000")


def test_a_time_is_one_that_a_job_takes():
    assert parse_time("1000000000") == MOST_SECONDS == request.MOST_SECONDS


@pytest.mark.parametrize(
    "text", ["99999999:00:00", "9" * 400, "9" * 400 + ":00:00", "9" * 5000 + ":00:00"]
)
def test_a_time_that_no_float_holds(text):
    with pytest.raises(ValueError, match="too long"):
        parse_time(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (3.44, "3.4 s"),
        (45.2, "45 s"),
        (59.7, "1 min 0 s"),
        (725, "12 min 5 s"),
        (3599.6, "1 h 0 min"),
        (9060, "2 h 31 min"),
    ],
)
def test_a_time_for_people(seconds, text):
    assert format_time(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (42.4, "0:42"), (3599.6, "1:00:00"), (3723, "1:02:03")]
)
def test_a_time_as_a_clock_shows_it(seconds, text):
    assert format_clock(seconds) == text
