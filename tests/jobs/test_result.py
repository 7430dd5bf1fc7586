import dataclasses

from conftest import separate

from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.result import recall


def test_a_manifest_says_what_was_made(tiny_model, write_song, tmp_path):
    made = separate(tiny_model, write_song(seconds=0.2), tmp_path, quality="default")
    assert made.calls > 0
    recalled = recall(made.manifest, load_manifest(made.manifest))
    assert recalled == dataclasses.replace(made, calls=0, skipped=True)
    assert all(path.is_file() for path in recalled.files.values())
