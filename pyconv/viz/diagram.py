"""A network as a drawing: SVG text, without any library."""

import html
from typing import TYPE_CHECKING, Any

from pyconv import _files

if TYPE_CHECKING:
    from pyconv.model import Sequential

_FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
# Pale forms of Okabe and Ito's colours, told apart by the colour-blind too: by what a layer does.
_COLOURS = (
    ("Pool", "#fbe3b5"),
    ("Conv", "#bfdff2"),
    ("Dense", "#bfe6d9"),
    ("Dropout", "#ececec"),
    ("Normalization", "#f0d3e3"),
    ("Flatten", "#f7f3b0"),
)
_OTHER = "#ffffff"
_BOX, _STEP, _MARGIN = 46, 68, 12  # height of a box, from box to box, around them, in pixels
_MOST = 40  # characters of a name
# What of a layer's configuration is shown, and how.
_DETAILS = (
    ("filters", "{} filters"),
    ("units", "{} units"),
    ("kernel_size", "{}"),
    ("pool_size", "{}"),
    ("strides", "stride {}"),
    ("padding", "{}"),
    ("rate", "rate {}"),
    ("activation", "{}"),
)


class Diagram(str):
    """SVG text that a notebook draws."""

    def _repr_svg_(self) -> str:
        return str(self)


def network_diagram(model: "Sequential", path: Any = None) -> Diagram:
    """Return a drawing of a model's layers as SVG text, with shapes and numbers of parameters.

    Args:
        model: the model; of one that is not built shapes and numbers are left out.
        path: a file to write too, such as ``"network.svg"``.

    Raises:
        OSError: it cannot be written.

    Example:
        >>> import pyconv
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2, name="out")])
        >>> svg = pyconv.viz.network_diagram(model)
        >>> svg[:4], "10 parameters" in svg
        ('<svg', True)
    """
    boxes = [_input_box(model), *(_box(layer) for layer in model._layers)]
    left = max(max(_width(name, 13, bold=True), _width(what, 11)) for name, what, *_ in boxes)
    right = max(max(_width(shape, 13), _width(count, 11)) for *_, shape, count, _ in boxes)
    inner = left + right + 56
    heading = _heading(model)
    wide = max(inner, _width(heading, 14, bold=True)) + 2 * _MARGIN
    top = _MARGIN + 30
    tall = top + _STEP * len(boxes) - (_STEP - _BOX) + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall}" '
        f'viewBox="0 0 {wide} {tall}" font-family="{_FONT}">',
        f"<title>{_escaped(heading)}</title>",
        f'<rect width="{wide}" height="{tall}" fill="#ffffff"/>',
        _text(_MARGIN, _MARGIN + 14, 14, heading, bold=True),
    ]
    middle = wide // 2
    for i, (name, what, shape, count, colour) in enumerate(boxes):
        y = top + i * _STEP
        if i:
            lines.append(
                f'<path d="M{middle} {y - _STEP + _BOX} V{y - 2} m-4 -6 l4 6 l4 -6" fill="none" '
                'stroke="#444444" stroke-width="1.5"/>'
            )
        lines += [
            f'<rect x="{_MARGIN}" y="{y}" width="{wide - 2 * _MARGIN}" height="{_BOX}" rx="6" '
            f'fill="{colour}" stroke="#444444"/>',
            _text(_MARGIN + 12, y + 19, 13, name, bold=True),
            _text(_MARGIN + 12, y + 36, 11, what),
            _text(wide - _MARGIN - 12, y + 19, 13, shape, end=True),
            _text(wide - _MARGIN - 12, y + 36, 11, count, end=True),
        ]
    svg = Diagram("\n".join([*lines, "</svg>", ""]))
    if path is not None:
        with _files.replacing(_files.place("network_diagram", path)) as file:
            file.write(svg.encode(errors="replace"))
    return svg


def _heading(model: "Sequential") -> str:
    count = f": {model.count_params():,} parameters" if model.built else ""
    return f"{_cut(model.name)}{count}"


def _input_box(model: "Sequential") -> tuple[str, str, str, str, str]:
    return "input", "", sizes(model.input_shape) if model.built else "", "", _OTHER


def _box(layer: Any) -> tuple[str, str, str, str, str]:
    """Return (name, what it is, shape, number of parameters, colour)."""
    kind = type(layer).__name__
    shape, count = "", "not built"
    if layer.built:
        numbers = layer.count_params()
        shape = sizes(layer.output_shape)
        count = f"{numbers:,} parameter{'s' * (numbers != 1)}" if numbers else "no parameters"
    colour = next((colour for word, colour in _COLOURS if word in kind), _OTHER)
    return _cut(layer.name), ", ".join([kind, *_details(layer)]), shape, count, colour


def _details(layer: Any) -> list[str]:
    config = layer.get_config()
    found = []
    for key, form in _DETAILS:
        value = config.get(key)
        if isinstance(value, tuple) and len(value) == 2 and all(isinstance(n, int) for n in value):
            # A stride of 1, and one of the size of a pooling's window, go without saying.
            if key == "strides" and (value == (1, 1) or value == config.get("pool_size")):
                continue
            value = "\u00d7".join(map(str, value))
        elif not isinstance(value, (int, float, str)) or value == "linear":
            continue
        found.append(form.format(value))
    return found


def sizes(shape: Any) -> str:
    """Return a shape without its batch, such as 32 x 32 x 3."""
    return " \u00d7 ".join("?" if n is None else str(n) for n in shape[1:])


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else text[: _MOST - 1] + "\u2026"


def _width(text: str, size: int, bold: bool = False) -> int:
    """Return about as many pixels as the widest of the fonts takes."""
    wide = sum(1.0 if ord(c) > 0x2E80 else 0.9 if c in "mwMW@\u2026" else 0.66 for c in text)
    return round(wide * size * (1.08 if bold else 1))


def _text(x: int, y: int, size: int, text: str, bold: bool = False, end: bool = False) -> str:
    more = ' font-weight="bold"' * bold + ' text-anchor="end"' * end
    return f'<text x="{x}" y="{y}" font-size="{size}"{more}>{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    """Return text for XML, which has no control characters."""
    return html.escape("".join(c if c >= " " else "\ufffd" for c in text))
