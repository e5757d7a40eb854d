"""Fail where a kernel takes more instructions than ``instruction_counts.json`` says.

Counted by valgrind's callgrind on one thread and AVX2: the same number in each run on any machine,
however busy, where times on shared cores differ by more than a slip in a kernel costs. Another
compiler gives other numbers, so the table names the one that it holds for.

    python .ci/instruction_counts.py          # compare, within 3 % (15 % for another compiler)
    python .ci/instruction_counts.py --write  # after a change of a kernel
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instruction_counts.json")


def kernels():
    """Yield (name, function to count), each warmed up."""
    import numpy as np

    from pyconv.bench.cases import Conv, Dense, MaxPool, Relu, Update
    from pyconv.bench.peers import load

    peer = load("pyconv", 1)
    shapes = [Conv(1, 16, 16, 64, 64), Conv(2, 32, 32, 3, 64), Conv(4, 16, 16, 16, 32, (2, 2))]
    shapes += [Conv(2, 16, 16, 64, 64, (1, 1)), Conv(2, 16, 16, 32, 32, stride=2)]
    shapes += [Conv(2, 16, 16, 64, 64, groups=64)]
    cases = [case for shape in shapes for case in shape.passes()]
    cases += Dense(32, 256, 128).passes()
    cases += [MaxPool(2, 16, 16, 64), MaxPool(2, 16, 16, 64, "input")]
    cases += [Relu(2**17), Relu(2**17, "input"), Update("RMSprop", "deck CNN")]
    np.seterr(all="ignore")
    for case in cases:
        run = peer.variants(case)[""]().run
        run()
        yield case.name, run

    for name, run in zeros_left_out(np.random.default_rng(0)):
        run()
        yield name, run


def zeros_left_out(rng):
    """Yield kernels whose work depends on how many values are 0."""
    from pyconv import backend

    x, w = (rng.standard_normal(s, "f") for s in ((32, 256), (256, 128)))
    x[rng.random(x.shape) < 0.7] = 0
    y, dw = backend.empty((32, 128), "f"), backend.empty(w.shape, "f")
    name = "dense 256→128 batch 32 of 30 % numbers"
    yield f"{name}, forward", lambda: backend.cpu.dense_forward(x, w, None, "linear", y)
    yield f"{name}, weight gradient", lambda: backend.cpu.dense_backward_weights(x, y, dw)

    x, w = (rng.standard_normal(s, "f") for s in ((4, 16, 16, 16), (2, 2, 16, 32)))
    arguments = ((1, 1), (0, 1, 0, 1), (1, 1), 1, "relu", (2, 2), (2, 2), (0, 0, 0, 0))
    winners = backend.empty((4, 8, 8, 32), "f")
    y = backend.cpu.conv2d_maxpool2d_forward(x, w, None, *arguments, None, winners)
    name = "conv 2x2 16→32 16x16 and max pooling 2x2 batch 4"
    forward = (x, w, None, *arguments, y)
    yield f"{name}, forward", lambda: backend.cpu.conv2d_maxpool2d_forward(*forward)
    outputs = [backend.empty(a.shape, "f") for a in (x, w, w[0, 0, 0])]
    gradients = (x, w, y, winners, y, *arguments, *outputs)
    yield f"{name}, gradients", lambda: backend.cpu.conv2d_maxpool2d_backward(*gradients)


def child():
    """Run each kernel between two calls of getppid, at which callgrind writes its counts."""
    for name, run in kernels():
        os.getppid()
        run()
        os.getppid()
        print(name, flush=True)


def counts():
    """Return the instructions of each kernel."""
    environment = {**os.environ, "PYCONV_ISA": "avx2", "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--dump-before=getppid", "--dump-instr=no"]
        command.append(f"--callgrind-out-file={folder}/out")
        done = subprocess.run(
            [*command, sys.executable, os.path.abspath(__file__), "--child"],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"callgrind failed:\n{done.stderr[-2000:]}")
        names = done.stdout.splitlines()
        # out.1 is what came before the first kernel, out.2 the first kernel, out.3 between ...
        found = {}
        for i, name in enumerate(names):
            with open(f"{folder}/out.{2 * i + 2}") as file:
                found[name] = int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M)[1])
        return found


def compiler():
    """Return what compiled the module."""
    import pyconv

    (module,) = glob.glob(os.path.join(os.path.dirname(pyconv.__file__), "_cpu*.so"))
    with open(module, "rb") as file:
        found = re.findall(rb"GCC: \([^)]*\) ([\d.]+)|(clang version [\d.]+)", file.read())
    return " ".join(sorted({part.decode() for pair in found for part in pair if part}))


def main():
    """Compare with the table, or write it."""
    present = {"compiler": compiler(), "counts": counts()}
    if "--write" in sys.argv:
        with open(TABLE, "w") as file:
            json.dump(present, file, indent=1, ensure_ascii=False)
            file.write("\n")
        return 0
    with open(TABLE) as file:
        table = json.load(file)
    allowed = 1.03 if table["compiler"] == present["compiler"] else 1.15
    slower = 0
    for name, count in present["counts"].items():
        before = table["counts"].get(name)
        if before is None:
            print(f"not in the table: {name}")
            slower += 1
        elif count > allowed * before:
            print(f"{count / before:.2f} times the instructions: {name} ({before} to {count})")
            slower += 1
    gone = set(table["counts"]) - set(present["counts"])
    if slower or gone:
        print("where that is wanted: python .ci/instruction_counts.py --write")
    print(
        f"instruction counts: {len(present['counts'])} kernels, {slower} slower, {len(gone)} gone"
    )
    return int(bool(slower or gone))


if __name__ == "__main__":
    if "--child" in sys.argv:
        child()
    else:
        sys.exit(main())
