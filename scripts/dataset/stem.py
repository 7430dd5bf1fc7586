"""Renders a stem: its parts with their instruments and effects, and its level."""

from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

import numpy as np

from scripts.dataset.effects import add_effects, without_rumble
from scripts.dataset.instruments import render_timbre
from scripts.dataset.kit import SILENCE, render_kit
from scripts.dataset.looped import render_looped
from scripts.dataset.midi_tracks import DISTORTED
from scripts.dataset.score import SAMPLE_RATE_HZ, Part, Song
from scripts.dataset.timbres import Timbre, choose_timbre, list_fitting

LEVELS_DB = {"bass": -20.0, "drums": -18.0, "guitar": -22.0, "piano": -22.0}
LEVEL_SPREAD_DB = 5.0
"""By how much the level of a stem varies (standard deviation): one of two is often the louder."""

MOST_LEVEL_DB = 12.0

DRIVE = {"bass": 0.2, "drums": 0.15, "guitar": 0.15, "piano": 0.06}
"""How often a stem is distorted, where nothing else says so."""

DRIVEN_AS_WRITTEN = 0.9
"""How often a guitar is distorted whose MIDI program is, and one in ten of the others."""

DOUBLED = {"bass": 0.1, "guitar": 0.25, "piano": 0.25}
"""How often a training part is played on two instruments at once."""

LOOPED = {"bass": 0.45, "guitar": 0.35, "piano": 0.35}
"""How often a training part is played on a sampler's loops of an instrument."""

SIZE_SEMITONES = {"bass": 2.0, "guitar": 3.0, "piano": 3.0}
"""By how many semitones the size of an instrument varies (standard deviation)."""

DECAY_OCTAVES = 0.8
"""By how much sooner instruments die away (standard deviation of a normal one that is folded)."""

RELEASE_OCTAVES = 1.0
"""By how much the release of an instrument varies (standard deviation)."""

BENDING_KINDS = ("soundfont", "sampled")
"""Kinds of timbre that bend notes; a sampler's loops do not."""

MOST_SEMITONES = 7.0

TUNING_CENTS = 3.0
"""By how much instruments of a song are out of tune with each other (standard deviation)."""

SECOND_SOFTER_DB = 9.0
"""By how much a second part is softer than the first at most."""


@dataclass(frozen=True)
class StemRenderer:
    """Renders one stem of a song.

    Attributes:
        song: What is played.
        stem: Name of the stem.
        timbres: Instruments to choose from.
        rng: Decides everything.
        varied: Whether instruments are varied, as in training songs.
        tuning_cents: To what the band is tuned, relative to 440 Hz.
    """

    song: Song
    stem: str
    timbres: list[Timbre]
    rng: Random
    varied: bool
    tuning_cents: float = 0.0

    @property
    def part(self) -> Part:
        """The notes of the stem."""
        return self.song.parts[self.stem]

    def render(self) -> tuple[np.ndarray, dict[str, Any]]:
        """The stem with its effects at its level, ``[T]``, and its description.

        Raises:
            RuntimeError: A part is silent although it has notes.
        """
        audio, details = self._render_part()
        if self.stem in self.song.second_parts:
            audio, details = self._add_second(audio, details)
        drawn_db = self.rng.gauss(0.0, LEVEL_SPREAD_DB)
        level_db = LEVELS_DB[self.stem] + min(max(drawn_db, -MOST_LEVEL_DB), MOST_LEVEL_DB)
        audio = audio * np.float32(10.0 ** (level_db / 20.0) / active_rms(audio))
        return audio, {**details, "level_db": level_db}

    def _add_second(
        self, audio: np.ndarray, details: dict[str, Any]
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """The first part and the second one, softer and on another instrument, if there is one."""
        parts = {**self.song.parts, self.stem: self.song.second_parts[self.stem]}
        played_on = tuple(details["timbres"])
        others = [
            timbre
            for timbre in self.timbres
            if not any(name.startswith(timbre.name) for name in played_on)
        ]
        song = replace(self.song, parts=parts, second_parts={})
        renderer = replace(self, song=song, timbres=others or self.timbres)
        second, second_details = renderer._render_part()
        softer_db = self.rng.uniform(0.0, SECOND_SOFTER_DB)
        gain = 10.0 ** (-softer_db / 20.0) * active_rms(audio) / active_rms(second)
        second_details["softer_db"] = round(softer_db, 2)
        return audio + second * np.float32(gain), {**details, "second": second_details}

    def _render_part(self) -> tuple[np.ndarray, dict[str, Any]]:
        """The first part with its effects, ``[T]``, and its description."""
        if self.stem == "drums":
            duration = self.song.duration_seconds
            audio, names = render_kit(self.part, duration, self.timbres, self.rng)
            drive = DRIVE["drums"]
        else:
            audio, names, drive = self._play()
        peak = float(np.abs(audio).max())
        if not np.isfinite(peak) or peak < SILENCE:
            instruments = ", ".join(names)
            notes = len(self.part.notes)
            raise RuntimeError(f"{self.stem} is silent on {instruments}, with {notes} notes")
        audio = audio * np.float32(0.5 / peak)
        audio, effects = add_effects(audio, self.stem, self.rng, drive, varied=self.varied)
        return without_rumble(audio), {
            "timbres": names,
            "parts": self.part.kinds,
            "effects": effects,
            "notes": len(self.part.notes),
        }

    def _play(self) -> tuple[np.ndarray, list[str], float]:
        """The part on one instrument or two, their names, and the chance of a distortion."""
        rng = self.rng
        driven = self._draw_driven() if self.stem == "guitar" else None
        timbres = list_fitting(self.part, self.timbres)
        timbre = choose_timbre(rng, timbres, driven if rng.random() < 0.6 else None)
        cents = self.tuning_cents + rng.gauss(0.0, TUNING_CENTS)
        doubled = self.varied and rng.random() < DOUBLED[self.stem]
        others = [other for other in timbres if other.kind in BENDING_KINDS]
        # Two instruments bend together, or neither does.
        together = doubled and bool(self.part.bends) and timbre.kind in BENDING_KINDS
        part = self.part if together or not doubled else replace(self.part, bends=[])
        audio, name = self._play_on(timbre, part, cents, loops=not together)
        names = [name]
        if doubled:
            other = choose_timbre(rng, others if together else timbres, timbre.driven)
            double, name = self._play_on(other, part, cents, loops=not together)
            loudest = max(float(np.abs(double).max()), SILENCE)
            gain = 10.0 ** rng.uniform(-0.4, 0.0) * np.abs(audio).max() / loudest
            audio = audio + double * np.float32(gain)
            names.append(name)
        drive = 0.8 if driven and not timbre.driven else DRIVE[self.stem]
        return audio, names, drive

    def _draw_driven(self) -> bool:
        """Whether a guitar is distorted: mostly where it plays heavy music, or where it says so."""
        rng = self.rng
        kinds = set(self.part.kinds)
        if kinds & {"mma", "written"}:
            return rng.random() < (DRIVEN_AS_WRITTEN if DISTORTED in kinds else 0.1)
        heavy = bool({"power", "chug"} & kinds) or ("lead" in kinds and rng.random() < 0.4)
        return (heavy and rng.random() < 0.75) or rng.random() < (0.2 if self.varied else 0.08)

    def _play_on(
        self, timbre: Timbre, part: Part, cents: float, *, loops: bool
    ) -> tuple[np.ndarray, str]:
        """A part on an instrument, and the name of that as it was varied.

        With `loops` it may be played on a sampler's loops.
        """
        rng = self.rng
        seconds = self.song.duration_seconds
        semitones = 0
        if self.varied:
            part, semitones = resize(part, self.stem, timbre, rng)
            decay = 2.0 ** -abs(rng.gauss(0.0, DECAY_OCTAVES))
            timbre = replace(timbre, ending=(decay, 2.0 ** rng.gauss(0.0, RELEASE_OCTAVES)))
        name = f"{timbre.name}{semitones:+d}" if semitones else timbre.name
        tuned = cents + 100 * semitones
        if loops and self.varied and timbre.path and rng.random() < LOOPED[self.stem]:
            render = partial(render_timbre, timbre=timbre, cents=0.0, rng=rng)
            return render_looped(part, seconds, tuned, rng, render), f"{name} looped"
        return render_timbre(part, seconds, timbre, tuned, rng), name


def resize(part: Part, stem: str, timbre: Timbre, rng: Random) -> tuple[Part, int]:
    """A part for an instrument of another size and touch, and the semitones that tune it back.

    Played lower and tuned up by as much, a sampled instrument sounds smaller: its resonances are
    higher and it dies away sooner. What is made from numbers has other ones each time anyway.
    """
    semitones = 0
    if timbre.path:
        drawn = rng.gauss(0.0, SIZE_SEMITONES[stem])
        semitones = _play_all(part, timbre, round(min(max(drawn, -MOST_SEMITONES), MOST_SEMITONES)))
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


def _play_all(part: Part, timbre: Timbre, semitones: int) -> int:
    """So many semitones or fewer, so that the timbre plays the notes it would play without."""
    low, high = timbre.compass
    played = [note.pitch for note in part.notes if low <= note.pitch <= high] or [low]
    return min(max(semitones, max(played) - high), min(played) - low)


def active_rms(audio: np.ndarray) -> float:
    """Root mean square of a stem over its frames of 0.2 s within 30 dB of the loudest, ``[T]``."""
    frame = SAMPLE_RATE_HZ // 5
    count = len(audio) // frame
    power = np.mean(audio[: count * frame].reshape(count, frame).astype(np.float64) ** 2, axis=1)
    return float(np.sqrt(power[power >= power.max() * 1e-3].mean()) + 1e-12)
