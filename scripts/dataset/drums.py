"""Drum parts: grooves in many styles, fills, dynamics, and percussion on top."""

from random import Random

from scripts.dataset.chart import Section
from scripts.dataset.part_writer import PartWriter

# Drums of General MIDI.
KICK = 36
STICK = 37
SNARE = 38
CLAP = 39
HAT = 42
PEDAL_HAT = 44
OPEN_HAT = 46
CRASH = 49
RIDE = 51
BELL = 53
TOMS = (50, 48, 47, 45, 43, 41)
VELOCITIES = {"X": 118.0, "x": 98.0, "o": 66.0, "g": 38.0}
# Style -> kicks, snares, cymbals. A line is one bar of sixteenths:
# X accent, x normal, o soft, g ghost, . rest.
GROOVES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "rock": (
        ("X.......x.......", "X.......x.x.....", "X..x....x.......",
         "X.....x.x.......", "X.x.....x.x...x.", "X......xx......."),
        ("....X.......X...", "....X.......X..g", "....X..g.g..X..."),
        ("x.o.x.o.x.o.x.o.", "X.x.X.x.X.x.X.x.", "x...x...x...x...", "xoxoxoxoxoxoxoxo"),
    ),
    "pop": (
        ("X.......x..x....", "X.....x...x.....", "X..x..x.....x...", "X.........x....."),
        ("....X.......X...", "....X.......X.g."),
        ("x.o.x.o.x.o.x.o.", "xoxoxoxoxoxoxoxo", "..x...x...x...x."),
    ),
    "funk": (
        ("X..x..x...x..x..", "X.x.......xx....", "X......x..x...x.", "X..x......x..x.."),
        ("....X..g.g..X..g", "....X.g..gg.X...", "....X..g...gX.g.", "....X..x.x..X..."),
        ("xoxoxoxoxoxoxoxo", "x.xox.xox.xox.xo", "x.o.xoo.x.o.xoo."),
    ),
    "disco": (
        ("X...X...X...X...",),
        ("....X.......X...", "....X.......X..g"),
        ("x.X.x.X.x.X.x.X.", "..X...X...X...X.", "xoXoxoXoxoXoxoXo"),
    ),
    "house": (
        ("X...X...X...X...", "X...X...X...X..x"),
        ("....X.......X...", "................", "....x.......x..o"),
        ("..X...X...X...X.", "xoXoxoXoxoXoxoXo"),
    ),
    "shuffle": (
        ("X.......x.......", "X.....x.x.......", "X...x...X...x...", "X.......x.....x."),
        ("....X.......X...", "....X.g...g.X.g.", "....X.....g.X..."),
        ("x.o.x.o.x.o.x.o.", "X.x.X.x.X.x.X.x."),
    ),
    "swing": (
        ("o...o...o...o...", "x...............", "x.........x.....", "o.....x.....o..."),
        ("................", "......g.......g.", "..g.......o.....", "......o........."),
        ("x...x.o.x...x.o.", "x..ox...x..ox..."),
    ),
    "bossa": (
        ("X..xX..xX..xX..x", "X.....x.X.....x.", "X..x....X..x...."),
        ("X..X..X...X..X..", "..X...X..X..X...", "X..X..X...X..X.."),
        ("xoxoxoxoxoxoxoxo", "x.o.x.o.x.o.x.o."),
    ),
    "latin": (
        ("X..x..x.X..x..x.", "...X...X...X...X", "X.....x...X.x..."),
        ("....o..X....o.X.", "...X......X.....", "X..X..X...X.X..."),
        ("x.xox.xox.xox.xo", "x..x..x...x.x...", "x.o.x.oox.o.x.oo"),
    ),
    "reggae": (
        ("........X.......", "X.......X.......", "X...X...X...X..."),
        ("........X.......", "........X.....g.", "........X..o...."),
        ("x.o.x.o.x.o.x.o.", "..x...x...x...x.", "x.oox.oox.oox.oo"),
    ),
    "ballad": (
        ("X.........x.....", "X.......x.......", "X......xx......."),
        ("........X.......", "....X.......X..."),
        ("x...o...x...o...", "x.o.x.o.x.o.x.o."),
    ),
    "metal": (
        ("XxXxXxXxXxXxXxXx", "X.xxX.xxX.xxX.xx", "X..X..X..X..X.X.", "XX.XX.XX.XX.X.X."),
        ("....X.......X...", "..X...X...X...X.", "........X......."),
        ("X...X...X...X...", "x.x.x.x.x.x.x.x."),
    ),
    "halftime": (
        ("X......x..x.....", "X..x.......x..x.", "X.....x........."),
        ("........X.......", "........X..g...g"),
        ("x.o.x.o.x.o.x.o.", "x.ooxoo.xxooxoxx"),
    ),
    "breakbeat": (
        ("X.x.......xx....", "X..x......x..x..", "X.........x....."),
        ("....X..x.x..X..x", "....X..g.X....X.", "....X..x....X.x."),
        ("x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo", "x.o.xoo.x.o.xoo."),
    ),
    "march": (
        ("X.......x.......", "X...x...X...x..."),
        ("..x.x.oo..x.x.oo", "X.ooX.ooX.ooXoxo", "X..xX.x.X..xX.x."),
        ("................", "....x.......x..."),
    ),
    "waltz": (
        ("X...........", "X.......x...", "X.....x....."),
        ("....x...x...", "....X...X...", "........X...", "....X......."),
        ("x...o...o...", "x.o.x.o.x.o.", "o...x...x.x."),
    ),
    "sixeight": (
        ("X...........", "X....x......", "X.........x.", "X...x......."),
        ("......X.....", "......X...g.", "......X....."),
        ("x.o.o.x.o.o.", "X.x.x.X.x.x.", "xoooooxooooo"),
    ),
}  # fmt: skip
PERCUSSION = (
    (54, "....x.......x..."), (54, "x.o.X.o.x.o.X.o."), (70, "xoXoxoXoxoXoxoXo"),
    (82, "xoxoXoxoxoxoXoxo"), (56, "x...x...x...x..."), (56, "x.x...x.x..x.x.."),
    (64, "x..ox.xx..x.x.xx"), (39, "....x.......x..."), (69, "x.ooX.oox.ooX.oo"),
    (75, "x..x..x...x.x..."), (61, "x.oox.oox.oox.xo"),
)  # fmt: skip
METAL_TOPS = (49, 52, 57, 46, 51)


class DrumStyle:
    """The choices a drummer makes once for a song; `play_bar` then plays a bar of a section.

    Attributes:
        stick_snare: Whether verses have side sticks in place of the snare.
        percussion: Pitches of further instruments, and what they play.
        steady: Whether all sections have the same patterns.
        period: Bars after which the patterns come again.
        opens: Whether the last hi-hat of a bar is open.
        rings: Whether accents on the ride are on its bell.
        cymbals: Pitches of the crashes.
        crash_every: Bars between crashes within a section; 0 for none.
        fill_every: Bars between fills within a section.
        fills_sections: How often a section ends with a fill.
        ride_sections: Names of the sections with a ride in place of the hi-hat.
        busy: Half of this is the share of steps with an ornament.
    """

    def __init__(self, rng: Random, groove: str, seed: str) -> None:
        """Draw a drummer's habits for a groove; `seed` makes patterns and fills."""
        self.groove = groove
        self.seed = seed
        self.stick_snare = groove in ("bossa", "latin", "ballad", "reggae") and rng.random() < 0.6
        self.snare = rng.choice(
            (SNARE, SNARE, SNARE, 40, CLAP if groove in ("house", "disco") else SNARE)
        )
        self.percussion = [rng.choice(PERCUSSION) for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))]
        self.steady = rng.random() < 0.5
        self.period = rng.choice((1, 1, 2, 2, 4))
        self.opens = rng.random() < 0.15
        self.rings = rng.random() < 0.2
        self.cymbals = rng.choice(((CRASH,), (CRASH,), (CRASH, 57), (CRASH, 55), (57, 52)))
        self.crash_every = rng.choice((0, 0, 0, 0, 8, 4, 2))
        self.fill_every = rng.choice((4, 8, 8, 16, 16))
        self.fills_sections = rng.choice((0.0, 0.4, 0.7, 0.9))
        self.fills = rng.choice((1, 1, 2, 4))
        self.ride_sections = set(
            rng.sample(("verse", "chorus", "solo", "bridge"), rng.choice((0, 1, 1, 2)))
        )
        self.busy = rng.random() * 0.12
        self.ghosts = rng.random() < 0.5

    def play_bar(self, writer: PartWriter, section: Section, bar: int) -> None:
        """Write one bar: the groove, with or without a crash at its start and a fill at its end."""
        inside = bar - section.first_bar
        name = "" if self.steady else section.name
        pattern = Random(f"{self.seed}/{name}/{inside % self.period}")
        kicks, snares, tops = GROOVES[self.groove]
        steps = writer.chart.steps_per_bar
        fill = self._choose_fill(writer.rng, section, inside)
        until = steps - (min(steps, fill.choice((2, 4, 4, 4, 8, 8, 16))) if fill else 0)
        self._line(writer, bar, pattern.choice(kicks), KICK, until)
        snare = STICK if self.stick_snare and section.name != "chorus" else self.snare
        self._line(writer, bar, pattern.choice(snares), snare, until)
        self._line(writer, bar, pattern.choice(tops), self._top(section, pattern), until)
        if self.groove == "swing" or pattern.random() < 0.1:
            self._line(
                writer, bar, "....x.......x..." if steps == 16 else "....x...x...", PEDAL_HAT, until
            )
        for pitch, line in self.percussion:
            if section.intensity > 0.6:
                self._line(writer, bar, line[:steps], pitch, until)
        self._ornament(writer, bar, pattern, until)
        if self._crashes(writer.rng, bar, inside):
            writer.add(bar, 0, 8, writer.rng.choice(self.cymbals), 108)
            writer.add(bar, 0, 1, KICK, 108)
        if fill:
            self._fill(writer, bar, until, fill)

    def _ornament(self, writer: PartWriter, bar: int, pattern: Random, until: int) -> None:
        """Soft strokes between those of the groove; they come again whenever the pattern does."""
        for step in range(1, writer.chart.steps_per_bar):
            if pattern.random() < self.busy * 0.5:
                sound, velocity = pattern.choice((KICK, self.snare, HAT)), pattern.uniform(30, 70)
                if step < until:
                    writer.add(bar, step, 1, sound, velocity)

    def _crashes(self, rng: Random, bar: int, inside: int) -> bool:
        """Whether a bar begins with a crash: where a section begins, or every few bars."""
        if inside == 0:
            return rng.random() < (0.8 if bar else 0.3)
        return bool(self.crash_every) and inside % self.crash_every == 0

    def _top(self, section: Section, pattern: Random) -> int:
        if self.groove == "swing":
            return RIDE if pattern.random() < 0.8 else HAT
        if self.groove == "metal":
            return pattern.choice(METAL_TOPS)
        if section.name in self.ride_sections:
            return pattern.choice((RIDE, RIDE, 59, BELL, OPEN_HAT))
        return OPEN_HAT if self.groove in ("house",) else HAT

    def _line(self, writer: PartWriter, bar: int, line: str, pitch: int, until: int) -> None:
        for step, mark in enumerate(line[:until]):
            if mark == "." or (mark == "g" and not self.ghosts):
                continue
            sound = self._sound(pitch, mark, step == len(line) - 2)
            writer.add(bar, step, 1, sound, VELOCITIES[mark])

    def _sound(self, pitch: int, mark: str, last: bool) -> int:
        """The drum for a mark of a line; some players open the last hat or strike a ride's bell."""
        if pitch == HAT and mark == "X" and self.groove in ("disco", "house"):
            return OPEN_HAT
        if pitch == HAT and last and self.opens:
            return OPEN_HAT
        if pitch == RIDE and mark == "X" and self.rings:
            return BELL
        return pitch

    def _choose_fill(self, rng: Random, section: Section, inside: int) -> Random | None:
        """What draws the fill at the end of this bar, one of a drummer's few; None for no fill."""
        last = inside == section.num_bars - 1
        if (last and rng.random() < self.fills_sections) or (
            inside % self.fill_every == self.fill_every - 1 and rng.random() < 0.5
        ):
            return Random(f"{self.seed}/fill/{rng.randrange(self.fills)}")
        return None

    def _fill(self, writer: PartWriter, bar: int, start: int, rng: Random) -> None:
        """Toms, snare and kick from `start` to the bar's end, mostly downwards, growing louder."""
        steps = writer.chart.steps_per_bar
        grid = rng.choice(
            (1, 1, 2, 4 / 3, 2 / 3) if self.groove in ("swing", "shuffle") else (1, 1, 1, 2, 0.5)
        )
        density = rng.uniform(0.6, 1.0)
        kind = rng.choice(("toms", "toms", "snare", "mixed"))
        step = float(start)
        while step < steps - 0.01:
            progress = (step - start) / max(steps - start, 1)
            if rng.random() < density:
                tom = TOMS[min(int(progress * len(TOMS)), 5)]
                sound = {
                    "toms": tom,
                    "snare": self.snare,
                    "mixed": rng.choice((tom, self.snare, KICK)),
                }[kind]
                writer.add(bar, step, 1, sound, 75 + 40 * progress)
                if rng.random() < 0.15:
                    writer.add(bar, step, 1, KICK, 90)
            step += grid
