"""Figures without a display, and their files."""

import io
import os
from functools import cache
from typing import Any

from pyconv import _files


def new_figure(size: tuple[float, float], layout: str | None = "constrained") -> Any:
    """Return an empty figure of ``size`` in inches, which no window and no pyplot knows."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "figures need matplotlib: pip install matplotlib, or pyconv with its extra "
            "'pyconv[plot]'"
        ) from None
    figure = _shown_by_notebooks(Figure)(figsize=size, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def written(owner: str, figure: Any, path: Any) -> Any:
    """Return the figure, written to ``path`` where it is not None, in the format of its ending."""
    if path is None:
        return figure
    place = _files.place(owner, path)
    ending = os.path.splitext(place)[1].lstrip(".").lower() or "png"
    known = figure.canvas.get_supported_filetypes()
    if ending not in known:
        raise ValueError(
            f"{owner}: path must end in one of {', '.join(sorted(known))}, got {path!r}"
        )
    with _files.replacing(place) as file:
        figure.savefig(file, format=ending, dpi=120)
    return figure


@cache
def _shown_by_notebooks(base: Any) -> Any:
    """Return a class of figures that a notebook shows, also where pyplot was not imported."""

    def png(figure: Any) -> bytes:
        out = io.BytesIO()
        figure.savefig(out, format="png")
        return out.getvalue()

    return type("Figure", (base,), {"_repr_png_": png})
