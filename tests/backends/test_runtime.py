import pytest

from msdm_cli.backends.runtime import Runtime


def test_everything_is_left_open_by_default():
    assert Runtime() == Runtime("auto", "auto", "auto")


def test_it_reads_as_device_backend_precision():
    assert str(Runtime("onnx", "cuda:1", "fp16")) == "cuda:1, onnx, fp16"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"backend": "jax"}, "expected a backend of torch, onnx, got jax"),
        ({"threads": -1}, "expected 0 to 1024 threads, got -1"),
        ({"threads": 1.0}, "expected 0 to 1024 threads, got 1.0"),
        ({"threads": True}, "expected 0 to 1024 threads, got True"),
        ({"threads": 2000}, "expected 0 to 1024 threads, got 2000"),
        ({"device": ",".join(["cpu"] * 65)}, "expected up to 64 devices, got 65"),
        ({"precision": "fp8"}, "expected a precision of fp32, bf16, fp16, got fp8"),
    ],
)
def test_what_does_not_exist_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Runtime(**fields)


@pytest.mark.parametrize("device", [None, 0])
def test_a_device_has_a_name(device):
    with pytest.raises(TypeError, match=f"expected the name of a device, got {device}"):
        Runtime(device=device)
