"""Convolutions of some 200 shapes, each pass against oneDNN: where is a cliff?

Batch 1 to 1024, images 8 to 224, channels 1 to 512, kernels, strides, dilation, groups and
depthwise. Peer: torch with channels_last tensors, in a process of its own, in interleaved rounds.
Each measurement is appended to FILE.jsonl at once: a sweep that was cut off goes on where it was.

    python benchmarks/sweep.py benchmarks/results/sweep-avx2 --isa avx2 [--limit SECONDS]
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator

from pyconv.bench.cases import Conv
from pyconv.bench.measure import measure
from pyconv.bench.processes import Process

SHOWN = 60


def shapes() -> list[Conv]:
    """Return the shapes, each once."""
    return list(dict.fromkeys([*_by_batch(), *_by_size(), *_by_kernel(), *_networks()]))


def _by_batch() -> Iterator[Conv]:
    for n in (1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 1024):
        yield Conv(n, 32, 32, 3, 16, (2, 2))
        yield Conv(n, 16, 16, 16, 32, (2, 2))
        yield Conv(n, 8, 8, 32, 64, (2, 2))
    for n in (1, 2, 8, 32, 128, 512):
        yield Conv(n, 8, 8, 64, 64)
        yield Conv(n, 8, 8, 64, 128, (1, 1))
        yield Conv(n, 8, 8, 64, 64, stride=2)
    for n in (1, 2, 4, 8, 16, 64):
        yield Conv(n, 16, 16, 128, 128)
    for n in (1, 4, 16):
        yield Conv(n, 8, 8, 256, 256)


def _by_size() -> Iterator[Conv]:
    for size, n in ((8, 32), (13, 16), (16, 32), (28, 8), (32, 32), (56, 4), (112, 1), (224, 1)):
        yield Conv(n, size, size, 3, 64)
        yield Conv(n, size, size, 32, 32)
        yield Conv(n, size, size, 64, 16, (1, 1))
        yield Conv(n, size, size, 16, 16, (5, 5))
    for c, oc in ((1, 1), (1, 16), (1, 64), (2, 8), (3, 3), (3, 32), (4, 4), (5, 7), (7, 13),
                  (8, 8), (16, 16), (17, 33), (24, 48), (32, 64), (48, 48), (64, 3), (64, 64),
                  (96, 96), (100, 100), (128, 64), (128, 512)):  # fmt: skip
        yield Conv(8, 16, 16, c, oc)
        yield Conv(8, 16, 16, c, oc, (1, 1))
    for c, oc in ((256, 512), (512, 512), (512, 1), (512, 10)):
        yield Conv(8, 8, 8, c, oc)
        yield Conv(8, 8, 8, c, oc, (1, 1))


def _by_kernel() -> Iterator[Conv]:
    for kernel in ((1, 3), (3, 1), (2, 2), (4, 4), (5, 5), (7, 7), (11, 11), (1, 7), (9, 2)):
        yield Conv(8, 16, 16, 32, 32, kernel)
        yield Conv(8, 32, 32, 3, 32, kernel)
    for stride in (2, 3, 4):
        for kernel in ((1, 1), (2, 2), (3, 3), (5, 5)):
            yield Conv(8, 32, 32, 32, 32, kernel, stride)
        yield Conv(8, 32, 32, 3, 32, (3, 3), stride)
    for dilation in (2, 3, 6):
        yield Conv(8, 32, 32, 32, 32, dilation=dilation)
        yield Conv(8, 32, 32, 3, 16, dilation=dilation)
    for groups in (2, 4, 8, 16, 32):
        yield Conv(8, 16, 16, 64, 64, groups=groups)
        yield Conv(8, 16, 16, 64, 64, (1, 1), groups=groups)
    for c, size in ((8, 32), (32, 32), (64, 16), (128, 16), (256, 8), (512, 8)):
        yield Conv(8, size, size, c, c, groups=c)
        yield Conv(8, size, size, c, c, stride=2, groups=c)
    yield Conv(8, 16, 16, 64, 64, (5, 5), groups=64)
    yield Conv(8, 16, 16, 64, 128, groups=64)
    for padding in ("valid",):
        yield Conv(32, 32, 32, 3, 32, padding=padding)
        yield Conv(8, 16, 16, 64, 64, padding=padding)
        yield Conv(8, 28, 28, 1, 32, (5, 5), padding=padding)
        yield Conv(128, 28, 28, 1, 32, padding=padding)


def _networks() -> Iterator[Conv]:
    yield Conv(32, 32, 32, 3, 64)  # VGG-like
    yield Conv(8, 32, 32, 64, 64)
    yield Conv(16, 16, 16, 64, 128)
    yield Conv(16, 16, 16, 128, 128)
    yield Conv(32, 8, 8, 128, 256)
    yield Conv(32, 8, 8, 256, 256)
    yield Conv(1, 224, 224, 3, 64, (7, 7), 2)  # ResNet
    yield Conv(2, 56, 56, 64, 64)
    yield Conv(2, 56, 56, 64, 128, stride=2)
    yield Conv(2, 56, 56, 64, 256, (1, 1))
    yield Conv(2, 28, 28, 128, 512, (1, 1))
    yield Conv(2, 28, 28, 512, 128, (1, 1))
    yield Conv(2, 14, 14, 256, 256)
    yield Conv(2, 14, 14, 512, 512, stride=2)
    yield Conv(2, 112, 112, 32, 32, groups=32)  # MobileNet
    yield Conv(2, 56, 56, 128, 128, stride=2, groups=128)
    yield Conv(2, 28, 28, 256, 256, (1, 1))
    yield Conv(1, 227, 227, 3, 96, (11, 11), 4, "valid")  # AlexNet


def run(path: str, isa: str | None, threads: int, limit: float) -> bool:
    """Measure what FILE.jsonl lacks; return whether all is there."""
    done = {row["name"] for row in _rows(path)}
    missing = [case for shape in shapes() for case in shape.passes() if case.name not in done]
    if not missing:
        return True
    end = time.monotonic() + limit
    processes = [Process("pyconv", threads, isa), Process("torch", threads, isa)]
    try:
        for i, case in enumerate(missing):
            if time.monotonic() > end:
                print(f"{len(missing) - i} left: run it again", file=sys.stderr)
                return False
            found = measure(case, processes, 5, 0.01, variants={"torch": "channels_last"})
            row = {"name": case.name, "flops": case.flops, "bytes": case.bytes}
            for name, timing in found.timings.items():
                low, high = timing.quartiles
                times = [float(f"{value:.4g}") for value in (timing.median, low, high)]
                row[name] = {"median": times[0], "quartiles": times[1:]}
            with open(path + ".jsonl", "a") as file:
                print(json.dumps(row), file=file)
    finally:
        for process in processes:
            process.close()
    return True


def report(path: str, isa: str | None, threads: int) -> str:
    """Write FILE.md, with the lowest ratios; return it."""
    rows = [row for row in _rows(path) if "pyconv" in row and "torch" in row]
    ratio = {row["name"]: row["torch"]["median"] / row["pyconv"]["median"] for row in rows}
    rows.sort(key=lambda row: ratio[row["name"]])
    values = sorted(ratio.values())
    slow = sum(value < 1 / 1.1 for value in values)
    lines = [
        f"{len(rows)} passes of {len(shapes())} shapes; pyconv against oneDNN (torch, "
        f"channels_last); {threads} threads, instruction set {isa or 'native'}.",
        f"Median ratio {values[len(values) // 2]:.2f}; {slow} passes slower than oneDNN by more "
        f"than 10 %. The {min(SHOWN, len(rows))} lowest ratios:",
        "",
        "| oneDNN / pyconv | pyconv GFLOP/s | oneDNN GFLOP/s | pyconv ms | pass |",
        "| ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows[:SHOWN]:
        ours, theirs = row["pyconv"]["median"], row["torch"]["median"]
        lines.append(
            f"| {ratio[row['name']]:.2f} | {row['flops'] / ours / 1e9:.1f} | "
            f"{row['flops'] / theirs / 1e9:.1f} | {1e3 * ours:.3f} | {row['name']} |"
        )
    text = "\n".join(lines) + "\n"
    with open(path + ".md", "w") as file:
        file.write(text)
    return text


def _rows(path: str) -> list[dict]:
    if not os.path.exists(path + ".jsonl"):
        return []
    with open(path + ".jsonl") as file:
        return [json.loads(line) for line in file]


def main() -> int:
    """Sweep, then print the slowest cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="results, without ending")
    parser.add_argument("--isa", help="hold both to an instruction set, such as avx2")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--limit", type=float, default=3600, help="seconds after which to stop")
    arguments = parser.parse_args()
    complete = run(arguments.file, arguments.isa, arguments.threads, arguments.limit)
    print(report(arguments.file, arguments.isa, arguments.threads))
    return 0 if complete else 3


if __name__ == "__main__":
    sys.exit(main())
