"""Tempo, first beat and key of stems that are there.

``scripts/bench/hearing.md`` says how often they are heard right. A library for that, librosa, would
bring 200 MB of others with it; it finds as many tempos, and no bars.
"""

import dataclasses
import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from msdm_cli.audio.song_windows import SongWindows
from msdm_cli.audio.source import AudioSource
from msdm_cli.representations.sketch import HOP, MARGIN, SAMPLE_RATE_HZ, find_sketch
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.listener import DELAY_SECONDS, FRAMES_PER_SECOND, Beat, Listener
from msdm_cli.tasks.styles import STYLES
from msdm_cli.tasks.tonality import UNPITCHED

Part = tuple[float, float]
"""From and to, in seconds."""

BLOCK_FRAMES = 256
MOST_FRAMES = 50 * BLOCK_FRAMES
"""Five minutes say enough."""

NEAR_SECONDS = 60.0
"""So much is heard on either side of a part."""

SAME_TEMPO = 0.04
"""A tempo that differs by less is the same one, written down less exactly."""


@dataclass(frozen=True)
class Heard:
    """What was heard in stems, where it was not known before.

    Attributes:
        tempo: In beats a minute.
        key: A note and a mode.
        first_beat: Time of the first beat of a bar, in seconds, at ``tempo`` or the one asked for.
    """

    tempo: float | None = None
    key: str | None = None
    first_beat: float | None = None


def hear(
    sources: Mapping[str, AudioSource], asked: Controls, part: Part | None = None
) -> tuple[Controls, Heard]:
    """Controls with tempo, first beat and key of stems, where they are not asked for.

    Bars are those of the style that is asked for, and its usual tempos say whether a tempo, half of
    it or twice of it is meant.

    Args:
        sources: The stems.
        asked: What is asked for.
        part: What it is asked for, from and to, in seconds; all if None. What lies within a minute
            of it is heard: music that people play changes its tempo. What follows the stems at
            another tempo begins with the beat at which they end.

    Raises:
        AudioError: A stem cannot be decoded.
    """
    asked = asked.styled
    timed = asked.tempo is not None and asked.first_beat is not None
    if timed and asked.key:
        return asked, Heard()
    listener = listen(sources, part)
    usual = STYLES[asked.style].tempos if asked.style else None
    beat = None if timed else listener.find_beat(asked.tempo, asked.bar_quarters, usual)
    end = max(source.properties.seconds for source in sources.values())
    if beat and asked.tempo and part and part[0] >= end:
        beat = follow(beat, listener.find_beat(usual=usual), end)
    key = asked.key or listener.find_key()
    heard = Heard(
        tempo=round(beat.tempo, 2) if beat and not asked.tempo else None,
        key=None if asked.key else key,
        first_beat=beat.first_beat if beat and asked.first_beat is None else None,
    )
    asked = dataclasses.replace(asked, key=key)
    if beat is None:
        return asked, heard
    first_beat = beat.first_beat if asked.first_beat is None else asked.first_beat
    return dataclasses.replace(asked, tempo=beat.tempo, first_beat=first_beat), heard


def follow(beat: Beat, before: Beat | None, end: float) -> Beat:
    """A beat that goes on from another: if the tempo changes, with the first one from ``end`` on.

    Args:
        beat: The beat, at the place where it was found in the music before.
        before: That of the music before, if it has one.
        end: Where that music ends, in seconds.
    """
    if before is None or abs(before.tempo / beat.tempo - 1) < SAME_TEMPO:
        return beat
    period = 60 / before.tempo
    count = math.ceil((end - DELAY_SECONDS - before.first_beat) / period)
    return Beat(beat.tempo, before.first_beat + count * period)


def listen(sources: Mapping[str, AudioSource], part: Part | None = None) -> Listener:
    """What has heard the first minutes of stems, together, or what lies around a part.

    Raises:
        AudioError: One cannot be decoded.
    """
    first_frame = last_frame = 0
    if part is not None:
        first_frame = max(0, math.floor((part[0] - NEAR_SECONDS) * FRAMES_PER_SECOND))
        last_frame = math.ceil((part[1] + NEAR_SECONDS) * FRAMES_PER_SECOND)
    listener = Listener(
        pitched=any(name not in UNPITCHED for name in sources),
        start=first_frame / FRAMES_PER_SECOND,
    )
    with ExitStack() as stack:
        windows = {
            name: SongWindows(stack.enter_context(source.open()), SAMPLE_RATE_HZ)
            for name, source in sources.items()
        }
        frames = -(-min(one.total for one in windows.values()) // HOP)
        frames = min(frames, last_frame or frames, first_frame + MOST_FRAMES)
        for first in range(first_frame, frames, BLOCK_FRAMES):
            start = first * HOP - MARGIN
            stop = min(first + BLOCK_FRAMES, frames) * HOP + MARGIN
            before = max(0, -start)
            heard = {
                name: np.pad(one.read(start + before, stop).mean(0), (before, 0))
                for name, one in windows.items()
            }
            notes = [samples for name, samples in heard.items() if name not in UNPITCHED]
            sketch = find_sketch(np.sum(list(heard.values()), 0))
            alone = 0 < len(notes) < len(heard)
            listener.push(sketch, find_sketch(np.sum(notes, 0)) if alone else sketch)
    return listener
