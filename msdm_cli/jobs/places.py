"""Where the files of a job go, and which of its inputs lie there already."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from msdm_cli.errors import ReplacesInput, UnreadableManifest
from msdm_cli.jobs.done import KnownModel
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.request import JobRequest


@dataclass(frozen=True)
class Places:
    """Where the files of a job lie when it is done, by name.

    Attributes:
        written: Files that are written.
        copies: Inputs that are copied to files of that name among ``written``.
        kept: Inputs that lie where their copies would: results that nobody writes.
    """

    written: dict[str, Path]
    copies: dict[str, Path]
    kept: dict[str, Path]

    def check_rate(self, given_hz: int, written_hz: int) -> None:
        """Refuse results of another rate beside inputs that are kept.

        Raises:
            ReplacesInput: There are some, and they would have to be written again.
        """
        if self.kept and given_hz != written_hz:
            path = next(iter(self.kept.values()))
            raise ReplacesInput(
                f"{path}: has {given_hz} Hz, and would lie among stems of {written_hz} Hz",
                "Choose another folder.",
            )


def place_results(request: JobRequest, model: KnownModel) -> Places:
    """Where each result goes, and what becomes of inputs that are no results.

    Raises:
        UnwritableResults: A name leads out of the folder.
    """
    names = request.row.name_outputs(model.spec, request.options)
    results = {name: request.output.place(request.folder, request.track, name) for name in names}
    placed: dict[str, Path] = {}
    if request.row.copies_inputs:
        for name in (name for name in request.inputs if name not in results):
            place = request.output.place(request.folder, request.track, name)
            placed[name] = place.with_suffix(request.inputs[name].suffix)
    inputs = {name: path.resolve() for name, path in request.inputs.items()}
    kept = {name: path for name, path in placed.items() if path.resolve() == inputs[name]}
    copies = {name: path for name, path in placed.items() if name not in kept}
    sources = {name: request.inputs[name] for name in copies}
    return Places(copies | results, sources, kept)


def find_left(manifest: Path, written: Collection[Path]) -> list[Path]:
    """Earlier results that stay while others are replaced, and earlier mixes.

    Args:
        manifest: Describes the earlier results; there may be none.
        written: What is written now.
    """
    try:
        earlier = load_manifest(manifest)
        inputs = earlier.parse_request().inputs.values()
    except UnreadableManifest:
        return []
    listed = [record.locate(manifest.parent) for record in earlier.files.values()]
    others = {os.path.realpath(path) for path in (*written, *inputs)}
    return [
        path
        for path in (*listed, *earlier.list_mixes(manifest))
        if path.exists() and os.path.realpath(path) not in others
    ]
