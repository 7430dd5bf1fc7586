"""Which model runs, and on what."""

from typing import get_args

import pytest
import typer

from msdm_cli.backends.onnx_backend import PROVIDERS
from msdm_cli.backends.runtime import Runtime
from msdm_cli.cli.runtime_options import ProviderOption, choose_runtime
from msdm_cli.models.paper_presets import published_presets


def test_the_help_names_all_providers():
    help_text = get_args(ProviderOption)[1].help
    assert [word for word in PROVIDERS if word in help_text] == list(PROVIDERS)


def test_a_provider_is_a_device_of_onnx_runtime():
    assert choose_runtime("cpu", "auto", None, "fp32") == Runtime("auto", "cpu", "fp32")
    assert choose_runtime("auto", "onnx", "dml", "auto") == Runtime("onnx", "dml", "auto")
    for device, backend in (("cpu", "auto"), ("auto", "torch")):
        with pytest.raises(typer.BadParameter, match="leave out --backend and --device"):
            choose_runtime(device, backend, "cpu", "auto")


@pytest.mark.parametrize(
    ("backend", "precision", "found"),
    [("auto", "auto", "fp32"), ("torch", "bf16", "bf16"), ("onnx", "auto", "auto")],
)
def test_samplers_of_the_paper_compute_exactly_unless_asked_otherwise(backend, precision, found):
    presets = published_presets(per_stem=False)["separate"]
    runtime = choose_runtime("cpu", backend, None, precision, 2, presets["dirac"])
    assert runtime == Runtime(backend, "cpu", found, 2)
    ours = choose_runtime("cpu", backend, None, precision, 2, presets["fast"])
    assert ours == Runtime(backend, "cpu", precision, 2)
