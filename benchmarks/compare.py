"""README's table and figure of `pyconv compare`: MLP against CNN on CIFAR-10, from a run."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyconv

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- compare: written by benchmarks/compare.py -->", "<!-- /compare -->"


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
        path = ROOT / "README.md"
        path.write_text(rewritten(path.read_text(encoding="utf-8"), text), encoding="utf-8")
        shutil.copyfile(out / "comparison.png", ROOT / "docs" / "mlp_vs_cnn.png")
    print(text)


def block(output: str, seconds: float, threads: int) -> str:
    """Return README's lines for what `pyconv compare` printed."""
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("network "))
    table = lines[start : lines.index("", start)]
    took = f"{seconds:.0f} s, {threads} thread{'s' * (threads != 1)}"
    return "\n".join([f"On CIFAR-10 ({took}):", "", "```text", *table, "```"])


def rewritten(readme: str, text: str) -> str:
    """Return README with other lines between the marks."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"README.md lacks the lines {BEGIN} and {END}")
    return f"{before}{begin}\n{text}\n{end}{after}"


if __name__ == "__main__":
    main()
