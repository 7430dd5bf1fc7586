"""What an architecture is trained with."""

import json

import pytest

from scripts.train.options import TrainingOptions
from scripts.train.recipes import RECIPES


def test_the_rate_rises_stays_and_falls():
    options = TrainingOptions(steps=100, decay_steps=50, warmup_steps=10, learning_rate=1.0)
    assert [options.rate(step) for step in (0, 4, 9, 50)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert [options.rate(step) for step in (75, 99)] == pytest.approx([0.5, 0.02])


def test_fields_of_every_part_can_be_changed():
    recipe = RECIPES["stft_unet"].changed(
        {"questions": {"impute": 0.0}, "augmentation": {"paused": 1.0}, "options": {"batch": 2}}
    )
    assert recipe.questions.impute == 0.0
    assert recipe.augmentation.paused == 1.0
    assert recipe.options.batch == 2
    with pytest.raises(TypeError, match="louder"):
        recipe.changed({"augmentation": {"louder": 1.0}})


@pytest.mark.parametrize("name", RECIPES)
def test_a_network_is_built_of_its_config(name, tmp_path):
    path = tmp_path / "config.json"
    sizes = {
        "stft_unet": {"channels": [8], "blocks": [1], "heads": 1, "attention_layers": 1},
        "unet1d": {
            "channels": 32,
            "multipliers": [1, 1],
            "factors": [4],
            "num_blocks": [1],
            "attentions": [False],
        },
        "sketch_prior": {"width": 8, "layers": 1, "heads": 2},
        "sketch_envelope": {"hidden": 8},
    }
    path.write_text(json.dumps(sizes[name]))
    assert RECIPES[name].build(path, 2).config.stems == 2
