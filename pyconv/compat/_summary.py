"""The table of ``Sequential.summary`` in the form of Keras 2."""

from typing import TYPE_CHECKING, Any

from pyconv._args import float_arg, int_arg

if TYPE_CHECKING:
    from pyconv.model import Sequential


def summary_lines(
    model: "Sequential", line_length: int | None = None, positions: Any = None
) -> list[str]:
    """Return the lines of the table of layers and of the totals.

    Raises:
        ValueError: the model is not built, or ``positions`` are not three ends of columns.
    """
    if not model.built:
        raise ValueError(
            f"{model.label}: summary needs a built model; give the first layer input_shape, or "
            "call build(input_shape)"
        )
    width = int_arg("summary", "line_length", 65 if line_length is None else line_length, 20, 1000)
    ends = _ends(positions, width)
    lines = ["_" * width, _row(("Layer (type)", "Output Shape", "Param #"), ends), "=" * width]
    for number, layer in enumerate(model.layers, 1):
        title = f"{layer.name} ({type(layer).__name__})"
        lines.append(_row((title, str(layer.output_shape), str(layer.count_params())), ends))
        lines.append(("=" if number == len(model.layers) else "_") * width)
    trainable = sum(w.size for w in model.trainable_weights)
    total = sum(w.size for w in model.weights)
    lines += [
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
        "_" * width,
    ]
    return lines


def _ends(positions: Any, width: int) -> list[int]:
    given = [0.45, 0.85, 1.0] if positions is None else positions
    if not isinstance(given, (list, tuple)) or len(given) < 3:
        raise ValueError(f"summary: positions must be 3 numbers, got {positions!r:.60}")
    ends = [float_arg("summary", f"positions[{i}]", end) for i, end in enumerate(given[:3])]
    return [int(width * end) if given[-1] <= 1 else int(end) for end in ends]


def _row(fields: tuple[str, ...], ends: list[int]) -> str:
    """Return the fields cut off and filled up to the ends of their columns, a space between."""
    line = ""
    for i, (field, end) in enumerate(zip(fields, ends, strict=True)):
        line = (line[:-1] + " " if i else "") + field
        line = line[:end].ljust(end)
    return line
