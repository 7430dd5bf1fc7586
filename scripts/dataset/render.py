"""Renders a song: a timbre, effects and a level for each stem, then one gain for all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from .composer import compose
from .effects import add_effects, without_rumble
from .grooves import accompany
from .hydrogen import render_hydrogen
from .looped import render_looped
from .sampled import render_sampled
from .score import SAMPLE_RATE_HZ, STEMS, Part, Song
from .soundfont import render_soundfont
from .synthetic import render_machine, render_plucked, render_struck
from .timbres import Timbre, catalogue, choose_timbre

MMA_SHARE = 0.4
_LEVELS_DB = {"bass": -20.0, "drums": -18.0, "guitar": -22.0, "piano": -22.0}
_HIGHEST_PEAK = 0.95
_SILENCE = 1e-5
_FADE_SECONDS = 0.8
# Groups of General MIDI drums that a mixed kit takes from different kits, and their peaks.
_DRUM_GROUPS: dict[str, tuple[frozenset[int], float]] = {
    "kick": (frozenset((35, 36)), 0.9),
    "snare": (frozenset((37, 38, 39, 40)), 0.8),
    "hats": (frozenset((42, 44, 46)), 0.3),
    "cymbals": (frozenset((49, 51, 52, 53, 55, 57, 59)), 0.4),
    "toms": (frozenset((41, 43, 45, 47, 48, 50)), 0.75),
}
_PERCUSSION_PEAK = 0.35
_STRINGS = {"plucked": render_plucked, "struck": render_struck}
# How often a training part is played on two instruments at once, and on a sampler's loops of an instrument, and by how
# many semitones the size of one varies.
_DOUBLED = {"bass": 0.1, "guitar": 0.25, "piano": 0.25}
_LOOPED = {"bass": 0.45, "guitar": 0.35, "piano": 0.35}
_SIZE_SEMITONES = {"bass": 2.0, "guitar": 3.0, "piano": 3.0}


def render_song(
    seed: str, split: str, instruments: Path, fetched: Path | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Compose and render a song: a pure function of the seed (which names split and index) and the instruments.

    Shape:
        output: [S, T] float32 stems in the order of STEMS at 22 050 Hz, and what the song is made of
    """
    rng = Random(f"{seed}/render")
    song = accompany(f"{seed}/mma") if rng.random() < MMA_SHARE else compose(f"{seed}/composer")
    timbres = catalogue(instruments, split, fetched)
    length = round(song.duration_seconds * SAMPLE_RATE_HZ)
    stems = np.zeros((len(STEMS), length), dtype=np.float32)
    details: dict[str, Any] = {}
    for index, stem in enumerate(STEMS):
        if song.parts[stem].notes:
            stem_rng = Random(f"{seed}/render/{stem}")
            stems[index], details[stem] = _render_stem(
                song, stem, timbres[stem], stem_rng, varied=split == "train"
            )
    fade = round(_FADE_SECONDS * SAMPLE_RATE_HZ)
    stems[:, -fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    peak = max(float(np.abs(stems.sum(axis=0)).max()), float(np.abs(stems).max()))
    gain_db = rng.uniform(-8.0, 0.0) + 20.0 * np.log10(_HIGHEST_PEAK / max(peak, 1e-6))
    stems *= np.float32(10.0 ** (gain_db / 20.0))
    for detail in details.values():
        detail["level_db"] = round(detail["level_db"] + gain_db, 2)
    about = {
        "seed": seed, "source": song.source, "style": song.style, "tempo": round(song.tempo, 2), "key": song.key,
        "meter": song.meter, "duration_seconds": round(length / SAMPLE_RATE_HZ, 3), "stems": details,
    }  # fmt: skip
    return stems, about


def _render_stem(
    song: Song, stem: str, timbres: list[Timbre], rng: Random, *, varied: bool
) -> tuple[np.ndarray, dict[str, Any]]:
    """One stem with its effects at its level, and its description."""
    part = song.parts[stem]
    driven = None
    if stem == "guitar":
        heavy = bool({"power", "chug"} & set(part.kinds)) or (
            "lead" in part.kinds and rng.random() < 0.4
        )
        driven = (heavy and rng.random() < 0.75) or rng.random() < (0.2 if varied else 0.08)
    if stem == "drums":
        audio, names = _render_kit(part, song.duration_seconds, timbres, rng)
        drive = 0.15
    else:
        timbre = choose_timbre(rng, timbres, driven if rng.random() < 0.6 else None)
        cents = rng.gauss(0.0, 4.0) if rng.random() < 0.75 else rng.uniform(-30.0, 30.0)

        def play(timbre: Timbre) -> tuple[np.ndarray, str]:
            played, semitones = _resized(part, stem, timbre, rng) if varied else (part, 0)
            name, tuned = (
                f"{timbre.name}{semitones:+d}" if semitones else timbre.name,
                cents + 100 * semitones,
            )
            if varied and timbre.path and rng.random() < _LOOPED[stem]:
                render = partial(_render_timbre, timbre=timbre, cents=0.0, rng=rng)
                return render_looped(
                    played, song.duration_seconds, tuned, rng, render
                ), f"{name} looped"
            return _render_timbre(played, song.duration_seconds, timbre, tuned, rng), name

        audio, name = play(timbre)
        names = [name]
        if (
            varied and not part.bends and rng.random() < _DOUBLED[stem]
        ):  # not every instrument bends
            double, name = play(choose_timbre(rng, timbres, timbre.driven))
            gain = (
                10.0 ** rng.uniform(-0.4, 0.0)
                * np.abs(audio).max()
                / max(float(np.abs(double).max()), _SILENCE)
            )
            audio = audio + double * np.float32(gain)
            names.append(name)
        drive = {
            "bass": 0.2,
            "piano": 0.06,
            "guitar": 0.8 if driven and not timbre.driven else 0.15,
        }[stem]
    peak = float(np.abs(audio).max())
    if not np.isfinite(peak) or peak < _SILENCE:
        raise RuntimeError(
            f"{stem} is silent although it has {len(part.notes)} notes: {', '.join(names)}"
        )
    audio, effects = add_effects(audio * np.float32(0.5 / peak), stem, rng, drive, varied=varied)
    audio = without_rumble(audio)
    level_db = _LEVELS_DB[stem] + rng.uniform(-4.0, 4.0)
    audio *= np.float32(10.0 ** (level_db / 20.0) / active_rms(audio))
    detail = {
        "timbres": names,
        "parts": part.kinds,
        "effects": effects,
        "level_db": level_db,
        "notes": len(part.notes),
    }
    return audio, detail


def _resized(part: Part, stem: str, timbre: Timbre, rng: Random) -> tuple[Part, int]:
    """A part for an instrument of another size and touch, and the semitones that tune it back.

    Played lower and tuned up by as much, a sampled instrument sounds smaller: its resonances are higher and it dies
    away sooner. What is made from numbers has other ones each time anyway.
    """
    semitones = (
        round(min(max(rng.gauss(0.0, _SIZE_SEMITONES[stem]), -7.0), 7.0)) if timbre.path else 0
    )
    touch = 2.0 ** rng.gauss(0.0, 0.4)
    notes = [
        replace(
            note,
            pitch=note.pitch - semitones,
            velocity=max(1, round(127 * (note.velocity / 127) ** touch)),
        )
        for note in part.notes
    ]
    return replace(part, notes=notes), semitones


def active_rms(audio: np.ndarray) -> float:
    """Root mean square of a stem [T] over the frames of 0.2 s that lie within 30 dB of the loudest one."""
    frame = SAMPLE_RATE_HZ // 5
    count = len(audio) // frame
    power = np.mean(audio[: count * frame].reshape(count, frame).astype(np.float64) ** 2, axis=1)
    return float(np.sqrt(power[power >= power.max() * 1e-3].mean()) + 1e-12)


def _render_kit(
    part: Part, duration_seconds: float, timbres: list[Timbre], rng: Random
) -> tuple[np.ndarray, list[str]]:
    """The drums on one kit, or half of the time on a kit mixed from up to three.

    Groups of drums are balanced here wherever kits mix, and for kits of one-shots, which come as loud as they can be.
    """
    cents = rng.gauss(0.0, 120.0) if rng.random() < 0.6 else 0.0
    first = choose_timbre(rng, timbres)
    single = rng.random() < 0.5
    if single and first.kind == "soundfont":
        return _render_timbre(part, duration_seconds, first, cents, rng), [first.name]
    kits = [
        first,
        *(choose_timbre(rng, timbres) for _ in range(0 if single else rng.choice((1, 1, 2)))),
    ]
    owners = {group: rng.randrange(len(kits)) for group in (*_DRUM_GROUPS, "percussion")}
    audio = np.zeros(round(duration_seconds * SAMPLE_RATE_HZ), dtype=np.float32)
    rest = [
        note
        for note in part.notes
        if not any(note.pitch in drums for drums, _ in _DRUM_GROUPS.values())
    ]
    groups = {name: ([note for note in part.notes if note.pitch in drums], peak)
              for name, (drums, peak) in _DRUM_GROUPS.items()}  # fmt: skip
    groups["percussion"] = (rest, _PERCUSSION_PEAK)
    for name, (notes, peak) in groups.items():
        if notes:
            sound = _render_timbre(Part(notes), duration_seconds, kits[owners[name]], cents, rng)
            highest = float(np.abs(sound).max())
            if highest > _SILENCE:
                audio += sound * np.float32(
                    peak * 10.0 ** (rng.uniform(-4.0, 4.0) / 20.0) / highest
                )
    return audio, sorted({kits[owner].name for owner in owners.values()})


def _render_timbre(
    part: Part, duration_seconds: float, timbre: Timbre, cents: float, rng: Random
) -> np.ndarray:
    """A part on one timbre: [T] float32, not normalised."""
    if timbre.delay_seconds or timbre.octaves:
        moved = [
            replace(
                note,
                start_seconds=max(0.0, note.start_seconds - timbre.delay_seconds),
                pitch=note.pitch + 12 * timbre.octaves,
            )
            for note in part.notes
        ]
        part = replace(part, notes=moved)
    if timbre.kind == "machine":
        return render_machine(part, duration_seconds, rng)
    if timbre.kind in _STRINGS:
        return _STRINGS[timbre.kind](part, duration_seconds, cents, rng)
    if timbre.path is None:
        raise ValueError(f"expected a path for the timbre {timbre.name}, got None")
    if timbre.kind == "soundfont":
        return render_soundfont(part, duration_seconds, timbre.path, timbre.preset, cents)
    if timbre.kind == "sampled":
        return render_sampled(part, duration_seconds, timbre.path, timbre.compass, cents)
    return render_hydrogen(part, duration_seconds, timbre.path, cents, rng)
