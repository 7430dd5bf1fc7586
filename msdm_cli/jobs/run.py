"""A job from request to results. Complete results are reused, incomplete ones are continued."""

import dataclasses
import logging
import math
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from functools import lru_cache
from typing import Any

from msdm_cli.audio.file_sink import FileSink
from msdm_cli.audio.file_writer import SoundShape
from msdm_cli.audio.formats import Subtype
from msdm_cli.audio.kept_source import keeping
from msdm_cli.audio.source import AudioProperties, AudioSource
from msdm_cli.audio.stem_finish import Finish
from msdm_cli.backends.runtime import Runtime
from msdm_cli.jobs.done import find_done, find_result
from msdm_cli.jobs.identity import draw_seed, get_seed, identify, is_same_but_seed
from msdm_cli.jobs.journal import Journal, load_identity
from msdm_cli.jobs.journal_folder import list_chunks
from msdm_cli.jobs.manifest import Facts, FileRecord, Manifest, describe_files
from msdm_cli.jobs.output import check_links, check_vacant
from msdm_cli.jobs.places import find_left, place_results
from msdm_cli.jobs.rate import add_given, change_loop_rate, change_rate
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult, recall
from msdm_cli.models.load import LoadedModel, load
from msdm_cli.progress import Progress, SilentProgress
from msdm_cli.tasks.completion import HEARD
from msdm_cli.tasks.hearing import Heard
from msdm_cli.tasks.separate import SONG
from msdm_cli.tasks.stream import StemBlock, StemStream
from msdm_cli.temporary import remove_stale

log = logging.getLogger(__name__)


def run_job(
    request: JobRequest,
    model: LoadedModel,
    progress: Progress | None = None,
    sources: Mapping[str, AudioSource] | None = None,
) -> JobResult:
    """Run a job, continue it, or find that it is done.

    Args:
        request: The job. Without a seed, that of results or of a journal of the same job is taken.
        model: The model of the request, loaded.
        progress: Receives each network call.
        sources: Sounds in the place of the request's input files, by role.

    Raises:
        AudioError: An input cannot be read or has changed, or a file cannot be written.
        ResultsError: The results cannot be written, or something else is there.
        NonFiniteSamples: The network failed.
    """
    opened: dict[str, AudioSource] = dict(request.open_inputs() if sources is None else sources)
    done = find_done(request, model, opened)
    if done is not None:
        return recall(request.manifest, done)
    # The first look finds the digest too: an input is read once for both.
    request.row.look(model.spec, opened)
    for source in opened.values():
        for warning in getattr(source, "warnings", ()):
            log.warning("%s", warning)
    digests = {role: source.digest() for role, source in opened.items()}
    request = _choose_seed(request, model, digests)
    job = _Job(request, model, opened, identify(request, model, digests))
    return job.run(progress or SilentProgress())


def run_alone(name: str, request: JobRequest) -> JobResult:
    """Run a job with a model of its own: for executors whose jobs leave this process.

    Args:
        name: Name of the job.
        request: The job. It is pickled as JSON.

    Raises:
        MsdmError: As ``run_job``, or the model cannot be loaded.
    """
    del name
    return find_result(request) or run_job(request, _load_once(request.model, request.runtime))


@lru_cache(1)
def _load_once(name: str, runtime: Runtime) -> LoadedModel:
    """The model of the last job, if this one has the same."""
    return load(name, runtime)


def _choose_seed(request: JobRequest, model: LoadedModel, digests: Mapping[str, str]) -> JobRequest:
    """The request with its seed: the one asked for, that of its journal, or a new one."""
    if not request.options.preset.uses_noise:
        return request.with_seed(None)
    if request.options.seed is not None:
        return request
    begun = load_identity(request.journal)
    if begun and is_same_but_seed(begun, identify(request, model, digests)):
        return request.with_seed(get_seed(begun))
    return request.with_seed(draw_seed())


def opens_again(subtype: Subtype, made: AudioProperties, written: AudioProperties) -> bool:
    """Whether inputs may be opened more than once: a second time for what would clip.

    Given stems are opened again where they are written at another rate.
    """
    return not subtype.floating or made.sample_rate != written.sample_rate


class _Job:
    """A job that has to be run."""

    def __init__(
        self,
        request: JobRequest,
        model: LoadedModel,
        sources: Mapping[str, AudioSource],
        identity: Mapping[str, Any],
    ) -> None:
        self._request = request
        self._model = model
        self._sources = sources
        self._identity = identity
        places = place_results(request, model)
        self._paths, self._copies, self._kept = places.written, places.copies, places.kept
        check_links(request.folder, self._paths.values())
        self._beside = tuple(self._copies)
        self._made = request.row.describe_output(model, sources, request.options)
        properties = request.output.describe(self._made)
        places.check_rate(self._made.sample_rate, properties.sample_rate)
        if properties.sample_rate != self._made.sample_rate:
            # Copies of the given stems would have another rate than the others.
            for name in self._copies:
                self._paths[name] = request.output.place(request.folder, request.track, name)
            self._copies = {}
        subtype = request.output.choose_subtype(properties.subtype)
        tags = sources[SONG].tags if SONG in sources else {}
        self._properties = properties
        self._shape = SoundShape(
            sample_rate=properties.sample_rate,
            channels=properties.channels,
            frames=properties.frames,
            subtype=subtype,
            tags=tags,
            channel_names=properties.channel_names,
        )

    def run(self, progress: Progress) -> JobResult:
        """Run it, and write the manifest."""
        request = self._request
        began = time.monotonic()
        with Journal(request.journal, self._identity) as journal:
            # What this job had named before it was stopped may be replaced. Nothing else may, even
            # if the stopped run had been told to overwrite: this one may not have been.
            named = [path for name, path in self._paths.items() if journal.has_named(name, path)]
            new = [path for path in self._paths.values() if path not in named]
            check_vacant([*new, request.manifest], request.inputs, overwrite=request.overwrite)
            journal.begin()
            resumed = bool(list_chunks(journal.folder))
            remove_stale(request.manifest)
            planned = request.row.plan(self._model, self._sources, request.options)
            journal.on_disk = len(planned.chunks) > 1
            with self._keep_sources() as self._sources:
                facts, records = self._write(journal, progress)
            seconds = round(time.monotonic() - began, 3)
            facts = dataclasses.replace(facts, seconds=seconds, resumed=resumed)
            manifest = Manifest(request.to_json(), dict(self._identity), records, facts)
            manifest.save(request.manifest)
            journal.end()
        result = recall(request.manifest, manifest)
        return dataclasses.replace(result, calls=facts.calls, skipped=False)

    def _keep_sources(self) -> AbstractContextManager[Mapping[str, AudioSource]]:
        """The sources, each of which is read once, whatever happens."""
        if opens_again(self._shape.subtype, self._made, self._properties):
            return keeping(self._sources, self._request.manifest.parent)
        return nullcontext(self._sources)

    def _write(self, journal: Journal, progress: Progress) -> tuple[Facts, dict[str, FileRecord]]:
        """Write all files; twice if something would clip, the second time with a gain."""
        request = self._request
        finish = request.row.finish(request.options, self._shape.subtype, request.inputs)
        calls = 0
        while True:
            with FileSink(self._paths, self._shape, self._copies) as sink:
                made, more = self._stream(journal, progress, sink, finish)
                calls += made
                for source in self._sources.values():
                    source.check_unchanged()
                fitted = finish.fit() if finish.gain == 1 else None
                if fitted is not None:
                    log.info(
                        "%s: something would clip; written again, with a gain of %.2f dB",
                        request.manifest.parent,
                        20 * math.log10(fitted.gain),
                    )
                    # The journal has every chunk, and the song is kept: neither is the network
                    # called again, nor the song read.
                    finish = fitted
                    continue
                folder = request.manifest.parent
                # Given stems that lie among the results are results too: they are listed.
                lying, final = self._kept | sink.finish(), self._kept | self._paths
                records = describe_files(lying, final, folder)
                journal.note_names({name: record.sha256 for name, record in records.items()})
                for path in find_left(request.manifest, final.values()):
                    log.warning("%s: is an earlier result, and stays", path)
                # Until the new one is written, the old one would describe a mixture of both.
                request.manifest.unlink(missing_ok=True)
                sink.commit()
                return self._describe(finish, calls, sink.clipped, more), records

    def _stream(
        self, journal: Journal, progress: Progress, sink: FileSink, finish: Finish
    ) -> tuple[int, dict[str, Any]]:
        """Let all blocks flow into the files; how many calls that took, and what was found."""
        request = self._request
        stream = request.row.run(self._model, self._sources, request.options, journal, progress)
        with closing(stream):
            for block in self._change_rate(stream):
                sink.write(finish.apply(block.stems, block.mixture))
        return stream.calls.count, stream.facts

    def _change_rate(self, stream: StemStream) -> Iterable[StemBlock]:
        """The blocks at the rate that is written; with the given stems, if it is another."""
        if self._properties.sample_rate == self._made.sample_rate:
            return stream
        if getattr(self._request.options, "loops", False):
            return change_loop_rate(stream, self._properties)
        given = {name: self._sources[name] for name in self._beside}
        return change_rate(add_given(stream, given), self._made, self._properties)

    def _describe(self, finish: Finish, calls: int, clipped: int, more: dict[str, Any]) -> Facts:
        return Facts(
            properties=self._properties,
            subtype_written=self._shape.subtype.name,
            calls=calls,
            gain=finish.gain,
            gain_db=20 * math.log10(finish.gain),
            stay=finish.stay,
            mixture_only=finish.mixture_only,
            exact=finish.exact,
            null_db=finish.null_db,
            clipped=clipped + finish.clipped,
            heard=more.pop(HEARD, Heard()),
            more=more,
        )
