"""Songs that scripts train on and measure with: a folder per song, in it a file for each stem."""

from pathlib import Path

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import NoSongs
from msdm_cli.evaluation.layout import Layout

STEMS = ("bass", "drums", "guitar", "piano")
"""Stems of the embedded model, in its order."""

SAMPLE_RATE_HZ = 22_050
"""Rate of the embedded model, and of the songs that train it."""

EMBEDDED = Layout(STEMS, SAMPLE_RATE_HZ)


def list_songs(folder: Path, layout: Layout = EMBEDDED) -> list[Path]:
    """Folders of the songs that have all stems, by name; those half rendered are left out.

    Raises:
        NoSongs: There are none.
    """
    songs = [
        song
        for song in layout.find_songs(folder)
        if song.suffix != ".part" and len(layout.find_stems(song)) == len(layout.stems)
    ]
    if not songs:
        raise NoSongs(f"{folder}: no song has all of {', '.join(layout.stems)}", "Add songs.")
    return songs


def load_middle(song: Path, seconds: float, layout: Layout = EMBEDDED) -> Samples:
    """The middle of a song's stems, all of it if it is shorter, ``[S, T]``."""
    stems = layout.load_stems(song)
    count = min(stems.shape[1], round(seconds * layout.sample_rate))
    start = (stems.shape[1] - count) // 2
    return stems[:, start : start + count]
