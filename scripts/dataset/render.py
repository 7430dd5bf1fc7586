"""Composes and renders a song: its stems, then one fade and one gain for all."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from scripts.dataset.arrangement import arrange
from scripts.dataset.composer import Composition, compose
from scripts.dataset.grooves import accompany
from scripts.dataset.roles import cross_roles, find_source, is_crossed
from scripts.dataset.score import SAMPLE_RATE_HZ, STEMS, Song
from scripts.dataset.stem import StemRenderer
from scripts.dataset.timbres import Timbre
from scripts.dataset.web import list_timbres
from scripts.dataset.written import read_written

MMA_SHARE = 0.4
"""Share of the songs that MMA accompanies; the others are the composer's own."""

TUNING_CENTS = 30.0
"""How far from 440 Hz a band is tuned at most."""

HIGHEST_PEAK = 0.95
FADE_SECONDS = 0.8


def render_song(
    seed: str,
    split: str,
    instruments: Path,
    fetched: Path | None = None,
    web: Path | None = None,
    midi: Path | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Compose and render a song: a pure function of the seed and the instruments.

    Args:
        seed: Names the split and the index too.
        split: train or validation, which has other instruments, and no arrangements without `web`.
        instruments: Folder of the sampled instruments.
        fetched: Folder of those that ``scripts.dataset.fetch_instruments`` fetched.
        web: Folder of what ``scripts.dataset.web`` prepared.
        midi: Folder of what ``scripts.dataset.written`` gathered: training plays these songs.

    Returns:
        Stems at 22 050 Hz, ``[S, T]`` float32 in the order of ``STEMS``, and what the song is made
        of.
    """
    arranged = split == "train" or web is not None
    source = find_source(seed) if arranged else seed
    rng = Random(f"{source}/render")
    if midi and split == "train":
        song = read_written(midi, source)
    else:
        song = write_song(source, rng, arranged=arranged)
    if arranged and is_crossed(seed):
        song = cross_roles(song)
    timbres = list_timbres(instruments, split, fetched, web)
    stems, details = _play(song, timbres, seed, varied=split == "train")
    gain_db = _level(stems, rng)
    for detail in details.values():
        detail["level_db"] = round(detail["level_db"] + gain_db, 2)
    origin = {"seed": seed, "notes_of": source, "crossed": arranged and is_crossed(seed)}
    return stems, {**origin, **_describe(song, stems.shape[1]), "stems": details}


def write_song(seed: str, rng: Random, *, arranged: bool) -> Song:
    """A composed song, as bands arrange it or as the composer wrote it."""
    composition = compose_song(seed, rng)
    return arrange(composition, seed) if arranged else composition.song


def compose_song(seed: str, rng: Random) -> Composition:
    """A song by MMA or by the composer, as the next number of `rng` decides."""
    return accompany(f"{seed}/mma") if rng.random() < MMA_SHARE else compose(f"{seed}/composer")


def _play(
    song: Song, timbres: dict[str, list[Timbre]], seed: str, *, varied: bool
) -> tuple[np.ndarray, dict[str, Any]]:
    """The stems, ``[S, T]``, and what those that sound are made of."""
    stems = np.zeros((len(STEMS), round(song.duration_seconds * SAMPLE_RATE_HZ)), np.float32)
    details: dict[str, Any] = {}
    # Bands tune to each other, and rarely to 440 Hz.
    tuning_cents = Random(f"{seed}/tuning").uniform(-TUNING_CENTS, TUNING_CENTS)
    for index, stem in enumerate(STEMS):
        if song.parts[stem].notes:
            rng = Random(f"{seed}/render/{stem}")
            renderer = StemRenderer(song, stem, timbres[stem], rng, varied, tuning_cents)
            stems[index], details[stem] = renderer.render()
    return stems, details


def _level(stems: np.ndarray, rng: Random) -> float:
    """Fade the stems out, and give them one gain in place; the gain in dB."""
    fade = round(FADE_SECONDS * SAMPLE_RATE_HZ)
    stems[:, -fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    peak = max(float(np.abs(stems.sum(axis=0)).max()), float(np.abs(stems).max()))
    gain_db = float(rng.uniform(-8.0, 0.0) + 20.0 * np.log10(HIGHEST_PEAK / max(peak, 1e-6)))
    stems *= np.float32(10.0 ** (gain_db / 20.0))
    return gain_db


def _describe(song: Song, length: int) -> dict[str, Any]:
    """What is known of a song; files that people wrote may not say their tempo, nor their key."""
    facts = {
        "source": song.source,
        "style": song.style,
        "tempo": round(song.tempo, 2),
        "key": song.key,
        "meter": song.meter,
        "duration_seconds": round(length / SAMPLE_RATE_HZ, 3),
    }
    return {name: fact for name, fact in facts.items() if fact}
