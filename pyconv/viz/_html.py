"""A model as a table in a notebook."""

import html
from typing import TYPE_CHECKING

from pyconv.viz.diagram import sizes

if TYPE_CHECKING:
    from pyconv.model import Sequential

_LEFT, _RIGHT = 'style="text-align:left"', 'style="text-align:right"'


def model_html(model: "Sequential") -> str:
    """Return the layers with shapes and numbers of parameters as an HTML table."""
    rows = []
    for layer in model.layers:
        shape = sizes(layer.output_shape) if layer.built else "?"
        count = f"{layer.count_params():,}" if layer.built else "not built"
        name, kind = html.escape(layer.name), html.escape(type(layer).__name__)
        rows.append(
            f"<tr><td {_LEFT}>{name}</td><td {_LEFT}>{kind}</td>"
            f"<td {_RIGHT}>{shape}</td><td {_RIGHT}>{count}</td></tr>"
        )
    heads = [("Layer", _LEFT), ("Type", _LEFT), ("Output", _RIGHT), ("Parameters", _RIGHT)]
    total = f"{model.count_params():,} parameters" if model.built else "not built yet"
    return "\n".join(
        [
            f"<table><caption {_LEFT}><b>{html.escape(model.name)}</b>: {total}</caption>",
            "<thead><tr>" + "".join(f"<th {side}>{h}</th>" for h, side in heads) + "</tr></thead>",
            "<tbody>",
            *rows,
            "</tbody></table>",
        ]
    )
