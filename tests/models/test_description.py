import subprocess
import sys

import pytest

from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import UnknownModel
from msdm_cli.models.description import describe_model
from msdm_cli.models.load import load
from msdm_cli.models.registry import EMBEDDED


def test_it_says_of_a_model_what_loading_it_would():
    loaded = load(EMBEDDED, Runtime("torch", "cpu"))
    described = describe_model(EMBEDDED, Runtime())
    assert described.spec == loaded.spec
    assert described.weights_sha256 == loaded.weights_sha256
    assert described.runtime == Runtime()


def test_an_unknown_model_is_an_error():
    with pytest.raises(UnknownModel):
        describe_model("none", Runtime())


def test_no_backend_is_imported_for_it():
    code = (
        "import sys\n"
        "from msdm_cli.backends.runtime import Runtime\n"
        "from msdm_cli.models.description import describe_model\n"
        "describe_model('embedded', Runtime())\n"
        "sys.exit('torch' in sys.modules or 'onnxruntime' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
