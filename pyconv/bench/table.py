"""A report as tables: on the terminal, and as Markdown for the README."""

from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from pyconv.bench.run import OURS, Report

# ONNX Runtime has no switch, so it is not held to the set that the others are.
UNBOUND = "onnxruntime"


def best_peer(row: Report) -> str | None:
    """Return the fastest peer of a row, or None."""
    peers = {name: t["median"] for name, t in row["timings"].items() if name != OURS}
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
        table = Table(title=group, title_justify="left", title_style="bold", pad_edge=False)
        table.add_column(f"median {_QUARTILES}", overflow="fold")
        for heading in (OURS, "rate", "of limit", *peers, "times best", "error"):
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*_cells(row, peers))
        console.print(table)
    for line in footer(report):
        console.print(line, highlight=False)


_QUARTILES = "(± half the interquartile range)"


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
    if row["flops"]:
        return f"{row['flops'] / median / 1e9:.0f} GFLOP/s"
    return f"{row['bytes'] / median / 1e9:.0f} GB/s"


def footer(report: Report) -> list[str]:
    """Return what else there is to say: machine, limits, threads, memory, peers."""
    lines = [describe(report)]
    if "limits" in report:
        limits = report["limits"]
        rates = [rate for _, rate in limits["bandwidth"]]
        lines.append(
            f"Limit: the larger of arithmetic at {limits['flops'] / 1e9:.0f} GFLOP/s and traffic "
            f"at {rates[0] / 1e9:.0f} (cache) to {rates[-1] / 1e9:.0f} (memory) GB/s, as measured "
            "with loops that do nothing else. Winograd's convolutions may pass it: FLOPs are the "
            "direct algorithm's."
        )
    lines += [
        f"{row['name']}: {report['threads']} threads {row['one'] / row['all']:.2f} times as fast "
        "as one"
        for row in report["scaling"]
    ]
    if report["memory"]:
        sizes = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in report["memory"].items())
        lines.append(f"Memory of the training process (deck CNN, without the data set): {sizes}")
    errors = [row for row in report["cases"] if row["timings"]]
    if errors:
        lines.append(
            "Error: of pyconv / of the best peer, the largest against float64 over the largest "
            "value. A training step's is that of the gradients, which jump where rounding turns "
            "a ReLU or a maximum."
        )
    if report["isa"] and UNBOUND in report["versions"]:
        lines.append(f"{UNBOUND} has no switch for the instruction set: it is not held to it.")
    lines += [f"{name} is left out: {why}" for name, why in report["missing"].items()]
    lines += report["notes"]
    if report["interrupted"]:
        lines.append("Interrupted: these are the cases up to then.")
    return lines


def describe(report: Report) -> str:
    """Return machine and versions in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    isa = f", instruction set {report['isa']}" if report["isa"] else ""
    return f"{report['machine']['cpu']}, {report['threads']} threads{isa}; {versions}."


def markdown(report: Report) -> str:
    """Return a report as the README has it."""
    lines = [
        describe(report),
        "",
        "| work | pyconv | | best peer | | times as fast |",
        "| --- | ---: | ---: | ---: | --- | ---: |",
    ]
    for row in report["cases"]:
        peer, times = best_peer(row), ratio(row)
        if peer is None or times is None:
            continue
        ours, theirs = row["timings"][OURS], row["timings"][peer]
        setting = f"{peer} ({theirs['variant']})" if theirs["variant"] else peer
        lines.append(
            f"| {row['name']} | {seconds(ours['median'])} | {rate(row, ours['median'])} | "
            f"{seconds(theirs['median'])} | {setting} | {times:.2f} |"
        )
    lines += ["", *(f"- {line}" for line in footer(report)[1:])]
    return "\n".join(lines) + "\n"


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
    with open(path) as file:
        text = file.read()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"--write-readme: {path} must have the lines {BEGIN!r} and {END!r}")
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n\n{markdown(report)}\n{END}{after}")


def summary(row: Any) -> str:
    """Return one line of a row, for progress."""
    ours, times, peer = row["timings"].get(OURS), ratio(row), best_peer(row)
    if not ours:
        return f"{row['name']}: not measured"
    against = f", {times:.2f} times as fast as {peer}" if times else ""
    return f"{row['name']}: {seconds(ours['median'])}{against}"
