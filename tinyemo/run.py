"""Alias of `tinyemo run`: `python -m tinyemo.run STEM [--profile P] [-p key=value ...]`."""

import sys

from tinyemo.cli import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
