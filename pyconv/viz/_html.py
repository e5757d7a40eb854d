"""Tables in notebooks: of a model, of a comparison."""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyconv.viz.diagram import sizes

if TYPE_CHECKING:
    from pyconv.comparison.result import Comparison
    from pyconv.model import Sequential

# As wide apart as Jupyter has columns: other programs have them close together.
_STYLES = {side: f'style="text-align:{side};padding:2px 10px"' for side in ("left", "right")}


def model_html(model: "Sequential") -> str:
    """Return the layers with shapes and numbers of parameters as an HTML table."""
    rows = [
        (
            layer.name,
            type(layer).__name__,
            sizes(layer.output_shape) if layer.knows_shape else "?",
            f"{layer.count_params():,}" if layer.knows_shape else "not built",
        )
        for layer in model.running_layers
    ]
    total = f"{model.count_params():,} parameters" if model.built else "not built yet"
    heads = ("Layer", "Type", "Output", "Parameters")
    return _table(model.name, total, heads, rows, left=2)


def comparison_html(comparison: "Comparison") -> str:
    """Return the networks with their results as an HTML table."""
    from pyconv.comparison.report import HEADINGS, cells

    heads = (*HEADINGS[:4], *(f"{name} accuracy" for name in HEADINGS[4:]))
    rows = [cells(entry) for entry in comparison.entries]
    what = f"{len(rows)} network{'s' * (len(rows) != 1)}"
    return _table(comparison.dataset, what, heads, rows, left=1)


def _table(
    name: str, what: str, heads: Sequence[str], rows: Sequence[Sequence[str]], left: int
) -> str:
    """Return a table under a caption, whose first ``left`` columns are texts."""
    sides = [_STYLES["left" if i < left else "right"] for i in range(len(heads))]

    def line(tag: str, cells: Sequence[str]) -> str:
        pairs = zip(cells, sides, strict=True)
        filled = "".join(f"<{tag} {side}>{html.escape(cell)}</{tag}>" for cell, side in pairs)
        return f"<tr>{filled}</tr>"

    return "\n".join(
        [
            f"<table><caption {_STYLES['left']}><b>{html.escape(name)}</b>: {what}</caption>",
            f"<thead>{line('th', heads)}</thead>",
            "<tbody>",
            *(line("td", row) for row in rows),
            "</tbody></table>",
        ]
    )
