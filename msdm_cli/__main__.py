"""``python -m msdm_cli`` is ``msdm``."""

from msdm_cli.cli.app import main

if __name__ == "__main__":
    main()
