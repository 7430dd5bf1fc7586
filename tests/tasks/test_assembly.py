import numpy as np
import pytest
from conftest import STEMS, music

from msdm_cli.audio.chunks import ChunkPlan
from msdm_cli.audio.seams import list_joins
from msdm_cli.audio.source import AudioProperties
from msdm_cli.audio.stem_finish import RESIDUAL
from msdm_cli.tasks.assembly import Assembly


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("names", [STEMS, STEMS[1:3]])
def test_cores_that_overlap_become_stems_that_sum_to_the_song(tiny_model, residual, names):
    spec = tiny_model.spec
    song = music(30_000, 2)
    chunks = ChunkPlan(song.shape[1], spec.chunk_length, spec.context, 2048)
    properties = AudioProperties(spec.sample_rate, 2, song.shape[1], "PCM_16")
    assembly = Assembly(spec, properties, chunks, names, residual=residual)
    planned = list(chunks.chunks())
    done = 0
    for chunk, following in zip(planned, (*planned[1:], None), strict=True):
        part = song[:, None, chunk.core_start : chunk.core_stop]
        core = np.repeat(part, len(names), 1) / 8
        stems = np.concatenate(list(assembly.add(chunk, core, following)), 2)
        heard = song[:, done : done + stems.shape[2]]
        np.testing.assert_allclose(stems[0], heard / 8, atol=1e-6)
        block = assembly.complete(stems, heard)
        assert tuple(block.stems) == (*names, *([RESIDUAL] if residual else []))
        np.testing.assert_allclose(sum(block.stems.values()), heard, atol=1e-6)
        if residual:
            rest = heard * (1 - len(names) / 8)
            np.testing.assert_allclose(block.stems[RESIDUAL], rest, atol=1e-6)
        done += stems.shape[2]
    assert done == song.shape[1]
    assert assembly.describe_seams()["joins"] == len(list_joins(planned))
