"""A sketch first, the sound after: how a model with two stages continues music.

A chunk is drawn in two steps. A prior over sketches draws what is played, given the codes of what
was drawn before and of the stems that are given. Then the sketch becomes sound, which goes on from
the sound before (``msdm_cli.tasks.sound``). Both go on from chunk to chunk as
``msdm_cli.tasks.continuation`` has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.chunks import Chunk
from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Denoiser
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.told import SketchDenoiser
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ENVELOPE, SKETCH
from msdm_cli.representations.sketch import BANDS, HOP, MARGIN, find_sketch
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES, SketchCodes
from msdm_cli.tasks.calls import Calls, WatchedDenoiser
from msdm_cli.tasks.continuation import Continuation
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.known import Known, find_known_tokens
from msdm_cli.tasks.sampling import Bind, ChunkSampler
from msdm_cli.tasks.sound import SoundMaker
from msdm_cli.tasks.stream import ChunkStore
from msdm_cli.tasks.tonality import STRENGTH, LeaningDenoiser, find_lean

Array = NDArray[np.float32]


@dataclass(frozen=True)
class CascadeOptions:
    """How music is drawn in two steps.

    Attributes:
        sketch: Sampler and settings of the sketch.
        sound: Sampler and settings of the sound.
        seed: Of the noise of both.
        controls: What is asked of the sketch.
    """

    sketch: Preset
    sound: Preset
    seed: int | None
    controls: Controls


class Cascade:
    """Draws chunks: the sketch of each, then its sound.

    Args:
        model: A model with both stages, on one device.
        task: The task, which has presets in both.
        options: How.
        calls: Counts network calls.
        store: Keeps what was drawn: sounds under their numbers, sketches after all of them.
        chunks: Number of chunks.
    """

    def __init__(
        self,
        model: LoadedModel,
        task: str,
        options: CascadeOptions,
        calls: Calls,
        store: ChunkStore,
        chunks: int,
    ) -> None:
        assert model.codes is not None
        sketch_stage, sound_stage = model.spec.list_stages(task)
        self._codes: SketchCodes = model.codes
        self._controls = options.controls
        key, strength = options.controls.key, STRENGTH[task]
        self._stems = model.spec.stems
        self._lean = None if key is None else find_lean(self._codes, key, self._stems, strength)
        self._guidance = model.spec.stages[sketch_stage].guidance
        self._told_error = model.spec.stages[sound_stage].told_error
        self._sketch = Continuation(
            ChunkSampler(model.for_stage(sketch_stage), options.sketch, options.seed, calls),
            Later(store, chunks),
            options.sketch.calls,
        )
        self._sound = Continuation(
            ChunkSampler(model.for_stage(sound_stage), options.sound, options.seed, calls),
            store,
            options.sound.calls,
        )

    def draw(self, index: int, chunk: Chunk, given: Mapping[int, Known]) -> Array:
        """What a chunk adds, ``[S, core]``.

        Args:
            index: Number of the chunk.
            chunk: Where it lies.
            given: What is known of stems in its window, with ``MARGIN`` around it.
        """
        # All that is new of a sketch is told to its sound, so all of it is kept.
        numbers = self._codes.numbers
        start, stop, core_start = (
            place // TOKEN_SAMPLES * numbers
            for place in (chunk.start, chunk.stop, chunk.core_start)
        )
        codes = {stem: self._sketch_known(stem, heard) for stem, heard in given.items()}
        place = Chunk(start, stop, core_start, stop)
        self._sketch.draw(index, place, codes, partial(self._ask, start // numbers))
        sketch = self._codes.decode(self._sketch.window)
        inside = {stem: heard.inside(MARGIN) for stem, heard in given.items()}
        return self._sound.draw(index, chunk, inside, partial(self._tell, sketch, chunk.start))

    def _sketch_known(self, stem: int, heard: Known) -> Known:
        """The codes of what is known of a stem: of tokens that are known with their margins."""
        known = find_known_tokens(heard.known, TOKEN_SAMPLES, MARGIN)
        sketch = find_sketch(heard.samples[None])
        return Known(
            self._codes.of_stem(stem).encode(sketch)[0], np.repeat(known, self._codes.numbers)
        )

    def _ask(self, first: int, condition: Condition) -> Bind:
        """Ask for a sketch from token ``first`` on."""
        assert condition.values is not None
        assert condition.known is not None
        known = condition.known[:, :, :: self._codes.numbers]
        stems, tokens = known.shape[1:]
        told = self._controls.describe(first, tokens, stems)[None]
        values = condition.values

        def bind(network: WatchedDenoiser) -> Denoiser:
            prior = SketchDenoiser(network, told, values, known, self._guidance)
            return prior if self._lean is None else LeaningDenoiser(prior, self._lean)

        return bind

    def _tell(self, sketch: Array, first: int, condition: Condition) -> Bind:
        """Tell what makes sound a sketch from sample ``first`` on, and how wrong it may be."""
        errors = np.full((len(sketch), 1, sketch.shape[2]), self._told_error, np.float32)
        told = np.concatenate((sketch, errors), 1)

        def bind(network: WatchedDenoiser) -> Denoiser:
            return SoundMaker(network, self._stems, told, first, condition)

        return bind


def bind_alone(model: LoadedModel, length: int) -> Bind:
    """What a stage is told as a rule, so that one call of it can be measured.

    A prior over sketches is asked for music with controls, and makes the two estimates of guidance.
    A sketch that becomes sound is that of white noise in all stems. Other networks are told
    nothing.

    Args:
        model: A model at the stage that is measured.
        length: Numbers of a stem that it gets.
    """
    spec, stems = model.spec, len(model.spec.stems)
    representation = spec.stages[model.stage].representation
    if representation == SKETCH:
        assert model.codes is not None
        tokens = length // model.codes.numbers
        controls = Controls().filled(0, stems).describe(0, tokens, stems)[None]
        values, known = np.zeros((1, stems, length), np.float32), np.zeros((1, stems, tokens), bool)
        guidance = spec.stages[model.stage].guidance
        return lambda network: SketchDenoiser(network, controls, values, known, guidance)
    if representation == ENVELOPE:
        sketch = np.zeros((stems, BANDS + 1, length // HOP), np.float32)
        return lambda network: SoundMaker(network, spec.stems, sketch, 0, Condition())
    return lambda network: network


class Later:
    """A store whose chunks have higher numbers in another.

    Args:
        store: The other.
        first: Number that chunk 0 has there.
    """

    def __init__(self, store: ChunkStore, first: int) -> None:
        self._store = store
        self._first = first

    def load(self, index: int) -> Array | None:
        """What was saved of a chunk; None if nothing was."""
        return self._store.load(index + self._first)

    def save(self, index: int, chunk: Array) -> None:
        """Keep what was drawn of a chunk."""
        self._store.save(index + self._first, chunk)
