import pytest
from run_msdm import msdm


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("generate --tempo 500", "'--tempo': 500 is not within 40 to 240"),
        ("generate --tempo nan", "'--tempo': nan is not within 40 to 240"),
        ("generate --tempo fast", "'--tempo': fast is no number"),
        ("generate --seed -1", "'--seed': -1 is less than 0"),
        ("generate --seed 1.5", "'--seed': 1.5 is no whole number"),
        ("separate x --overlap 2", "'--overlap': 2 is not within 0 to 0.5"),
        ("generate --seconds x", "x is no time: write seconds"),
    ],
)
def test_a_value_that_is_wrong_is_said_in_our_words(command, words):
    result = msdm(*command.split())
    result.assert_two_lines(words, returncode=2)
    assert "Input should" not in result.stderr
    assert "Value error" not in result.stderr
