import pytest
from conftest import request_separation

from msdm_cli.cli import to_stdout
from msdm_cli.cli.display import Display
from msdm_cli.errors import MsdmError


def test_a_standard_output_that_is_closed(tiny_model, write_song, tmp_path, monkeypatch):
    """``test_separate_streams`` has the others."""
    monkeypatch.setattr(to_stdout, "is_output_closed", lambda: True)
    request = request_separation(tiny_model, write_song(seconds=0.2), tmp_path, stems=("drums",))
    with pytest.raises(MsdmError, match="it is closed"):
        to_stdout.separate_to_stdout("song", request, tiny_model, Display(quiet=True))
    assert list(tmp_path.iterdir()) == [tmp_path / "song.wav"]
