"""The table of ``Sequential.summary``, in the form of Keras 3."""

import io
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyconv._args import float_arg, int_arg, shown
from pyconv._receptive import receptive_fields
from pyconv.layers._container import Container

if TYPE_CHECKING:
    from pyconv.model import Sequential


_POSITIONS = [0.45, 0.80, 1.0], [0.4, 0.7, 0.86, 1.0], [0.38, 0.65, 0.77, 0.89, 1.0]


def summary_text(
    model: "Sequential",
    line_length: int | None = None,
    positions: Any = None,
    show_trainable: bool = False,
    layer_range: Any = None,
    expand_nested: bool = False,
    show: Any = None,
) -> str:
    """Return the table of layers and the totals."""
    from rich.console import Console
    from rich.table import Table

    if show not in (None, "receptive"):
        raise ValueError(f"summary: show must be None or 'receptive', got {shown(show)}")
    fields = receptive_fields(model._layers) if show else {}

    width = int_arg("summary", "line_length", 88 if line_length is None else line_length, 40, 1000)
    headers = ["Layer (type)", "Output Shape", "Param #"]
    headers += ["Trainable"] * bool(show_trainable) + ["Receptive"] * bool(show)
    if positions is None:
        positions = _POSITIONS[len(headers) - 3]
    table = Table(width=width, show_lines=True)
    for i, (header, column) in enumerate(
        zip(headers, _widths(positions, width, len(headers)), strict=True)
    ):
        table.add_column(header, width=column, justify="right" if i == 2 else "left")
    for level, layer in _with_levels(_chosen(model, layer_range), expand_nested):
        shape = str(layer.output_shape) if layer.knows_shape else "?"
        count = f"{layer.count_params():,}" if layer.knows_shape else "0 (unbuilt)"
        head = f"{'   ' * level}└ " if level else ""
        row = [f"{head}{layer.name} ({type(layer).__name__})", shape, count]
        if show_trainable:
            trains = model.trainable and layer.trainable
            row.append(("Y" if trains else "N") if layer.weights else "-")
        if show:
            row.append(str(fields.get(id(layer), "?")))
        table.add_row(*row)
    out = io.StringIO()
    # In a notebook rich would show the table itself, and leave the text empty.
    console = Console(
        file=out,
        width=width,
        color_system=None,
        highlight=False,
        markup=False,
        force_jupyter=False,
    )
    console.print(f'Model: "{model.name}"')
    console.print(table)
    trainable = sum(w.size for w in model.trainable_weights)
    total = sum(w.size for w in model.weights)
    state = _optimizer_numbers(model)
    lines = [
        ("Total", total + state),
        ("Trainable", trainable),
        ("Non-trainable", total - trainable),
    ]
    if state:
        lines.append(("Optimizer", state))
    for what, numbers in lines:
        console.print(f" {what} params: {numbers:,} ({_size(4 * numbers)})")
    return out.getvalue()


def _widths(positions: Any, width: int, count: int) -> list[int]:
    """Return the widths of the columns that end at ``positions``, relative or in characters."""
    if not isinstance(positions, (list, tuple)) or len(positions) != count:
        raise ValueError(f"summary: positions must be {count} numbers, got {positions!r:.60}")
    ends = [float_arg("summary", f"positions[{i}]", end) for i, end in enumerate(positions)]
    if ends[-1] <= 1:
        ends = [end * width for end in ends]
    columns = [int(end) - int(start) for start, end in zip([0.0, *ends], ends, strict=False)]
    if min(columns) < 4 or ends[-1] > width:
        raise ValueError(
            f"summary: positions must leave 4 characters for each column of {width}, got "
            f"{positions!r:.60}"
        )
    return columns


def _chosen(model: "Sequential", layer_range: Any) -> list[Any]:
    if layer_range is None:
        return model.layers
    names = [layer.name for layer in model.layers]
    if (
        not isinstance(layer_range, (list, tuple))
        or len(layer_range) != 2
        or any(name not in names for name in layer_range)
    ):
        raise ValueError(
            f"summary: layer_range must be the names of two layers of {names}, got {layer_range!r}"
        )
    first, last = sorted(names.index(name) for name in layer_range)
    return model.layers[first : last + 1]


def _with_levels(layers: list[Any], expand: bool, level: int = 0) -> Iterator[tuple[int, Any]]:
    """Give the layers with how deep each lies; with ``expand`` those that others hold too."""
    for layer in layers:
        yield level, layer
        if expand and isinstance(layer, Container):
            yield from _with_levels(layer.layers, expand, level + 1)


def _optimizer_numbers(model: "Sequential") -> int:
    optimizer = model.optimizer
    if optimizer is None:
        return 0
    state = optimizer.state_dict()
    if not optimizer.built and set(state) == {"iterations"}:
        return 0
    # As Keras counts them, with the learning rate.
    return 1 + sum(value.size for value in state.values())


def _size(count: int) -> str:
    if count == 0:
        return "0.00 B"
    units = ["B", "KB", "MB", "GB", "TB"]
    power = min(int(math.log(count, 1024)), len(units) - 1)
    return f"{count / 1024**power:.2f} {units[power]}"
