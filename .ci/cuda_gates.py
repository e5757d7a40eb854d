"""What nvcc makes of the kernels, beside the table in cuda/GATES.md.

Every kernel must compile without warnings, spills and local memory for every architecture. The
table has its registers and occupancy, and the instructions of the main loop of each product; with
the compiler that wrote it, it must come out the same. ``--write`` writes it anew.

Needs nvcc and cuobjdump on the PATH, or pip's nvidia-cuda-nvcc, nvidia-cuda-crt, nvidia-nvvm,
nvidia-cuda-runtime, nvidia-cuda-cccl, nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm beside this
Python.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "cuda" / "GATES.md"
LOOPS_OF = ("80", "90")
# Of a multiprocessor: warps, blocks, shared memory and what the system takes of it for a block
# (CUDA C++ Programming Guide, "Technical Specifications per Compute Capability").
LIMITS = {
    "75": (32, 16, 64 << 10, 0),
    "80": (64, 32, 164 << 10, 1024),
    "86": (48, 16, 100 << 10, 1024),
    "89": (48, 24, 100 << 10, 1024),
    "90": (64, 32, 228 << 10, 1024),
    "100": (64, 32, 228 << 10, 1024),
    "120": (48, 24, 100 << 10, 1024),
}
REGISTERS = 65536  # of a multiprocessor, given to warps in units of 256
PASSES = ("forward", "input", "filter")


def tool(name):
    """The path of a tool of CUDA."""
    folders = [Path(sysconfig.get_path("purelib"), "nvidia", "cu13", "bin")]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, folders)))
    return found or sys.exit(f"cuda_gates: {name} is neither on the PATH nor in {folders[0]}")


def run(*command):
    """The output of a command, with its errors."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"cuda_gates: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def readable(names):
    """What the kernels of mangled names are called in the table."""
    plain = run("c++filt", *names).splitlines() if names else []
    return dict(zip(names, map(short, plain), strict=True))


def short(name):
    """``product_kernel<Tile<128, 64, 8, 8, 4>, forward, 4, 4>`` and the like."""
    name = re.sub(r"^void ", "", name).replace("(anonymous namespace)::", "")
    name = re.sub(r"\(pyconv::cuda::Pass\)(\d)", lambda m: PASSES[int(m[1])], name)
    name = re.sub(r"\b(?:pyconv|cuda|_GLOBAL__N__\w+)::", "", name)
    return re.sub(r"\((?!.*>\().*$", "", name)


def shared_of(kernel, static):
    """Shared memory of a block; that of the tensor cores' kernels is given at the launch."""
    match = re.match(r"product_tf32_kernel<Tf32Tile<(\d+), (\d+), .*>, (\w+)>", kernel)
    if not match:
        return static
    bm, bn, bk, stages = int(match[1]), int(match[2]), 16, 3
    a = bk * (bm + 8) if match[3] == "filter" else bm * bk
    b = bn * bk if match[3] == "input" else bk * (bn + 8)
    return 4 * stages * (a + b)


def occupancy(arch, threads, registers, shared):
    """The share of a multiprocessor's warps that may be there at a time."""
    warps, blocks, memory, reserved = LIMITS[arch]
    own = threads // 32
    fit = REGISTERS // (-(-registers * 32 // 256) * 256) // own
    if shared + reserved:
        fit = min(fit, memory // (-(-(shared + reserved) // 128) * 128))
    return min(blocks, fit, warps // own) * own / warps


def main_loop(lines):
    """Opcodes of the innermost loop that multiplies most, of a kernel's SASS."""
    code = []
    for line in lines:
        match = re.match(r"\s+/\*([0-9a-f]{4,})\*/\s+(?:@!?U?P\w+ )?(\w[\w.]*)\s*([^;]*);", line)
        if match:
            code.append((int(match[1], 16), match[2], match[3]))
    loops = []
    for address, opcode, operands in code:
        target = re.search(r"0x([0-9a-f]+)", operands)
        if opcode.startswith("BRA") and target and int(target[1], 16) < address:
            loops.append([op for at, op, _ in code if int(target[1], 16) <= at <= address])
    return max(loops, key=lambda ops: (multiplications(ops), -len(ops)), default=[])


def multiplications(opcodes):
    """FFMA, or HMMA."""
    return sum(op.startswith(("FFMA", "HMMA")) for op in opcodes)


def loop_row(kernel, arch, opcodes):
    """A line of the table of main loops."""

    def count(*prefixes, with_=""):
        return sum(op.startswith(prefixes) and with_ in op for op in opcodes)

    shared = count("LDS")
    loads = count("LDG") if "tf32" not in kernel else count("LDGSTS")
    wide = count("LDG", with_=".128")
    per = f"{multiplications(opcodes) / shared:.1f}" if shared else "-"
    return (
        f"| `{kernel}` | {arch} | {len(opcodes)} | {multiplications(opcodes)} "
        f"| {multiplications(opcodes) / max(1, len(opcodes)):.0%} | {shared} "
        f"| {count('LDS', with_='.128') + count('LDSM')} | {per} | {loads} | {wide} |"
    )


def compile_one(source, arch, folder):
    """The kernels of a source: name to threads, registers, shared memory; SASS; what is wrong."""
    stem = Path(folder, f"{source.stem}.{arch}")
    includes = [f"-I{ROOT / 'cuda'}", f"-I{ROOT / 'csrc'}"]
    flags = ["-std=c++20", "-O3", "-Xptxas", "-v", "-Xcompiler=-Wall", f"-arch=sm_{arch}"]
    text = run(tool("nvcc"), *flags, *includes, "-cubin", "-o", f"{stem}.cubin", str(source))
    wrong = [f"{source.name}, sm_{arch}: {w}" for w in re.findall(r".*warning.*", text)]
    sections = re.split(r"Compiling entry function '(\w+)'", text)[1:]
    mangled, reports = sections[::2], sections[1::2]
    names = readable(mangled)
    bounds = {}
    if mangled:
        elf = run(tool("cuobjdump"), "-elf", f"{stem}.cubin")
        for section in re.split(r"\.nv\.info\.(?=_Z)", elf)[1:]:
            threads = re.search(r"EIATTR_MAX_THREADS\s.*?Value:\s+0x(\w+) 0x(\w+)", section, re.S)
            if threads:
                bounds[section.split()[0]] = int(threads[1], 16) * int(threads[2], 16)
    kernels = {}
    for name, report in zip(mangled, reports, strict=True):
        stack, stores, loads = map(int, re.findall(r"(\d+) bytes (?:stack|spill)", report))
        registers = int(re.search(r"Used (\d+) registers", report)[1])
        static = re.search(r"(\d+) bytes smem", report)
        shared = shared_of(names[name], int(static[1]) if static else 0)
        kernels[names[name]] = bounds.get(name, 256), registers, shared
        if stack or stores or loads:
            wrong.append(
                f"{names[name]}, sm_{arch}: {stack} bytes of local memory, {stores + loads} spilled"
            )
    sass = {}
    if arch in LOOPS_OF and "conv2d" in source.name:
        text = run(tool("cuobjdump"), "-sass", f"{stem}.cubin")
        for section in re.split(r"Function : ", text)[1:]:
            lines = section.splitlines()
            sass[names[lines[0].strip()]] = lines[1:]
    return kernels, {name: main_loop(lines) for name, lines in sass.items()}, wrong


def sources(folder):
    """What is compiled: products each alone; all others as one, as most is the headers."""
    every = sorted((ROOT / "cuda").glob("*.cu"))
    alone = [source for source in every if "conv2d_tasks.cuh" in source.read_text()]
    others = Path(folder, "others.cu")
    others.write_text("".join(f'#include "{s}"\n' for s in every if s not in alone))
    return [*alone, others]


def table():
    """The text of the table, and what is wrong."""
    kernels, loops, wrong = {}, {}, []
    with (
        tempfile.TemporaryDirectory() as folder,
        concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        tasks = [(source, arch) for source in sources(folder) for arch in LIMITS]
        results = pool.map(lambda task: compile_one(*task, folder), tasks)
        for (_, arch), (found, code, faults) in zip(tasks, results, strict=True):
            wrong += faults
            for name, values in found.items():
                kernels.setdefault(name, {})[arch] = values
            loops.update({(name, arch): c for name, c in code.items() if "product" in name})
    version = re.search(r"V([\d.]+)", run(tool("nvcc"), "--version"))[1]
    out = [
        "# Gates of the compiler",
        "",
        f"Written by `python .ci/cuda_gates.py --write` with nvcc {version}. No kernel has spills",
        "or local memory. For each architecture: registers of a thread, and the share of a",
        "multiprocessor's warps that may be there at a time (of 256 threads where a kernel sets no",
        "bounds). `Tile<BM, BN, TM, TN, blocks>` and `Tf32Tile<BM, BN, WM, WN, blocks>`, the pass,",
        "and how many values of A and B a thread loads at a time: `cuda/product.cuh`.",
        "",
        "| kernel | threads | shared | " + " | ".join(f"sm_{arch}" for arch in LIMITS) + " |",
        "| --- " * (3 + len(LIMITS)) + "|",
    ]
    for name, of in sorted(kernels.items()):
        threads, _, shared = of["80"]
        cells = []
        for arch in LIMITS:
            if arch == "75" and "tf32" in name:
                cells.append("-")
            else:
                cells.append(f"{of[arch][1]}, {occupancy(arch, *of[arch]):.0%}")
        out.append(f"| `{name}` | {threads} | {shared} | {' | '.join(cells)} |")
    out += [
        "",
        "Main loops: instructions, of which multiplications (FFMA, or HMMA of 16 x 8 x 8), loads",
        "from shared memory, of which 16 bytes a thread, multiplications for each of them, loads",
        "from global memory, of which 16 bytes a thread.",
        "",
        "| kernel | sm | all | mul | share | shared | wide | mul each | global | wide |",
        "| --- " * 10 + "|",
    ]
    out += [loop_row(name, arch, code) for (name, arch), code in sorted(loops.items())]
    return "\n".join(out) + "\n", wrong, version


def main():
    """Compare, or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table anew")
    write = parser.parse_args().write
    text, wrong, version = table()
    before = TABLE.read_text() if TABLE.exists() else ""
    if write:
        TABLE.write_text(text)
    elif f"with nvcc {version}." not in before:
        print(f"{TABLE.name} is of another compiler than nvcc {version}: not compared")
    elif text != before:
        changed = sorted(set(text.splitlines()) - set(before.splitlines()))
        wrong.append("other than in cuda/GATES.md:\n" + "\n".join(changed[:20]))
    print(f"nvcc {version}: {text.count('_kernel')} lines of kernels")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
