"""Programs that run beside the tests."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def run(*lines, check=True, **variables):
    """Run a program that may import from the tests; return what it printed, and how it ended."""
    # Not from the folder of the sources, which would hide the installed package.
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=TESTS,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
        check=check,
    )
