"""A roofline plot (Williams et al., 2009): speed over arithmetic a byte, under what limits it."""

from typing import Any

from pyconv.bench.limits import Limits
from pyconv.bench.run import OURS, Report
from pyconv.bench.table import best_peer

_COLOURS = {OURS: "#0072b2", "torch": "#d55e00", "onnxruntime": "#009e73", "openvino": "#cc79a7"}
_MARKERS = {"forward": "o", "input gradient": "v", "filter gradient": "s", "weight gradient": "s"}


def figure(report: Report) -> Any:
    """Return a figure of the kernels that have both arithmetic and traffic.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is no such kernel in the report.
    """
    from matplotlib.lines import Line2D

    from pyconv.viz import _figure

    rows = [row for row in report["cases"] if row["flops"] and row["bytes"]]
    if not rows:
        raise ValueError("--plot: no convolution or dense kernel was measured")
    limits = Limits(**report["limits"])
    drawn = _figure((11, 6.5))
    axes = drawn.add_subplot()
    intensities = [row["flops"] / row["bytes"] for row in rows]
    _draw_limits(axes, limits, min(intensities) / 2, max(intensities) * 2)
    for row in rows:
        intensity, kind = row["flops"] / row["bytes"], row["name"].rsplit(", ", 1)[1]
        speeds = {n: row["flops"] / t["median"] / 1e9 for n, t in row["timings"].items()}
        best = best_peer(row) or ""
        for name in (best, OURS):
            if name in speeds:
                axes.plot(
                    intensity,
                    speeds[name],
                    _MARKERS[kind],
                    color=_COLOURS.get(name, "0.4"),
                    markersize=8 if name == OURS else 6,
                    markerfacecolor=_COLOURS[OURS] if name == OURS else "white",
                    zorder=3 if name == OURS else 2,
                )
        if best and OURS in speeds:
            axes.plot([intensity] * 2, [speeds[best], speeds[OURS]], color="0.75", zorder=1)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("FLOPs a byte (each input read and each result written once)")
    axes.set_ylabel("GFLOP/s (direct algorithm's FLOPs)")
    axes.set_title(f"{report['machine']['cpu']}, {report['threads']} threads", loc="left")
    axes.grid(alpha=0.25)
    peers = sorted({n for row in rows for n in row["timings"]} - {OURS})
    handles = [
        Line2D([], [], marker="o", linestyle="", color=_COLOURS[OURS], label=OURS),
        *(
            Line2D([], [], marker="o", linestyle="", color=_COLOURS.get(n, "0.4"),
                   markerfacecolor="white", label=f"{n}, where it is the best peer")
            for n in peers
        ),
        *(
            Line2D([], [], marker=marker, linestyle="", color="0.3", label=kind)
            for kind, marker in list(_MARKERS.items())[:3]
        ),
    ]  # fmt: skip
    axes.legend(handles=handles, loc="lower right")
    return drawn


def _draw_limits(axes: Any, limits: Limits, low: float, high: float) -> None:
    peak = limits.flops / 1e9
    axes.set_xlim(low, high)
    axes.axhline(peak, color="black", linewidth=1.5)
    axes.annotate(
        f"measured peak {peak:.0f} GFLOP/s (Winograd may pass it)",
        (low * 1.1, peak), xytext=(0, 4), textcoords="offset points",
    )  # fmt: skip
    names = {"memory": limits.bandwidth[-1][1], "cache": max(rate for _, rate in limits.bandwidth)}
    for name, rate in names.items():
        ridge = limits.flops / rate
        axes.plot(
            [low, ridge], [rate * low / 1e9, peak], color="black", linewidth=1, linestyle="--"
        )
        axes.annotate(
            f"{name} {rate / 1e9:.0f} GB/s",
            (low * 1.1, rate * low * 1.1 / 1e9), xytext=(0, 4), textcoords="offset points",
            rotation=0,
        )  # fmt: skip
