"""A comparison as a figure: the curves of all networks side by side, and the table."""

import math
from typing import TYPE_CHECKING, Any

from pyconv.comparison.report import HEADINGS, cells
from pyconv.datasets import _cifar_files, _idx_files
from pyconv.viz._canvas import new_figure

if TYPE_CHECKING:
    from pyconv.comparison.result import Comparison, Entry

# Okabe and Ito's colours, told apart by the colour-blind too.
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_MOST_MARKERS = 25  # epochs; above, the markers would hide the lines


def figure(comparison: "Comparison") -> Any:
    """Return accuracy and loss by epoch of each network, above the table of their results."""
    entries = comparison.entries
    columns = 6 if len(entries) <= 2 else 4
    rows = math.ceil((2 * len(entries) + 2) / columns)
    heights = [0.25 * rows, 4.3, 0.4 * (len(entries) + 1)]
    result = new_figure((13, 1.25 + sum(heights)))
    result.suptitle(_title(comparison), fontsize=17)
    grid = result.add_gridspec(3, 2, height_ratios=heights)
    for i, metric in enumerate(("accuracy", "loss")):
        axes = result.add_subplot(grid[1, i])
        for j, entry in enumerate(entries):
            _curves(axes, entry, metric, COLOURS[j % len(COLOURS)])
        if metric == "accuracy":
            guess = 1 / comparison.classes
            axes.axhline(guess, color="0.4", linestyle=":", label=f"guessing ({guess:.0%})")
            axes.set_ylim(bottom=0)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_title(metric, fontsize=14)
        axes.set_xlabel("epoch", fontsize=12)
        axes.tick_params(labelsize=11)
        longest = max((entry.epochs for entry in entries), default=1)
        axes.set_xlim(0.5, max(longest, 1) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(alpha=0.3)
    axes = result.axes[0]
    axes.plot([], [], "*", color="0.6", markersize=14, markeredgecolor="black", label="best epoch")
    handles = axes.get_legend_handles_labels()[0]
    # One for both, where it covers no curve; wider than the plots, which stay as they are.
    legend = result.add_subplot(grid[0, :])
    legend.axis("off")
    legend.legend(
        handles=handles, loc="center", ncols=columns, columnspacing=1.2, frameon=False
    ).set_in_layout(False)
    _table(result.add_subplot(grid[2, :]), entries)
    return result


def _title(comparison: "Comparison") -> str:
    titles = {catalog.name: catalog.title for catalog in (_cifar_files.CATALOG, _idx_files.CATALOG)}
    dataset = titles.get(comparison.dataset, comparison.dataset)
    entries = comparison.entries
    if len(entries) > 2:
        return f"{len(entries)} networks on {dataset}"
    title = f"{' vs '.join(entry.name for entry in entries)} on {dataset}"
    tested = [f"{e.name} {e.test_accuracy:.1%}" for e in entries if e.test_accuracy is not None]
    return f"{title}: test accuracy {', '.join(tested)}" if tested else title


def _curves(axes: Any, entry: "Entry", metric: str, colour: str) -> None:
    """Draw a network's curves: validation solid, training dashed, the best epoch as a star."""
    for key, what, style in ((metric, "training", "--o"), (f"val_{metric}", "validation", "-s")):
        values = entry.history.get(key, [])
        if values:
            shown = style if len(values) <= _MOST_MARKERS else style[:-1]
            axes.plot(
                range(1, len(values) + 1),
                values,
                shown,
                color=colour,
                linewidth=2.2 if what == "validation" else 1.4,
                markersize=5,
                markerfacecolor=colour if what == "validation" else "white",
                label=f"{entry.name}, {what}",
            )
    best, value = entry.best_epoch, entry.best(f"val_{metric}")
    if best is not None and value is not None:
        axes.plot(
            [best],
            [value],
            "*",
            color=colour,
            markersize=17,
            markeredgecolor="black",
            zorder=3,
        )


def _table(axes: Any, entries: "list[Entry]") -> None:
    axes.axis("off")
    headings = [*HEADINGS[:4], *(f"{name} accuracy" for name in HEADINGS[4:])]
    rows = [cells(entry) for entry in entries]
    widths = [max(11, *map(len, column)) for column in zip(headings, *rows, strict=True)]
    shown = axes.table(
        rows,
        colLabels=headings,
        colWidths=[width / sum(widths) for width in widths],
        cellLoc="center",
        bbox=[0, 0, 1, 1],
    )
    shown.auto_set_font_size(False)
    shown.set_fontsize(12)
    for (row, column), cell in shown.get_celld().items():
        cell.set_edgecolor("0.8")
        if row == 0:
            cell.set_facecolor("0.94")
            cell.set_text_props(weight="bold")
        elif column == 0:
            cell.set_text_props(weight="bold", color=COLOURS[(row - 1) % len(COLOURS)])
