import platform

import pytest

from msdm_cli.backends import processor
from msdm_cli.backends.processor import name_cpu, name_processors
from msdm_cli.backends.runtime import Runtime

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 143
model name\t: Intel(R) Xeon(R) Processor
stepping\t: 8

processor\t: 1
model name\t: Another
"""
ARM = """processor\t: 0
CPU implementer\t: 0x41
CPU part\t: 0xd0c
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [(INTEL, "Intel(R) Xeon(R) Processor (6-143-8)"), (ARM, "0xd0c")],
)
def test_linux_names_the_first_processor(tmp_path, monkeypatch, text, name):
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", path)
    assert name_cpu() == name


def test_other_systems_name_it_in_their_own_way(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert name_cpu() == platform.machine()
    monkeypatch.setattr(platform, "processor", lambda: "Intel64 Family 6")
    assert name_cpu() == "Intel64 Family 6"


def test_devices_of_one_kind_are_named_once(monkeypatch):
    monkeypatch.setattr(processor, "name_cpu", lambda: "abacus")
    assert name_processors(Runtime("torch", "cpu,cpu", "fp32")) == "abacus"
    monkeypatch.setattr(
        "msdm_cli.backends.torch_backend.name_device", lambda device: f"GPU {device}"
    )
    assert name_processors(Runtime("torch", "cuda:0,cpu", "fp32")) == "GPU cuda:0, abacus"
    assert name_processors(Runtime("onnx", "cuda", "fp32")) == "abacus"
