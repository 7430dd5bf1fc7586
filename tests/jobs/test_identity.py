import dataclasses
import json
import os
from pathlib import Path

import pytest
import torch
from conftest import make_request, request_separation

from msdm_cli.backends.runtime import Runtime
from msdm_cli.jobs import identity as module
from msdm_cli.jobs.identity import (
    describe_differences,
    draw_seed,
    find_difference,
    forget_machine,
    get_seed,
    identify,
    is_same_but_seed,
)
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.tasks.table import TASKS

DIGESTS = {"song": "abc"}


def request_of(model, **fields):
    return request_separation(model, Path("song.wav"), Path("stems"), quality="default", **fields)


@pytest.mark.parametrize("task", TASKS)
def test_identical_requests_have_equal_identities_that_survive_json(tiny_model, task):
    fields = {"seconds": 2.0} if task == "generate" else {}
    one, two = (
        make_request(tiny_model, task, {}, Path("stems"), seed=3, **fields) for _ in range(2)
    )
    identity = identify(one, tiny_model, DIGESTS)
    assert identity == identify(two, tiny_model, DIGESTS)
    assert json.loads(json.dumps(identity)) == identity
    assert get_seed(identity) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"folder": Path("elsewhere")},
        {"inputs": {"song": Path("moved.wav")}},
        {"track": "renamed"},
        {"overwrite": True},
        {"runtime": Runtime()},  # what it is resolved to counts
    ],
)
def test_where_things_lie_is_no_part_of_it(tiny_model, fields):
    request = request_of(tiny_model)
    moved = dataclasses.replace(request, **fields)
    assert identify(moved, tiny_model, DIGESTS) == identify(request, tiny_model, DIGESTS)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"seed": 6}, "options.seed"),
        ({"stems": ("bass",)}, "options.stems"),
        ({"overlap": 0.5}, "options.overlap"),
        ({"residual": True}, "options.residual"),
        ({"absent": ("piano",)}, "options.absent"),
        ({"start_seconds": 1.0}, "start_seconds"),
        ({"duration_seconds": 1.0}, "duration_seconds"),
        ({"output": OutputOptions("flac")}, "output.file_format"),
        ({"output": OutputOptions(subtype="FLOAT")}, "output.subtype"),
        ({"output": OutputOptions(name="{stem}.{ext}")}, "output.name"),
    ],
)
def test_what_decides_the_files_is_part_of_it(tiny_model, fields, place):
    one = identify(request_of(tiny_model), tiny_model, DIGESTS)
    other = identify(request_of(tiny_model, **fields), tiny_model, DIGESTS)
    assert find_difference(one, other) == place


def test_the_preset_is_part_of_it(tiny_model):
    one = identify(request_of(tiny_model), tiny_model, DIGESTS)
    preset = tiny_model.spec.preset("separate", "default")
    options = dataclasses.replace(preset.options, eta=0.5)
    preset = dataclasses.replace(preset, options=options)
    other = identify(request_of(tiny_model, preset=preset), tiny_model, DIGESTS)
    assert find_difference(one, other) == "options.preset.eta"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"weights_sha256": "other"}, "weights_sha256"),
        ({"runtime": Runtime("torch", "cpu", "bf16")}, "runtime.precision"),
        ({"runtime": Runtime("torch", "cuda", "fp32")}, "runtime.device"),
        ({"runtime": Runtime("torch", "cpu", "fp32", 3)}, "runtime.threads"),
    ],
)
def test_the_model_and_what_runs_it_are_part_of_it(tiny_model, fields, place):
    request = request_of(tiny_model)
    one = identify(request, tiny_model, DIGESTS)
    other = identify(request, dataclasses.replace(tiny_model, **fields), DIGESTS)
    assert find_difference(one, other) == place


def test_versions_and_the_processor_are_part_of_it(tiny_model, monkeypatch):
    request = request_of(tiny_model)
    one = identify(request, tiny_model, DIGESTS)
    assert one["versions"]["torch"] == torch.__version__
    monkeypatch.setattr(module, "name_processors", lambda runtime: "abacus")
    other = identify(request, tiny_model, DIGESTS)
    assert find_difference(one, other) == "versions.processor"
    assert other["versions"]["processor"] == "abacus"
    assert find_difference(forget_machine(one), forget_machine(other)) is None


def test_onnx_runtime_decides_by_the_number_of_cores(tiny_model, monkeypatch):
    monkeypatch.setattr(module, "name_processors", lambda runtime: "abacus")
    for threads, processor in ((0, f"abacus, {os.cpu_count()} cores"), (2, "abacus")):
        runtime = Runtime("onnx", "cpu", "fp32", threads)
        model = dataclasses.replace(tiny_model, runtime=runtime)
        versions = identify(request_of(model), model, DIGESTS)["versions"]
        assert versions["processor"] == processor
        assert "onnxruntime" in versions


def test_threads_are_forgotten_where_the_last_bits_do_not_count(tiny_model):
    request = request_of(tiny_model)
    two, three = (
        identify(
            request,
            dataclasses.replace(tiny_model, runtime=Runtime("torch", "cpu", "fp32", threads)),
            DIGESTS,
        )
        for threads in (2, 3)
    )
    assert find_difference(forget_machine(two), forget_machine(three)) is None
    assert two["runtime"]["threads"] == 2
    assert forget_machine({"a": 1}) == {"a": 1}


def test_differences_of_machines_are_described():
    one = {"runtime": {"threads": 2, "device": "cpu"}, "versions": {"torch": "2.6"}}
    two = {"runtime": {"threads": 4, "device": "cpu"}, "versions": {"torch": "2.7", "msdm": "1"}}
    assert describe_differences(one, one) == []
    assert describe_differences(one, two) == [
        "threads: 2 before, 4 now",
        "torch: 2.6 before, 2.7 now",
        "msdm: not known before, 1 now",
    ]


@pytest.mark.parametrize("field", ["chunk_length", "context"])
def test_the_chunks_are_part_of_it(tiny_model, field):
    request = request_of(tiny_model)
    spec = dataclasses.replace(tiny_model.spec, **{field: 2048 if field == "context" else 32768})
    one = identify(request, tiny_model, DIGESTS)
    other = identify(request, dataclasses.replace(tiny_model, spec=spec), DIGESTS)
    assert find_difference(one, other) == field


def test_the_content_of_inputs_is_part_of_it(tiny_model):
    request = request_of(tiny_model)
    one = identify(request, tiny_model, DIGESTS)
    other = identify(request, tiny_model, {"song": "def"})
    assert find_difference(one, other) == "inputs.song"


def test_the_first_difference_is_found():
    assert find_difference({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 2}}) is None
    assert find_difference({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}) == "b.c"
    assert find_difference({"a": 1}, {"a": 1, "b": None, "c": 1}) == "c"


def test_jobs_that_differ_in_the_seed_alone_are_recognised(tiny_model):
    one, seed, other = (
        identify(request_of(tiny_model, **fields), tiny_model, DIGESTS)
        for fields in ({}, {"seed": None}, {"seed": 6, "overlap": 0.5})
    )
    assert is_same_but_seed(one, one)
    assert is_same_but_seed(one, seed)
    assert not is_same_but_seed(one, other)


def test_drawn_seeds_are_short_and_differ():
    seeds = [draw_seed() for _ in range(50)]
    assert all(0 <= seed < 1 << 32 for seed in seeds)
    # Two of 50 are the same once in 3.5 million.
    assert len(set(seeds)) == 50


def test_what_a_spec_says_of_sketches_is_part_of_it(tiny_cascade):
    request = make_request(tiny_cascade, "generate", {}, Path("stems"), seed=3, seconds=2.0)
    identity = identify(request, tiny_cascade, {})
    first, sketch, sound = tiny_cascade.spec.stages
    for stages, place in (
        ((first, dataclasses.replace(sketch, guidance=7.0), sound), "guidance"),
        ((first, sketch, dataclasses.replace(sound, told_error=7.0)), "told_error"),
    ):
        spec = dataclasses.replace(tiny_cascade.spec, stages=stages)
        changed = identify(request, dataclasses.replace(tiny_cascade, spec=spec), {})
        assert find_difference(identity, changed) == place
