"""Musical styles. Adding one is a row in the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A musical style.

    Attributes:
        meter: 4/4, 3/4 or 6/8.
        tempos: Lowest and highest, in quarter notes a minute.
        swing: Where the second half of so many steps begins, and how many.
        groove: What the drums play.
        harmony: Families of chord progressions.
        bass: Kinds of part that it may play.
        guitar: Likewise.
        piano: Likewise.
    """

    meter: str
    tempos: tuple[int, int]
    swing: tuple[float, int]
    groove: str
    harmony: tuple[str, ...]
    bass: str
    guitar: str
    piano: str


ROCK = ("major", "minor", "mixolydian", "minor", "major", "dorian")
POP = ("major", "major", "minor", "lydian")
STRAIGHT = (0.5, 4)
STYLES: dict[str, Style] = {
    "rock": Style(
        "4/4",
        (95, 165),
        STRAIGHT,
        "rock",
        ROCK,
        "eighths riff eighths",
        "power riff strum lead chug",
        "block octaves arpeggio pad",
    ),
    "pop": Style(
        "4/4",
        (80, 135),
        STRAIGHT,
        "pop",
        POP,
        "eighths riff sustain root_fifth arpeggio",
        "strum pick funk lead sustain octaves",
        "block pad arpeggio comp melody broken",
    ),
    "folk": Style(
        "4/4",
        (75, 140),
        STRAIGHT,
        "pop",
        POP,
        "root_fifth sustain arpeggio",
        "strum pick pick lead",
        "broken pad melody arpeggio",
    ),
    "funk": Style(
        "4/4",
        (85, 122),
        (0.53, 2),
        "funk",
        ("dorian", "minor", "mixolydian", "blues"),
        "funk riff octaves",
        "funk funk riff octaves",
        "comp octaves montuno melody",
    ),
    "disco": Style(
        "4/4",
        (105, 132),
        STRAIGHT,
        "disco",
        ("minor", "major", "dorian"),
        "octaves funk eighths",
        "funk octaves strum skank",
        "comp block octaves pad",
    ),
    "house": Style(
        "4/4",
        (116, 130),
        STRAIGHT,
        "house",
        ("minor", "dorian", "jazz"),
        "octaves riff eighths",
        "funk skank pick sustain",
        "comp block arpeggio montuno",
    ),
    "shuffle": Style(
        "4/4",
        (85, 150),
        (0.655, 4),
        "shuffle",
        ("blues", "blues", "major", "mixolydian"),
        "walking eighths riff root_fifth",
        "chug riff lead strum",
        "comp octaves stride melody",
    ),
    "swing": Style(
        "4/4",
        (100, 180),
        (0.645, 4),
        "swing",
        ("jazz", "jazz", "blues"),
        "walking walking root_fifth",
        "strum lead octaves sustain pick",
        "comp stride melody comp",
    ),
    "bossa": Style(
        "4/4",
        (100, 150),
        STRAIGHT,
        "bossa",
        ("jazz", "minor", "jazz"),
        "root_fifth tumbao root_fifth",
        "pick strum lead octaves",
        "comp melody pad arpeggio",
    ),
    "latin": Style(
        "4/4",
        (90, 130),
        STRAIGHT,
        "latin",
        ("minor", "major", "dorian"),
        "tumbao root_fifth riff",
        "pick skank lead strum",
        "montuno montuno octaves melody",
    ),
    "reggae": Style(
        "4/4",
        (66, 96),
        (0.54, 2),
        "reggae",
        ("major", "minor", "dorian"),
        "reggae riff arpeggio",
        "skank skank lead pick",
        "comp block pad melody",
    ),
    "ballad": Style(
        "4/4",
        (60, 88),
        STRAIGHT,
        "ballad",
        ("major", "minor", "major", "jazz"),
        "sustain root_fifth arpeggio riff",
        "pick strum lead sustain",
        "pad arpeggio broken melody block",
    ),
    "metal": Style(
        "4/4",
        (110, 180),
        STRAIGHT,
        "metal",
        ("minor", "phrygian", "minor"),
        "eighths riff eighths",
        "chug power riff lead",
        "octaves pad arpeggio melody",
    ),
    "halftime": Style(
        "4/4",
        (120, 170),
        (0.56, 2),
        "halftime",
        ("minor", "dorian"),
        "sustain riff reggae",
        "pick lead sustain riff",
        "arpeggio pad comp melody",
    ),
    "breakbeat": Style(
        "4/4",
        (90, 176),
        STRAIGHT,
        "breakbeat",
        ("minor", "dorian", "phrygian"),
        "riff sustain funk",
        "pick funk riff sustain",
        "comp arpeggio pad melody",
    ),
    "country": Style(
        "4/4",
        (90, 170),
        STRAIGHT,
        "march",
        ("major", "mixolydian"),
        "root_fifth root_fifth walking",
        "strum pick lead riff",
        "stride block broken melody",
    ),
    "waltz": Style(
        "3/4",
        (80, 176),
        STRAIGHT,
        "waltz",
        ("major", "minor", "jazz"),
        "root_fifth sustain walking",
        "strum pick lead sustain",
        "stride block arpeggio pad melody",
    ),
    "sixeight": Style(
        "6/8",
        (60, 110),
        (0.5, 2),
        "sixeight",
        ("major", "minor", "blues"),
        "arpeggio eighths sustain root_fifth",
        "pick strum lead power",
        "arpeggio block pad broken melody",
    ),
}
