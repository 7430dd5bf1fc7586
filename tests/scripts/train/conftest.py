"""These tests need what ``pip install '.[training]'`` brings."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("lightning_fabric") else ["test_*.py"]
