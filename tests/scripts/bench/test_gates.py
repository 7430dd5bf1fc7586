"""The gates of the cascade."""

from safetensors.torch import load_file, save_file

from msdm_cli.models.registry import EMBEDDED, find_entry
from scripts.bench.gates import main
from scripts.train import sketch_matching


def test_other_weights_are_asked_for_gate_2_alone(songs, tmp_path, monkeypatch):
    monkeypatch.setattr(sketch_matching, "CROPS", 2)
    (path,) = find_entry(EMBEDDED).folder.glob("*-sketch.safetensors")
    weights = load_file(path)
    save_file(weights, tmp_path / "same.safetensors")
    # Without its last layer a network is the Wiener filter.
    changed = {name: 0 * x if name.startswith("leave") else x for name, x in weights.items()}
    save_file(changed, tmp_path / "other.safetensors")
    for name in ("same", "other"):
        weights_path = tmp_path / f"{name}.safetensors"
        main(songs / "validation", weights=weights_path, output=tmp_path / f"{name}.md")
    same, other = ((tmp_path / f"{name}.md").read_text() for name in ("same", "other"))
    assert "resynthesised" not in same
    assert "| more if they are another song's, % | 0 | 0 | 0 | 0 |" in other
    assert same != other
