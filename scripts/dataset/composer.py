"""Composes a song: a style sets meter, tempo, harmony and what each stem may play; sections do the rest."""

from dataclasses import dataclass
from random import Random

from scripts.dataset import bass, guitar, piano
from scripts.dataset.chart import TAIL_SECONDS, Chart, PartWriter, make_chart
from scripts.dataset.drums import CRASH, KICK, DrumStyle
from scripts.dataset.score import Part, Song, without_overlaps
from scripts.dataset.theory import nearest_pitch, voicing

PLAYERS = {"bass": bass.KINDS, "guitar": guitar.KINDS, "piano": piano.KINDS}


@dataclass(frozen=True)
class Style:
    """A musical style: meter, range of tempos, swing, drum groove, harmony, and the kinds of part for each stem."""

    meter: str
    tempos: tuple[int, int]
    swing: tuple[float, int]
    groove: str
    harmony: tuple[str, ...]
    bass: str
    guitar: str
    piano: str


_ROCK = ("major", "minor", "mixolydian", "minor", "major", "dorian")
_POP = ("major", "major", "minor", "lydian")
_STRAIGHT = (0.5, 4)
STYLES: dict[str, Style] = {
    "rock": Style("4/4", (95, 165), _STRAIGHT, "rock", _ROCK, "eighths riff eighths", "power riff strum lead chug",
                  "block octaves arpeggio pad"),
    "pop": Style("4/4", (80, 135), _STRAIGHT, "pop", _POP, "eighths riff sustain root_fifth arpeggio",
                 "strum pick funk lead sustain octaves", "block pad arpeggio comp melody broken"),
    "folk": Style("4/4", (75, 140), _STRAIGHT, "pop", _POP, "root_fifth sustain arpeggio", "strum pick pick lead",
                  "broken pad melody arpeggio"),
    "funk": Style("4/4", (85, 122), (0.53, 2), "funk", ("dorian", "minor", "mixolydian", "blues"), "funk riff octaves",
                  "funk funk riff octaves", "comp octaves montuno melody"),
    "disco": Style("4/4", (105, 132), _STRAIGHT, "disco", ("minor", "major", "dorian"), "octaves funk eighths",
                   "funk octaves strum skank", "comp block octaves pad"),
    "house": Style("4/4", (116, 130), _STRAIGHT, "house", ("minor", "dorian", "jazz"), "octaves riff eighths",
                   "funk skank pick sustain", "comp block arpeggio montuno"),
    "shuffle": Style("4/4", (85, 150), (0.655, 4), "shuffle", ("blues", "blues", "major", "mixolydian"),
                     "walking eighths riff root_fifth", "chug riff lead strum", "comp octaves stride melody"),
    "swing": Style("4/4", (100, 180), (0.645, 4), "swing", ("jazz", "jazz", "blues"), "walking walking root_fifth",
                   "strum lead octaves sustain pick", "comp stride melody comp"),
    "bossa": Style("4/4", (100, 150), _STRAIGHT, "bossa", ("jazz", "minor", "jazz"), "root_fifth tumbao root_fifth",
                   "pick strum lead octaves", "comp melody pad arpeggio"),
    "latin": Style("4/4", (90, 130), _STRAIGHT, "latin", ("minor", "major", "dorian"), "tumbao root_fifth riff",
                   "pick skank lead strum", "montuno montuno octaves melody"),
    "reggae": Style("4/4", (66, 96), (0.54, 2), "reggae", ("major", "minor", "dorian"), "reggae riff arpeggio",
                    "skank skank lead pick", "comp block pad melody"),
    "ballad": Style("4/4", (60, 88), _STRAIGHT, "ballad", ("major", "minor", "major", "jazz"),
                    "sustain root_fifth arpeggio riff", "pick strum lead sustain", "pad arpeggio broken melody block"),
    "metal": Style("4/4", (110, 180), _STRAIGHT, "metal", ("minor", "phrygian", "minor"), "eighths riff eighths",
                   "chug power riff lead", "octaves pad arpeggio melody"),
    "halftime": Style("4/4", (120, 170), (0.56, 2), "halftime", ("minor", "dorian"), "sustain riff reggae",
                      "pick lead sustain riff", "arpeggio pad comp melody"),
    "breakbeat": Style("4/4", (90, 176), _STRAIGHT, "breakbeat", ("minor", "dorian", "phrygian"), "riff sustain funk",
                       "pick funk riff sustain", "comp arpeggio pad melody"),
    "country": Style("4/4", (90, 170), _STRAIGHT, "march", ("major", "mixolydian"), "root_fifth root_fifth walking",
                     "strum pick lead riff", "stride block broken melody"),
    "waltz": Style("3/4", (80, 176), _STRAIGHT, "waltz", ("major", "minor", "jazz"), "root_fifth sustain walking",
                   "strum pick lead sustain", "stride block arpeggio pad melody"),
    "sixeight": Style("6/8", (60, 110), (0.5, 2), "sixeight", ("major", "minor", "blues"),
                      "arpeggio eighths sustain root_fifth",
                      "pick strum lead power", "arpeggio block pad broken melody"),
}  # fmt: skip


def compose(seed: str) -> Song:
    """A song of the composer's own in a random style; the same seed gives the same song."""
    rng = Random(seed)
    name = rng.choice(sorted(STYLES))
    style = STYLES[name]
    chart = make_chart(rng, style.meter, rng.uniform(*style.tempos), style.swing, style.harmony)
    parts = {stem: write_part(chart, style, stem, f"{seed}/{stem}") for stem in PLAYERS}
    parts["drums"] = write_drums(chart, style.groove, f"{seed}/drums")
    return Song(
        parts, chart.duration_seconds, "composer", name, chart.tempo, chart.key, chart.meter
    )


def write_part(chart: Chart, style: Style, stem: str, seed: str) -> Part:
    """The part of bass, guitar or piano: each name of section has its kind of part, which comes back with it."""
    rng = Random(seed)
    writer = PartWriter(chart, rng)
    favourites = getattr(style, stem).split()
    main = rng.choice(favourites)
    kinds: dict[str, str] = {}
    period = rng.choice((1, 2, 2, 4))
    for section in chart.sections:
        if section.name not in kinds:
            kinds[section.name] = main if rng.random() < 0.4 else rng.choice(favourites)
        if section.name == "solo" and stem != "bass":
            kinds[section.name] = (
                {"guitar": "lead", "piano": "melody"}[stem] if rng.random() < 0.6 else main
            )
        if stem not in section.playing:
            continue
        writer.intensity = section.intensity
        for bar in range(section.first_bar, section.first_bar + section.num_bars):
            free = period == 4 and rng.random() < 0.3
            pattern = Random(f"{seed}/{section.name}/{bar if free else bar % period}")
            PLAYERS[stem][kinds[section.name]](writer, bar, pattern)
    if chart.sections and stem in chart.sections[-1].playing:
        _write_ending(writer, stem)
    writer.part.kinds = sorted(set(kinds.values()))
    return _finished(writer, chart)


def write_drums(chart: Chart, groove: str, seed: str) -> Part:
    """The drum part."""
    rng = Random(seed)
    writer = PartWriter(chart, rng)
    if chart.steps_per_bar == 12 and groove not in ("waltz", "sixeight"):
        groove = "waltz" if chart.meter == "3/4" else "sixeight"
    style = DrumStyle(rng, groove, seed)
    for section in chart.sections:
        writer.intensity = section.intensity
        if "drums" in section.playing:
            for bar in range(section.first_bar, section.first_bar + section.num_bars):
                style.play_bar(writer, section, bar)
    if "drums" in chart.sections[-1].playing:
        writer.add(len(chart.bars), 0, 8, CRASH, 105)
        writer.add(len(chart.bars), 0, 1, KICK, 105)
    writer.part.kinds = [groove]
    return _finished(writer, chart)


def _write_ending(writer: PartWriter, stem: str) -> None:
    """A last note or chord on the first beat after the last bar."""
    chart = writer.chart
    chord = chart.bars[0][0][1]
    length = 1.6 / chart.step_seconds
    pitches = {
        "bass": [nearest_pitch(chord.root, 36)],
        "guitar": voicing(chord, 45, 5),
        "piano": [nearest_pitch(chord.root, 38), *voicing(chord, 58, 3)],
    }[stem]
    writer.add_chord(len(chart.bars), 0, length, pitches, 92)


def _finished(writer: PartWriter, chart: Chart) -> Part:
    """The part with overlaps of one pitch removed and nothing past the end of the song."""
    part = writer.part
    end = chart.duration_seconds - TAIL_SECONDS + 2.0
    part.notes = [note for note in without_overlaps(part.notes) if note.start_seconds < end - 0.1]
    part.bends = sorted(bend for bend in part.bends if bend[0] < end)
    part.pedals = sorted(pedal for pedal in part.pedals if pedal[0] < end)
    return part
