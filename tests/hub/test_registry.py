import hashlib

import pytest

from msdm_cli.errors import UnknownWeights
from msdm_cli.hub.registry import find_entry, load_registry
from msdm_cli.hub.verify import check_file


def test_what_ships_is_what_is_registered():
    for entry in load_registry().values():
        for file in entry.files:
            content = check_file(entry, file).read_bytes()
            assert len(content) == file.size_bytes
            assert hashlib.sha256(content).hexdigest() == file.sha256


def test_the_embedded_model_fits_in_the_wheel():
    assert find_entry("embedded").weights.size_bytes < 40_000_000


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownWeights):
        find_entry("nonsense")
