"""The hyper-parameters of the authors' module: what is computed, and what is refused by name.

Their module passes all but the training's to ``AudioDiffusionModel`` of
``audio_diffusion_pytorch`` 0.0.43. Several change what the network computes, but no tensor, so a
checkpoint with another value would load, and give wrong sound.
"""

from collections.abc import Mapping
from typing import Any

CONFIG = {
    "in_channels": "stems",
    "channels": "channels",
    "patch_factor": "patch_factor",
    "multipliers": "multipliers",
    "factors": "factors",
    "num_blocks": "num_blocks",
    "attentions": "attentions",
    "attention_heads": "heads",
    "attention_features": "head_features",
    "attention_multiplier": "feed_multiplier",
    "resnet_groups": "groups",
    "kernel_multiplier_downsample": "kernel_multiplier",
    "diffusion_sigma_data": "sigma_data",
    "use_skip_scale": "skip_scale",
}
"""From hyper-parameters of the authors to fields of ``Unet1dConfig``."""

DEFAULTS = {
    "attention_heads": 8,
    "attention_features": 64,
    "resnet_groups": 8,
    "diffusion_sigma_data": 0.1,
    "use_skip_scale": True,
}
"""Default of a missing entry, where the shapes of the tensors do not show it."""

COMPUTED: dict[str, tuple[Any, ...]] = {
    "context_channels": (None, [], ()),
    "context_embedding_features": (None,),
    "context_features": (None,),
    "diffusion_dynamic_threshold": (0.0,),
    "patch_blocks": (1,),
    "use_attention_bottleneck": (True,),
    "use_classifier_free_guidance": (False,),
    "use_context_time": (True,),
    "use_nearest_upsample": (False,),
}
"""Hyper-parameters that are no field of ``Unet1dConfig``, and the values that msdm computes."""

WITHOUT_EFFECT = {
    "beta1",
    "beta2",
    "diffusion_sigma_distribution",
    "kernel_sizes_init",
    "learning_rate",
}
"""They say how the network was trained; the kernels are not used by version 0.0.43."""


def read_config(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``Unet1dConfig`` that hyper-parameters state; none if there are none.

    Args:
        settings: The hyper-parameters, in plain types.

    Raises:
        ValueError: They ask for what is not computed.
    """
    if not settings:
        return {}
    fields = {ours: settings[theirs] for theirs, ours in CONFIG.items() if theirs in settings}
    implied = {CONFIG[name]: value for name, value in DEFAULTS.items() if name not in settings}
    computed = {**COMPUTED, "out_channels": (None, settings.get("in_channels"))}
    for name, value in settings.items():
        if name in CONFIG or name in WITHOUT_EFFECT:
            continue
        if name not in computed:
            raise ValueError(f"its hyper-parameter {name} is not known")
        if value not in computed[name]:
            raise ValueError(f"its {name} is {value}, expected {computed[name][0]}")
    return fields | implied
