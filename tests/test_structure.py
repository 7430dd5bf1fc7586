"""The rules that keep the tree easy to read: short modules and functions, a test file for each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"

MOST_MODULE_LINES = 259
MOST_FUNCTION_LINES = 39
MOST_PARAMETERS = 6
ASKED_BY_NAME = {"impute": 8, "impute_blocks": 8, "extend": 7, "extend_blocks": 7}
"""Methods of the Python interface with more parameters, most of which are rarely given."""

FORBIDDEN_NAMES = {"base", "common", "helper", "helpers", "manager", "util", "utils"}
"""They say where something was put, not what it is."""

UNTESTED = {
    "progress": "a protocol, and a class whose methods do nothing",
    "errors": "names; tests/test_interface.py holds the tree",
    "model": "tests/test_interface.py asks it",
    "music_model": "tests/test_interface.py asks it",
    "diffusion/denoiser": "a protocol",
    "representations/representation": "a protocol",
}
"""Modules without a test file of their own, and why."""


def list_modules(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_module(path):
    return path.relative_to(ROOT).as_posix()


MODULES = list_modules("msdm_cli", "scripts")


def list_functions(path):
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def is_command(function):
    """Whether typer makes a command of a function: its options are annotations."""
    arguments = function.args.args + function.args.kwonlyargs
    annotations = [ast.unparse(item.annotation) for item in arguments if item.annotation]
    return any("Annotated[" in text or text.endswith("Option") for text in annotations)


def count_parameters(function):
    arguments = function.args
    names = [item.arg for item in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
    return len(names) - (bool(names) and names[0] in ("self", "cls"))


@pytest.mark.parametrize("path", MODULES, ids=name_module)
def test_modules_and_functions_are_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= MOST_MODULE_LINES
    for function in list_functions(path):
        if is_command(function):
            continue
        length = function.end_lineno - function.lineno + 1
        assert length <= MOST_FUNCTION_LINES, f"{function.name} has {length} lines"
        count = count_parameters(function)
        most = ASKED_BY_NAME.get(function.name, MOST_PARAMETERS)
        assert count <= most, f"{function.name} has {count} parameters"


@pytest.mark.parametrize("path", [*MODULES, *list_modules("tests")], ids=name_module)
def test_names_say_what_a_module_is_for(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    words = {word for part in parts for word in part.removeprefix("test_").split("_")}
    assert not words & FORBIDDEN_NAMES


def find_test(module):
    return TESTS / module.parent / f"test_{module.name}.py"


def list_tested_modules():
    """Modules of the package, relative to it, without suffix."""
    package = ROOT / "msdm_cli"
    paths = [path.relative_to(package).with_suffix("") for path in package.rglob("*.py")]
    return sorted(path for path in paths if not path.name.startswith("__"))


@pytest.mark.parametrize("module", list_tested_modules(), ids=Path.as_posix)
def test_every_module_has_its_test_file(module):
    if module.as_posix() not in UNTESTED:
        assert find_test(module).is_file(), f"no {find_test(module).relative_to(ROOT)}"


def test_the_table_of_exceptions_holds_no_others():
    modules = {module.as_posix(): module for module in list_tested_modules()}
    assert UNTESTED.keys() <= modules.keys()
    assert not [name for name in UNTESTED if find_test(modules[name]).exists()]
