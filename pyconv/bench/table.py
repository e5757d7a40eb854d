"""A report as tables: on the terminal, and as Markdown for the README."""

from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table

from pyconv._files import place, replacing
from pyconv.bench.run import OURS, Report


def best_peer(row: Report) -> str | None:
    """Return the fastest peer of a row that is held to the same instruction set, or None."""
    timings = row["timings"].items()
    peers = {name: t["median"] for name, t in timings if name != OURS and t["bound"]}
    return min(peers, key=lambda name: peers[name]) if peers else None


def ratio(row: Report) -> float | None:
    """Return how many times faster pyconv is than the fastest peer."""
    peer = best_peer(row)
    if peer is None or OURS not in row["timings"]:
        return None
    value: float = row["timings"][peer]["median"] / row["timings"][OURS]["median"]
    return value


def show(report: Report, console: Console) -> None:
    """Print a report."""
    peers = [name for name in report["versions"] if name != OURS]
    for group, rows in groupby(report["cases"], key=lambda row: row["group"]):
        table = Table(
            title=group,
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            padding=(0, 1),
        )
        table.add_column("")
        marked = [peer + "*" * (peer in report["unbound"]) for peer in peers]
        for heading in (OURS, "rate", "of limit", *marked, "times best", "error"):
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*_cells(row, peers))
        console.print(table)
    for line in footer(report):
        console.print(line, highlight=False)


def _cells(row: Report, peers: list[str]) -> list[str]:
    ours = row["timings"].get(OURS)
    cells = [row["name"], "-", "-", "-"]
    if ours:
        cells[1:] = [_time(ours), rate(row, ours["median"]), f"{row['limit'] / ours['median']:.0%}"]
    fastest = best_peer(row)
    for peer in peers:
        timing = row["timings"].get(peer)
        text = _time(timing) if timing else ""
        cells.append(f"[bold]{text}[/bold]" if peer == fastest else text)
    times = ratio(row)
    colour = "green" if times and times >= 1 else "red"
    cells.append(f"[{colour}]{times:.2f}x[/{colour}]" if times else "")
    errors = [row["timings"].get(name, {}).get("error") for name in (OURS, fastest)]
    cells.append(" / ".join(f"{error:.0e}" for error in errors if error is not None))
    return cells


def _time(timing: Report) -> str:
    low, high = timing["quartiles"]
    return f"{seconds(timing['median'])} ±{(high - low) / 2 / timing['median']:.0%}"


def seconds(value: float) -> str:
    """Return a time with three digits."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def rate(row: Report, median: float) -> str:
    """Return images, arithmetic or bytes a second, whichever says most of a row."""
    if row["images"]:
        return f"{row['images'] / median:,.0f} images/s"
    if row["flops"] >= 4 * row["bytes"]:
        return f"{row['flops'] / median / 1e9:.0f} GFLOP/s"
    return f"{row['bytes'] / median / 1e9:.0f} GB/s"


def footer(report: Report) -> list[str]:
    """Return what else there is to say: machine, limits, threads, memory, peers."""
    lines = [describe(report)]
    if "limits" in report:
        limits = report["limits"]
        speeds = [speed for _, speed in limits["bandwidth"]]
        flops, cache, memory = limits["flops"] / 1e9, max(speeds) / 1e9, speeds[-1] / 1e9
        lines.append(
            f"Limit: the larger of arithmetic at {flops:.0f} GFLOP/s and traffic at {cache:.0f} "
            f"(cache) to {memory:.0f} (memory) GB/s, as measured with loops that do nothing else. "
            "Algorithms that multiply less may pass it: FLOPs are the direct algorithm's."
        )
    lines += [
        f"{row['name']}: {report['threads']} threads {row['one'] / row['all']:.2f} times as fast "
        "as one"
        for row in report["scaling"]
    ]
    if report["memory"]:
        sizes = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in report["memory"].items())
        lines.append(f"Memory of the training process (deck CNN, without the data set): {sizes}")
    if report["cases"]:
        lines.append(
            "Times: medians ± half the interquartile range. Error: of pyconv / of the best peer, "
            "the largest against float64 over the largest value; a training step's is that of the "
            "gradients, which jump where rounding turns a ReLU or a maximum."
        )
    lines += [
        f"{name} cannot be held to the instruction set and uses more of what the CPU has: it is "
        "measured, and does not count as a best peer."
        for name in report["unbound"]
        if name in report["versions"]
    ]
    lines += [f"{name} is left out: {why}" for name, why in report["missing"].items()]
    lines += report["notes"]
    if report["interrupted"]:
        lines.append("Interrupted: these are the cases up to then.")
    return lines


def describe(report: Report) -> str:
    """Return machine and versions in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    isa = f", instruction set {report['isa']}" if report["isa"] else ""
    if report.get("device", "cpu") != "cpu":
        return f"{report['device']}, float32 precision {report['precision']}; {versions}."
    return f"{report['machine']['cpu']}, {threads(report)}{isa}; {versions}."


def threads(report: Report) -> str:
    """Return ``1 thread`` or ``2 threads``."""
    count: int = report["threads"]
    return "1 thread" if count == 1 else f"{count} threads"


def markdown(report: Report) -> str:
    """Return a report as the README has it: networks, then kernels with a column for each pass."""
    rows = [row for row in report["cases"] if ratio(row) is not None]
    lines = [describe(report)]
    networks = [row for row in rows if row["images"]]
    if networks:
        lines += ["", "| network | pyconv | | best peer | | times as fast |"]
        lines.append("| --- | ---: | ---: | ---: | --- | ---: |")
    for row in networks:
        peer = best_peer(row) or ""
        ours, theirs = row["timings"][OURS]["median"], row["timings"][peer]
        setting = f"{peer} ({theirs['variant']})" if theirs["variant"] else peer
        lines.append(
            f"| {row['name']} | {seconds(ours)} | {rate(row, ours)} | "
            f"{seconds(theirs['median'])} | {setting} | {ratio(row):.2f} |"
        )
    kernels: dict[str, dict[str, str]] = {}
    for row in rows:
        if not row["images"]:
            name, kind = row["name"].rsplit(", ", 1)
            column = _COLUMNS.get(kind, "filters or weights")
            speed = rate(row, row["timings"][OURS]["median"])
            kernels.setdefault(name, {})[column] = f"{speed}, {ratio(row):.2f}"
    if kernels:
        columns = ("forward", "input", "filters or weights")
        lines += [
            "",
            "| kernel: speed, times as fast as the best peer | forward | gradient of the ",
        ]
        lines[-1] += "input | gradient of filters or weights; update |"
        lines.append("| --- | ---: | ---: | ---: |")
        for name, cells in kernels.items():
            lines.append("| " + " | ".join([name, *(cells.get(c, "") for c in columns)]) + " |")
    lines += ["", *(f"- {line}" for line in footer(report)[1:])]
    return "\n".join(lines) + "\n"


_COLUMNS = {"forward": "forward", "input gradient": "input", "gradient": "input"}

BEGIN, END = (
    "<!-- benchmark: written by `pyconv bench --write-readme` -->",
    "<!-- benchmark end -->",
)


def write_readme(report: Report, path: str) -> None:
    """Replace what stands between the two marks of a file.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: it has no marks.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"--write-readme: {path} must have the lines {BEGIN!r} and {END!r}")
    with replacing(place("--write-readme", path)) as file:
        file.write(f"{before}{BEGIN}\n\n{markdown(report)}\n{END}{after}".encode())
