import numpy as np
from conftest import music

from msdm_cli.audio.shared_reader import SharedReader
from msdm_cli.audio.source import ArraySource


def test_a_shared_reader_reads_once_and_gives_twice():
    samples = music(1000, 2)

    class Counting:
        properties = ArraySource(samples, 8000).properties
        count = 0
        position = 0

        def read(self, frames):
            self.count += 1
            block = samples[:, self.position : self.position + frames]
            self.position += block.shape[1]
            return block

    reader = Counting()
    shared = SharedReader(reader)
    ahead = [shared.read(300)]
    behind = [shared.read_again(250), shared.read_again(0)]
    ahead += [shared.read(300), shared.read(300)]
    behind += [
        shared.read_again(600),
        shared.read_again(150),
    ]  # the last 100 have not been read yet
    np.testing.assert_array_equal(np.concatenate(behind, 1), samples)
    np.testing.assert_array_equal(np.concatenate(ahead, 1), samples[:, :900])
    assert reader.count == 4
