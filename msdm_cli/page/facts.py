"""What a manifest says, for people."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msdm_cli.audio.source import AudioProperties
from msdm_cli.jobs.manifest import Facts, Manifest
from msdm_cli.jobs.paths import decode_path
from msdm_cli.models.registry import EMBEDDED, cache_folder
from msdm_cli.tasks.separate import SONG

CHANNELS = {1: "mono", 2: "stereo"}
MADE = {"separate": "separated", "impute": "imputed", "generate": "generated"}

Lines = list[tuple[str, str]]


def to_unicode(name: str) -> str:
    """A name as Unicode, whatever its bytes are."""
    return os.fsencode(name).decode(errors="replace")


def is_unicode(name: str) -> bool:
    """Whether a name's bytes are Unicode."""
    return to_unicode(name) == name


def describe_sound(properties: AudioProperties) -> str:
    """Rate, channels and samples: ``44.1 kHz, stereo, PCM_16``."""
    channels = CHANNELS.get(properties.channels, f"{properties.channels} channels")
    return f"{properties.sample_rate / 1000:g} kHz, {channels}, {properties.subtype}"


def list_facts(manifest: Manifest) -> Lines:
    """How results were made: what, and how."""
    identity = manifest.identity
    facts = manifest.facts
    versions = identity.get("versions", {})
    inputs = manifest.request["inputs"]
    found: Lines = [
        (role, to_unicode(Path(decode_path(path)).name)) for role, path in inputs.items()
    ]
    found += [
        ("made by", f"msdm {versions.get('msdm', '?')}, {manifest.request['task']}"),
        ("model", f"{manifest.request['model']}, {identity['weights_sha256'][:12]}"),
        ("sampler", _describe_sampler(identity["options"])),
    ]
    if absent := getattr(manifest.parse_request().options, "absent", ()):
        found.append(("absent", ", ".join(absent)))
    if manifest.seed is not None:
        found.append(("seed", str(manifest.seed)))
    if music := describe_music(manifest):
        found.append(("music", music))
    calls = f"{facts.calls} of the network, {facts.seconds:.0f} s in all"
    found.append(("calls", f"{calls}, since it was resumed" if facts.resumed else calls))
    if SONG in inputs:
        found.append(("sum", _describe_sum(manifest)))
    if facts.gain_db:
        found.append(("gain", f"{facts.gain_db:.2f} dB, {_explain_gain(facts)}"))
    if facts.clipped:
        found.append(("clipped", f"{facts.clipped} samples"))
    runtime = identity["runtime"]
    found.append(("runs on", f"{runtime['device']}, {runtime['backend']}, {runtime['precision']}"))
    return found


def _describe_sampler(options: Mapping[str, Any]) -> str:
    """What drew the sketch, of music that has one; what drew the stems elsewhere."""
    preset = options.get("sketch") or options["preset"]
    name = str(preset["sampler"])
    return f"{name}, one of {preset['candidates']}" if "candidates" in preset else name


def _explain_gain(facts: Facts) -> str:
    if facts.mixture_only:
        return "on the mixture alone"
    beside = f"on all but {', '.join(facts.stay)}, " if facts.stay else ""
    return f"{beside}so that nothing clips"


def _describe_sum(manifest: Manifest) -> str:
    if manifest.facts.exact:
        return "the stems sum to the song, exactly"
    if manifest.facts.null_db is None:
        return "not measured"
    return f"the stems sum to the song to within {manifest.facts.null_db:.0f} dB"


def list_commands(manifest: Manifest, path: Path, stems: list[str]) -> Lines:
    """What a person may run in the folder of results: why, and the command."""
    name = shlex.quote(path.name)
    inputs = _find_inputs(manifest, path.parent)
    song = [inputs[SONG]] if SONG in inputs else []
    moved = [word for found in inputs.values() for word in ("--input", found)]
    commands: Lines = [
        ("check the files", shlex.join(["msdm", "check", path.name, *song])),
        ("make them again, and compare", shlex.join(["msdm", "rerun", path.name, *moved])),
    ]
    if len(stems) > 1:
        stem = shlex.quote(stems[-1])
        commands += [
            ("leave a stem out", f"msdm mix {name} --without {stem}"),
            ("mix them anew", f"msdm mix {name} --gains {stem}=-6dB"),
        ]
    if manifest.request["task"] == "generate":
        commands.append(("make it longer", extend(manifest)))
    # A command that is copied from a page names no bytes that are no Unicode.
    return [(why, command) for why, command in commands if command and is_unicode(command)]


def _find_inputs(manifest: Manifest, folder: Path) -> dict[str, str]:
    """Inputs by role, as they are named in the folder of results.

    Those are left out whose names mean the same there, or are no Unicode, or are not there. So are
    all of results that lie in the cache until they are sent elsewhere.
    """
    here = folder.resolve()
    if cache_folder().resolve() in here.parents:
        return {}
    inputs = manifest.request["inputs"].items()
    paths = {role: Path(decode_path(text)) for role, text in inputs}
    return {
        role: os.path.relpath(path.resolve(), here)
        for role, path in paths.items()
        if str(path).isprintable() and not path.is_absolute() and path.is_file()
        if path.resolve().drive == here.drive
    }


def extend(manifest: Manifest, folder: str = ".") -> str:
    """The command that adds as many seconds as were asked for; empty if no take is described.

    Args:
        manifest: Of the take.
        folder: Its folder, as a person who runs the command names it.
    """
    request = manifest.request
    if request["task"] != "generate":
        return ""
    words = ["msdm", "generate", "--extend", folder]
    words += ["--seconds", f"{request['options']['seconds']:g}"]
    if request["model"] != EMBEDDED:
        words += ["--model", request["model"]]
    return shlex.join([*words, "-o", "longer"])


def describe_music(manifest: Manifest) -> str:
    """What music was asked for, decided by the seed, or heard: ``folk, 100 bpm, E major``."""
    controls = getattr(manifest.parse_request().options, "controls", None)
    if controls is None:
        return ""
    heard = manifest.facts.heard
    # What is heard is not as exact as what may be asked for.
    tempo = (
        f"{controls.tempo:g} bpm" if controls.tempo else heard.tempo and f"{heard.tempo:.0f} bpm"
    )
    key = controls.key or heard.key
    return ", ".join(text for text in (controls.style, tempo, key) if text)
