"""Which instruments a split has."""

import pytest
from conftest import STEMS

from scripts.dataset.catalogue import catalogue


@pytest.mark.parametrize("fetched", [False, True])
def test_no_instrument_is_in_both_splits(tmp_path, fetched):
    folder = tmp_path / "fetched" if fetched else None
    train = catalogue(tmp_path, "train", folder)
    validation = catalogue(tmp_path, "validation", folder)
    for stem in STEMS:
        names = {timbre.name for timbre in train[stem]}
        assert names
        assert validation[stem]
        assert not names & {timbre.name for timbre in validation[stem]}


def test_fetched_instruments_are_the_only_guitars_and_pianos_of_training(tmp_path):
    plain = catalogue(tmp_path, "train")
    more = catalogue(tmp_path, "train", tmp_path / "fetched")
    validation = catalogue(tmp_path, "validation", tmp_path / "fetched")
    assert validation == catalogue(tmp_path, "validation")
    for stem in STEMS:
        shared = {timbre.name for timbre in plain[stem]} & {timbre.name for timbre in more[stem]}
        if stem in ("bass", "drums"):
            assert shared == {timbre.name for timbre in plain[stem]}
            assert len(more[stem]) > len(shared)
        else:
            assert shared <= {"plucked", "struck"}
