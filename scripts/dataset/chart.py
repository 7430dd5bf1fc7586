"""The plan that all parts of a song share: meter, tempo, swing, sections and chords."""

from dataclasses import dataclass, replace
from math import inf
from random import Random

from scripts.dataset.score import STEMS
from scripts.dataset.theory import FAMILIES_BY_MODE, NAMES, Chord, progression

Bar = list[tuple[int, Chord]]
"""The chords of a bar, each with the step at which it begins."""

# Steps are sixteenth notes.
STEPS_PER_BAR = {"4/4": 16, "3/4": 12, "6/8": 12}
LEAD_IN_SECONDS = 0.03
TAIL_SECONDS = 2.5

INTENSITIES = {"chorus": (0.75, 1.0), "solo": (0.7, 1.0), "verse": (0.45, 0.8)}
"""Lowest and highest intensity of sections that are not like the others."""

RESTS = {
    "intro": (0.4, 0.4, 0.4, 0.45),
    "verse": (0.06, 0.05, 0.2, 0.22),
    "chorus": (0.02, 0.02, 0.07, 0.09),
    "bridge": (0.12, 0.15, 0.22, 0.22),
    "solo": (0.05, 0.05, 0.15, 0.18),
    "break": (0.45, 0.5, 0.4, 0.4),
    "outro": (0.15, 0.2, 0.3, 0.3),
}
"""How often bass, drums, guitar and piano rest in a section, where the factor below is 1."""

RESTLESS = {
    "bass": (0.0, 0.5, 1.0),
    "drums": (0.0, 0.0, 0.5, 1.0),
    "guitar": (0.0, 0.5, 1.0, 2.5),
    "piano": (0.0, 0.5, 1.0, 2.5),
}
"""Factors on that, one a song and stem: with 2.5 a guitar rests for about half of its song."""

THINNED = 0.2
"""How often fewer stems play in a part of a section: people rest for bars, not for sections."""

PACES = (0.5, 0.5, 1, 1, 1, 2, 2, 4)
"""For how many bars a song stays on a chord: from two chords a bar to four bars on one."""

SAME_CHORDS = 0.3
"""How often a kind of section has the chords of an earlier kind, as verse and chorus may."""

SECTION_BARS = (8, 8, 16)
"""About how many bars a section has; an intro has about 4."""


@dataclass(frozen=True)
class Section:
    """A section of a song.

    Attributes:
        name: verse, chorus, ...
        first_bar: Index of its first bar.
        num_bars: Number of bars.
        intensity: How loud and busy it is, from 0 to 1.
        playing: Stems that play in it.
    """

    name: str
    first_bar: int
    num_bars: int
    intensity: float
    playing: frozenset[str]


@dataclass(frozen=True)
class Chart:
    """What is common to all parts.

    Attributes:
        tonic: Pitch class of the key, 0 is C.
        mode: Name of the scale.
        meter: 4/4, 3/4 or 6/8.
        tempo: Quarter notes a minute.
        swing: Where the second half of each ``swing_steps`` steps begins, from 0.5 (straight) to
            0.67 (triplets).
        swing_steps: Sixteenth notes that swing together.
        bars: Of each bar, the chords with the step at which each begins.
        sections: In order.
    """

    tonic: int
    mode: str
    meter: str
    tempo: float
    swing: float
    swing_steps: int
    bars: list[Bar]
    sections: list[Section]

    @property
    def steps_per_bar(self) -> int:
        """Number of sixteenth notes in a bar."""
        return STEPS_PER_BAR[self.meter]

    @property
    def step_seconds(self) -> float:
        """Duration of a sixteenth note in seconds."""
        return 15.0 / self.tempo

    @property
    def duration_seconds(self) -> float:
        """Duration of the song with the tail in which the last notes ring."""
        return len(self.bars) * self.steps_per_bar * self.step_seconds + TAIL_SECONDS

    @property
    def key(self) -> str:
        """Name of the key, for example `Eb minor`."""
        return f"{NAMES[self.tonic]} {self.mode}"

    def chord_at(self, bar: int, step: float) -> Chord:
        """The chord that sounds at a step of a bar; past the last bar it is the last chord."""
        chords = self.bars[min(bar, len(self.bars) - 1)]
        sounding = chords[0][1]
        for start, chord in chords:
            if step >= start:
                sounding = chord
        return sounding

    def section_at(self, seconds: float) -> Section:
        """The section that a time lies in; past the last bar it is the last section."""
        bar = int((seconds + LEAD_IN_SECONDS) / (self.step_seconds * self.steps_per_bar))
        inside = (part for part in self.sections if bar < part.first_bar + part.num_bars)
        return next(inside, self.sections[-1])

    def seconds_at(self, bar: int, step: float) -> float:
        """Time of a step of a bar in seconds, swing included."""
        whole, inside = divmod(step, self.swing_steps)
        half = self.swing_steps / 2
        late = self.swing_steps * self.swing
        second = late + (inside - half) * (self.swing_steps - late) / half
        swung = inside * late / half if inside < half else second
        steps = bar * self.steps_per_bar + whole * self.swing_steps + swung
        return LEAD_IN_SECONDS + steps * self.step_seconds


def make_chart(
    rng: Random, meter: str, tempo: float, swing: tuple[float, int], families: tuple[str, ...]
) -> Chart:
    """Draw a key, a form and the chords of a song 60 to 150 s long."""
    family = rng.choice(families)
    mode = (
        family if family in FAMILIES_BY_MODE else {"blues": "mixolydian", "jazz": "major"}[family]
    )
    tonic = rng.randrange(12)
    colour = rng.choice((0.0, 0.1, 0.35)) if family != "jazz" else 0.3
    bar_seconds = STEPS_PER_BAR[meter] * 15.0 / tempo
    total_bars = int(rng.uniform(60.0, 150.0 - TAIL_SECONDS - 6 * bar_seconds) / bar_seconds)
    pace = 1 if family == "blues" else rng.choice(PACES)
    sections: list[Section] = []
    bars: list[Bar] = []
    loops: dict[str, list[Bar]] = {}
    restless = _draw_rests(rng)
    for name in _form(rng):
        left = total_bars - len(bars)
        if left <= 0:
            break
        if name not in loops:
            shares = loops and rng.random() < SAME_CHORDS
            new = _lay_out(progression(rng, family, tonic, colour), pace, meter)
            loops[name] = rng.choice(list(loops.values())) if shares else new
        loop = loops[name]
        num_bars = _count_bars(rng, name, len(loop), left)
        sections += _thin_out(rng, _section(rng, name, len(bars), num_bars, restless))
        played = [loop[index % len(loop)] for index in range(num_bars)]
        bars += _anticipate(played, meter) if rng.random() < 0.15 else played
    return Chart(tonic, mode, meter, tempo, swing[0], swing[1], bars, sections)


def _lay_out(chords: list[Chord], pace: float, meter: str) -> list[Bar]:
    """The bars of a progression whose chords last `pace` bars each; in 3/4, at least one bar."""
    if pace < 1 and meter != "3/4":
        pairs = zip(chords[::2], chords[1::2], strict=False)
        return [[(0, one), (_half(meter), other)] for one, other in pairs]
    return [[(0, chord)] for chord in chords for _ in range(max(1, round(pace)))]


def _half(meter: str) -> int:
    """The step at which the second chord of a bar begins."""
    return 6 if meter == "6/8" else 8


def _count_bars(rng: Random, name: str, loop: int, left: int) -> int:
    """Number of bars of a section: whole rounds of its loop, cut to 16 bars, and near the end.

    A song ends at most 3 bars later than planned.

    Args:
        rng: Draws the length.
        name: Of the section.
        loop: Bars of a round.
        left: Bars that the song still lacks.
    """
    wanted = 4 if name == "intro" else rng.choice(SECTION_BARS)
    return min(max(1, wanted // loop) * loop, 16, -(-left // 4) * 4)


def _anticipate(bars: list[Bar], meter: str) -> list[Bar]:
    """The bars; every other one that has a single chord ends with the chord of the next bar."""
    following = [*bars[1:], bars[0]]
    return [
        [bar[0], (_half(meter), later[0][1])] if index % 2 and len(bar) == 1 else bar
        for index, (bar, later) in enumerate(zip(bars, following, strict=True))
    ]


def _form(rng: Random) -> list[str]:
    """Names of sections in order, more of them than any song needs."""
    start = rng.choice((["intro"], ["intro"], [], ["chorus"]))
    body = rng.choice(
        (
            ["verse", "chorus", "verse", "chorus", "bridge", "chorus"],
            ["verse", "verse", "chorus", "solo", "verse", "chorus"],
            ["verse", "bridge", "chorus", "break", "chorus", "solo"],
            ["verse", "chorus", "break", "verse", "solo", "chorus"],
        )
    )
    return start + body + ["outro", *body, *body]


def _draw_rests(rng: Random) -> dict[str, float]:
    """By stem, the factor on how often it rests in a song; infinity if it is not in the song."""
    absent = zip(STEMS, (0.04, 0.06, 0.15, 0.17), strict=True)
    return {
        stem: inf if rng.random() < share else rng.choice(RESTLESS[stem]) for stem, share in absent
    }


def _section(
    rng: Random, name: str, first_bar: int, num_bars: int, restless: dict[str, float]
) -> Section:
    """Draw the intensity of a section and which stems rest in it; at least one plays."""
    low, high = INTENSITIES.get(name, (0.3, 0.8))
    shares = zip(STEMS, RESTS[name], strict=True)
    resting = {stem for stem, share in shares if rng.random() < share * restless[stem]}
    present = [stem for stem in STEMS if restless[stem] < inf] or list(STEMS)
    playing = [stem for stem in present if stem not in resting] or [rng.choice(present)]
    return Section(name, first_bar, num_bars, rng.uniform(low, high), frozenset(playing))


def _thin_out(rng: Random, section: Section) -> list[Section]:
    """The section, or its two parts: some stems enter half-way, or pause in its last bars."""
    if rng.random() >= THINNED or section.num_bars < 4 or len(section.playing) < 2:
        return [section]
    players = sorted(section.playing)
    fewer = frozenset(rng.sample(players, rng.randint(1, len(players) - 1)))
    enters_late = rng.random() < 0.35
    bars = section.num_bars // 2 if enters_late else section.num_bars - rng.choice((1, 1, 2))
    first = replace(section, num_bars=bars)
    second = replace(section, first_bar=section.first_bar + bars, num_bars=section.num_bars - bars)
    if enters_late:
        return [replace(first, playing=fewer), second]
    return [first, replace(second, playing=fewer)]
