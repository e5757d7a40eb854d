"""A roofline plot (Williams et al., 2009): speed over arithmetic a byte, under what limits it."""

from typing import Any

from pyconv.bench.limits import Limits
from pyconv.bench.run import OURS, Report
from pyconv.bench.table import best_peer, threads

_COLOURS = {OURS: "#0072b2", "torch": "#d55e00", "onnxruntime": "#009e73", "openvino": "#cc79a7"}
_MARKERS = {"forward": "o", "gradient": "v", "input gradient": "v"}
_OTHER_MARKER = "s"  # gradients of filters and weights, optimizers


def figure(report: Report) -> Any:
    """Return a figure of the kernels, each beside the best peer.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is no kernel in the report.
    """
    from pyconv.viz._canvas import new_figure

    rows = [row for row in report["cases"] if row["flops"] and row["bytes"]]
    # Filters of images have peers and limits of their own.
    rows = [row for row in rows if OURS in row["timings"] and not row["name"].endswith(", filter")]
    if not rows:
        raise ValueError("--plot: no kernel was measured")
    drawn = new_figure((12, 7.5))
    axes = drawn.add_subplot()
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    lowest: dict[float, tuple[float, str]] = {}
    for row in rows:
        bottom = _draw_row(axes, row)
        intensity, shape = row["flops"] / row["bytes"], row["name"].rsplit(", ", 1)[0]
        lowest[intensity] = min(lowest.get(intensity, (bottom, shape)), (bottom, shape))
    intensities = sorted(lowest)
    low, high = intensities[0] / 1.6, intensities[-1] * 1.6
    _draw_limits(axes, Limits(**report["limits"]), low, high)
    place = 0.0
    for intensity in intensities:
        bottom, shape = lowest[intensity]
        place = max(intensity, place * 2**0.14)  # so that no label lies over the one before
        axes.annotate(
            shape, (place, bottom), xytext=(0, -7), textcoords="offset points",
            rotation=90, ha="center", va="top", fontsize=6.5, color="0.3",
        )  # fmt: skip
    axes.set_xlim(low, high)
    axes.set_ylim(min(bottom for bottom, _ in lowest.values()) / 8)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("FLOPs a byte, each input read and each result written once")
    axes.set_ylabel("GFLOP/s (of the direct algorithm: others multiply less)")
    isa = f", {report['isa']}" if report["isa"] else ""
    axes.set_title(f"{report['machine']['cpu']}, {threads(report)}{isa}", loc="left")
    axes.grid(alpha=0.2)
    axes.legend(handles=_legend(rows), loc="upper left", fontsize=9)
    return drawn


def _draw_row(axes: Any, row: Report) -> float:
    """Draw pyconv and the best peer; return the lower speed."""
    intensity, kind = row["flops"] / row["bytes"], row["name"].rsplit(", ", 1)[1]
    names = [name for name in (best_peer(row), OURS) if name]
    speeds = [row["flops"] / row["timings"][name]["median"] / 1e9 for name in names]
    axes.plot([intensity] * len(speeds), speeds, color="0.8", zorder=1)
    for name, speed in zip(names, speeds, strict=True):
        ours = name == OURS
        axes.plot(
            intensity, speed, _MARKERS.get(kind, _OTHER_MARKER), zorder=3 if ours else 2,
            color=_COLOURS.get(name, "0.4"), markersize=8 if ours else 6,
            markerfacecolor=_COLOURS[OURS] if ours else "white",
        )  # fmt: skip
    lower: float = min(speeds)
    return lower


def _draw_limits(axes: Any, limits: Limits, low: float, high: float) -> None:
    peak = limits.flops / 1e9
    speeds = [rate / 1e9 for _, rate in limits.bandwidth]
    for name, speed in (("memory", speeds[-1]), ("cache", max(speeds))):
        ridge = peak / speed
        axes.plot([low, ridge], [speed * low, peak], color="black", linewidth=1, linestyle="--")
        # Along the line, whose slope is that of the axes' diagonal.
        at = (low * ridge) ** 0.5
        axes.annotate(
            f"{name} {speed:.0f} GB/s", (at, speed * at), xytext=(-4, 4),
            textcoords="offset points", ha="right", va="bottom", fontsize=9,
        )  # fmt: skip
    axes.plot([peak / max(speeds), high], [peak, peak], color="black", linewidth=1.5)
    axes.annotate(
        f"measured peak {peak:.0f} GFLOP/s", (peak / max(speeds), peak),
        xytext=(4, 4), textcoords="offset points", fontsize=9,
    )  # fmt: skip


def _legend(rows: list[Report]) -> list[Any]:
    from matplotlib.lines import Line2D

    peers = sorted({name for row in rows if (name := best_peer(row))})
    filled = [(OURS, "o", _COLOURS[OURS], _COLOURS[OURS])]
    hollow = [
        (f"{n}, where it is the best peer", "o", _COLOURS.get(n, "0.4"), "white") for n in peers
    ]
    kinds = [("forward", "o"), ("gradient of the input", "v")]
    kinds.append(("gradient of filters or weights, optimizer", _OTHER_MARKER))
    entries = [*filled, *hollow, *((label, marker, "0.4", "0.4") for label, marker in kinds)]
    return [
        Line2D([], [], linestyle="", marker=marker, color=edge, markerfacecolor=face, label=label)
        for label, marker, edge, face in entries
    ]
