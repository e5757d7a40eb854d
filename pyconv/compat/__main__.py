"""``python -m pyconv.compat SCRIPT.py [args]``: runs a script written for Keras on pyconv."""

import argparse
import os
import runpy
import sys

from pyconv.compat import install
from pyconv.compat._era import ERAS
from pyconv.compat._older_packages import restore


def main(argv: list[str] | None = None) -> None:
    """Run the script that the command line names, as ``python SCRIPT.py`` does."""
    parser = argparse.ArgumentParser(
        "python -m pyconv.compat",
        description="Run a script written for Keras (import keras, tensorflow.keras) on pyconv.",
    )
    parser.add_argument(
        "--compat",
        choices=ERAS,
        help="whose numerics and texts to follow; by default keras2, and keras3 for tensorflow",
    )
    parser.add_argument("script", metavar="SCRIPT.py")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="arguments of the script")
    options = parser.parse_args(argv)
    if not os.path.isfile(options.script):
        parser.error(f"there is no file {options.script!r}")
    install(options.compat)
    restore()
    sys.argv = [options.script, *options.args]
    sys.path[0] = os.path.dirname(os.path.abspath(options.script))
    runpy.run_path(options.script, run_name="__main__")


if __name__ == "__main__":
    main()
