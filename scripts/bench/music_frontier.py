"""How far generated music lies from songs, by the settings of what draws it.

    pip install librosa scipy; pip install --no-deps musicnn==0.1.0
    python -m scripts.bench.music_frontier SONGS --output scripts/bench/music_frontier.md

Each row changes one setting and draws takes from the same seeds. One row has other seeds: how much
it differs from the first is what chance does.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from msdm_cli.interface import Model, load_model
from msdm_cli.tasks.controls import Controls
from scripts.bench.music_figures import frechet_distance
from scripts.bench.musicnn import Musicnn
from scripts.bench.report import OutputOption, Report
from scripts.bench.takes import Embeddings, embed_songs, spread_out
from scripts.songs import list_songs

SEED = 5000
SECONDS = 12.0

Settings = Mapping[str, Any]
"""Fields of stages and options of the sketch's sampler, or the quality, or the first seed."""

VARIANTS: Mapping[str, Settings] = {
    "`default`: 20 steps, eta 0, guidance 1.5, told error 0.3": {},
    "other seeds": {"seed": SEED + 1000},
    "`fast`: 10 steps": {"quality": "fast"},
    "`best`: 40 steps": {"quality": "best"},
    "eta 0.3": {"eta": 0.3},
    "eta 0.6": {"eta": 0.6},
    "eta 1": {"eta": 1.0},
    "guidance 1": {"guidance": 1.0},
    "guidance 2.5": {"guidance": 2.5},
    "told error 0": {"told_error": 0.0},
    "told error 0.6": {"told_error": 0.6},
}


def change_model(model: Model, settings: Settings) -> Model:
    """A model that draws sketches, with other settings of its two stages of music."""
    stages = list(model.spec.stages)
    first, last = model.spec.list_stages("generate")
    options = {name: settings[name] for name in ("num_steps", "eta") if name in settings}
    presets = {
        name: preset.with_options(options)
        for name, preset in stages[first].presets["generate"].items()
    }
    stages[first] = dataclasses.replace(
        stages[first],
        presets={**stages[first].presets, "generate": presets},
        guidance=settings.get("guidance", stages[first].guidance),
    )
    told_error = settings.get("told_error", stages[last].told_error)
    stages[last] = dataclasses.replace(stages[last], told_error=told_error)
    return dataclasses.replace(model, spec=dataclasses.replace(model.spec, stages=tuple(stages)))


def draw_takes(
    model: Model, network: Musicnn, settings: Settings, count: int
) -> tuple[Embeddings, int]:
    """Embeddings of the mixtures of takes, ``[windows, 200]``, and network calls of a sketch."""
    changed = change_model(model, settings)
    quality = settings.get("quality", "default")
    preset = changed.spec.sketch_preset("generate", quality)
    assert preset is not None
    first = settings.get("seed", SEED)
    embeddings = []
    for seed in range(first, first + count):
        asked = Controls().filled(seed, len(model.spec.stems))
        take = changed.generate(SECONDS, seed=seed, quality=quality, controls=asked)
        embeddings.append(network.embed(take["mixture"].mean(0), model.spec.sample_rate))
    return np.concatenate(embeddings).astype(np.float64), preset.calls


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    count: Annotated[int, typer.Option(help="Takes of each row.")] = 40,
    seconds: Annotated[float, typer.Option(help="Of each song.")] = 120.0,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    model = load_model(device="cpu")
    network = Musicnn()
    half = list_songs(songs)[::2]
    truth = embed_songs(network, half, seconds)
    report = Report(
        f"{count} takes of {SECONDS:g} s by each setting, by "
        "`python -m scripts.bench.music_frontier`.",
        f"musicnn-FD of their mixtures to {len(half)} songs, as many windows of each: distances "
        "are too large, and comparable with each other alone. Calls are those of a sketch.",
    )
    report.begin_table("settings", "calls", "musicnn-FD")
    for name, settings in VARIANTS.items():
        embeddings, calls = draw_takes(model, network, settings, count)
        distance = frechet_distance(embeddings, spread_out(truth, len(embeddings)))
        report.row(name, str(calls), f"{distance:.1f}")
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
