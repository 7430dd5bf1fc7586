"""These tests need what ``pip install '.[training]'`` brings."""

from importlib.util import find_spec

PACKAGES = ("mido", "pedalboard", "pysfizz", "scipy")
collect_ignore_glob = [] if all(map(find_spec, PACKAGES)) else ["test_*.py"]
