"""The command ``msdm`` in this process, and small models for it."""

import contextlib
import io
import os
import sys
from dataclasses import dataclass, replace
from unittest import mock

import pytest
from conftest import STEMS, make_tiny_model, tiny_network

from msdm_cli.cli import console
from msdm_cli.cli.app import main
from msdm_cli.models.adopt import store_model
from msdm_cli.networks.stft_unet import StftUnetConfig

# rich keeps a width that it finds in the environment when a console is made.
console.stdout()
console.stderr()


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str

    def assert_two_lines(self, *words, returncode=1):
        """It failed with two lines on stderr: what happened, and what to do."""
        lines = self.stderr.strip().splitlines()
        assert self.returncode == returncode, self.stderr
        assert len(lines) == 2, self.stderr
        assert lines[0].startswith("error: ")
        assert lines[1].startswith("  ")
        for word in words:
            assert word in self.stderr
        assert not self.stdout.strip() or "failed" in self.stdout


def msdm(*arguments, columns=200):
    """Run a command line, as a shell would."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    with (
        mock.patch.object(sys, "argv", ["msdm", *map(str, arguments)]),
        mock.patch.dict(os.environ, {"COLUMNS": str(columns)}),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    texts = [stream.buffer.getvalue().decode() for stream in streams]
    return Ended(ended.value.code or 0, *texts)


def store_tiny_model(cache, name="tiny", stems=STEMS, **fields):
    """Put a small model with random weights into a cache, for ``--model``.

    Args:
        cache: Value of ``MSDM_CACHE``.
        name: Its name.
        stems: Its stems.
        fields: Other fields of its spec.
    """
    spec = make_tiny_model(stems).spec
    config = StftUnetConfig(**spec.stage.config)
    with mock.patch.dict(os.environ, {"MSDM_CACHE": str(cache)}):
        weights = tiny_network(config=config).state_dict()
        store_model({"": weights}, replace(spec, name=name, **fields), "random weights", "none")


def store_tiny_cascade(cache, spec, networks):
    """Put a model of several stages into a cache.

    Args:
        cache: Value of ``MSDM_CACHE``.
        spec: Its spec.
        networks: The network of each stage.
    """
    stages = zip(spec.stages, networks, strict=True)
    tensors = {stage.name: network.state_dict() for stage, network in stages}
    with mock.patch.dict(os.environ, {"MSDM_CACHE": str(cache)}):
        store_model(tensors, spec, "random weights", "none")
