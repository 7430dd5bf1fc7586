"""``python -m scripts.dataset`` is ``scripts.dataset.build``.

Rendering processes are spawned: they import functions by the name of their module, which
``__main__`` would not be in them.
"""

import typer

from scripts.dataset.build import main

if __name__ == "__main__":
    typer.run(main)
