"""What is shared by the configs of networks."""

import math
from dataclasses import dataclass

import pytest

from msdm_cli.networks.network import check_positive


@dataclass
class Config:
    size: float = 1
    sizes: tuple = (1, (2.5, 3))
    flags: tuple = (True, False)
    layers: int = 1

    def check(self):
        check_positive(self, may_be_zero={"layers"})


def test_numbers_above_zero_pass():
    Config().check()
    Config(layers=0).check()


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_other_numbers_are_refused_by_name(value):
    with pytest.raises(ValueError, match=r"expected size above 0"):
        Config(size=value).check()
    with pytest.raises(ValueError, match=r"expected sizes above 0"):
        Config(sizes=[1, [2, value]]).check()


def test_only_some_may_be_zero():
    with pytest.raises(ValueError, match="layers"):
        Config(layers=-1).check()


@pytest.mark.parametrize("value", ["2", None])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError):
        Config(size=value).check()
