"""What a manifest says, for people."""

import contextlib
import os
import shlex
from pathlib import Path

from msdm_cli.audio.source import AudioProperties
from msdm_cli.errors import MissingPreset, MsdmError
from msdm_cli.jobs.manifest import Manifest
from msdm_cli.jobs.paths import decode_path
from msdm_cli.models.registry import EMBEDDED, find_entry
from msdm_cli.models.spec import QUALITIES, load_spec
from msdm_cli.models.verify import check_file
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.separate import SONG

CHANNELS = {1: "mono", 2: "stereo"}
MADE = {"separate": "separated", "impute": "imputed", "generate": "generated"}
EXTENSION = 2
"""A take is extended to this many times its length."""

Lines = list[tuple[str, str]]


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
        (role, os.fsencode(Path(decode_path(path)).name).decode(errors="replace"))
        for role, path in inputs.items()
    ]
    found += [
        ("made by", f"msdm {versions.get('msdm', '?')}, {manifest.request['task']}"),
        ("model", f"{manifest.request['model']}, {identity['weights_sha256'][:12]}"),
        ("sampler", str(identity["options"]["preset"]["sampler"])),
    ]
    if manifest.seed is not None:
        found.append(("seed", str(manifest.seed)))
    found.append(("calls", f"{facts.calls} of the network, {facts.seconds:.0f} s in all"))
    if SONG in inputs:
        found.append(("sum", _describe_sum(manifest)))
    if facts.gain_db:
        found.append(("gain", f"{facts.gain_db:.2f} dB, so that nothing clips"))
    if facts.clipped:
        found.append(("clipped", f"{facts.clipped} samples"))
    runtime = identity["runtime"]
    found.append(("runs on", f"{runtime['device']}, {runtime['backend']}, {runtime['precision']}"))
    return found


def _describe_sum(manifest: Manifest) -> str:
    if manifest.facts.exact:
        return "the stems sum to the song, exactly"
    if manifest.facts.null_db is None:
        return "not measured"
    return f"the stems sum to the song, but for {manifest.facts.null_db:.0f} dB"


def list_commands(manifest: Manifest, path: Path, stems: list[str]) -> Lines:
    """What a person may run in the folder of results: why, and the command."""
    name = shlex.quote(path.name)
    commands: Lines = [
        ("check the files", f"msdm check {name}"),
        ("make them again, and compare", f"msdm rerun {name}"),
    ]
    if len(stems) > 1:
        stem = shlex.quote(stems[-1])
        commands += [
            ("leave a stem out", f"msdm mix {name} --without {stem}"),
            ("mix them anew", f"msdm mix {name} --gains {stem}=-6dB"),
        ]
    if manifest.request["task"] == "generate":
        commands.append(("make it longer", extend(manifest)))
    return [(why, command) for why, command in commands if command]


def extend(manifest: Manifest) -> str:
    """The command that continues a take; empty if there is none.

    The first chunk of longer music is that of shorter music with the same seed. A take that is
    shorter than a chunk has another one.
    """
    request = manifest.request
    if request["task"] != "generate" or manifest.seed is None:
        return ""
    quality = _find_quality(manifest)
    # What was asked of the music would have to be asked again; what the seed decides would not.
    asked = manifest.parse_request().options.controls
    if quality is None or asked not in (Controls(), Controls().filled(manifest.seed)):
        return ""
    words = ["msdm", "generate", "--seed", str(manifest.seed)]
    words += ["--seconds", f"{EXTENSION * request['options']['seconds']:g}"]
    if quality != QUALITIES[1]:
        words += ["--quality", quality]
    if request["model"] != EMBEDDED:
        words += ["--model", request["model"]]
    return shlex.join([*words, "-o", "longer"])


def _find_quality(manifest: Manifest) -> str | None:
    """The quality that makes more of a take; None if longer music begins otherwise."""
    try:
        entry = find_entry(manifest.request["model"])
        spec = load_spec(check_file(entry, entry.spec))
    except MsdmError:
        return None
    padded = -(-manifest.facts.properties.frames // spec.length_multiple) * spec.length_multiple
    options = manifest.parse_request().options
    made = (options.preset, options.sketch)
    for name in QUALITIES if padded >= spec.chunk_length else ():
        with contextlib.suppress(MissingPreset):
            if made == (spec.preset("generate", name), spec.sketch_preset("generate", name)):
                return name
    return None
