"""README's table and figure of `pyconv compare`: MLP against CNN on CIFAR-10, from a run."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import readme

import pyconv

MARKS = readme.marks("compare", "compare.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", metavar="PATH", help="CIFAR-10, as `pyconv compare` takes it")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "pyconv", "compare", "--dataset", "cifar10"]
    command += ["--seed", str(arguments.seed)]
    command += ["--data", arguments.data] if arguments.data else []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        start = time.perf_counter()
        output = subprocess.run(
            [*command, "--out", str(out)], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        text = block(output, time.perf_counter() - start, pyconv.get_num_threads())
        readme.write(MARKS, text)
        shutil.copyfile(out / "comparison.png", readme.ROOT / "docs" / "mlp_vs_cnn.png")
    print(text)


def block(output: str, seconds: float, threads: int) -> str:
    """Return README's lines for what `pyconv compare` printed."""
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("network "))
    table = lines[start : lines.index("", start)]
    took = f"{seconds:.0f} s, {threads} thread{'s' * (threads != 1)}"
    return "\n".join([f"On CIFAR-10 ({took}):", "", "```text", *table, "```"])


if __name__ == "__main__":
    main()
