import pytest
import typer

from msdm_cli.cli.display import STOPPED
from msdm_cli.cli.takes import choose_seeds, describe_stop
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.consistent import ConsistentOptions
from msdm_cli.diffusion.samplers.regression import RegressionOptions

NOISY = Preset("consistent", ConsistentOptions(3, 10.0))
NOISELESS = Preset("regression", RegressionOptions())


def test_seeds_count_up_from_the_one_that_was_asked_for():
    assert list(choose_seeds(7, 3, NOISY)) == [7, 8, 9]


def test_a_seed_is_drawn_once_for_all_takes():
    first, second = choose_seeds(None, 2, NOISY)
    assert second == first + 1
    assert choose_seeds(None, 1, NOISY) != choose_seeds(None, 1, NOISY)  # 1 in 4e9 that it fails


def test_takes_without_noise_would_be_the_same():
    assert len(choose_seeds(None, 1, NOISELESS)) == 1
    with pytest.raises(typer.BadParameter, match="all takes would be the same"):
        choose_seeds(None, 2, NOISELESS)


def test_only_a_seed_that_was_drawn_is_needed_to_continue():
    assert describe_stop(5, range(5, 7)) == STOPPED
    assert "--seed 5 continues" in describe_stop(None, range(5, 7))
