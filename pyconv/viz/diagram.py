"""A network as a drawing: SVG text, without any library."""

from typing import TYPE_CHECKING, Any

from pyconv import _files
from pyconv.layers._container import Container
from pyconv.layers.graph import Graph
from pyconv.layers.residual import Residual
from pyconv.viz._parts import Box, Column, Frame, Note, Part, escaped, text, text_width

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
_FRAME = "#e4e4f4"  # the heading of a layer that holds layers
_MARGIN = 12  # around the drawing, in pixels
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

    The paths of ``Residual`` and ``Branches`` are side by side; the layers of a ``Graph`` say what
    they take.

    Args:
        model: the model; of one that is not built shapes and numbers are left out.
        path: a file to write too, such as ``"network.svg"``.

    Raises:
        OSError: it cannot be written.
        TypeError: ``model`` is no model.

    Example:
        >>> import pyconv
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2, name="out")])
        >>> svg = pyconv.viz.network_diagram(model)
        >>> svg[:4], "10 parameters" in svg
        ('<svg', True)
    """
    if not hasattr(model, "_layers"):
        raise TypeError(f"network_diagram: model must be a Sequential, got {model!r:.60}")
    layers = Column([_input_box(model), *(_part(layer) for layer in model._layers)])
    heading = _heading(model)
    inner = max(layers.width, text_width(heading, 14, bold=True))
    wide, top = inner + 2 * _MARGIN, _MARGIN + 30
    tall = top + layers.height + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall}" '
        f'viewBox="0 0 {wide} {tall}" font-family="{_FONT}">',
        f"<title>{escaped(heading)}</title>",
        f'<rect width="{wide}" height="{tall}" fill="#ffffff"/>',
        text(_MARGIN, _MARGIN + 14, 14, heading, bold=True),
        *layers.draw(_MARGIN, top, inner),
    ]
    svg = Diagram("\n".join([*lines, "</svg>", ""]))
    if path is not None:
        with _files.replacing(_files.place("network_diagram", path)) as file:
            file.write(svg.encode(errors="replace"))
    return svg


def _heading(model: "Sequential") -> str:
    count = f": {model.count_params():,} parameters" if model.built else ""
    return f"{_cut(model.name)}{count}"


def _input_box(model: "Sequential") -> Box:
    return Box("input", "", sizes(model.input_shape) if model.built else "", "", _OTHER)


def _part(layer: Any, narrow: bool = False, sources: str = "") -> Part:
    """Return a layer's box, of the narrow form in a branch, or its frame if it holds layers."""
    kind = type(layer).__name__
    name = _cut(layer.name)
    shape, count = "", "not built"
    if layer.knows_shape:
        numbers = layer.count_params()
        shape = sizes(layer.output_shape)
        count = f"{numbers:,} parameter{'s' * (numbers != 1)}" if numbers else "no parameters"
    if isinstance(layer, Container):
        head = Box(name, f"{kind}{sources}", shape, count, _FRAME)
        return Frame(head, *_inside(layer))
    colour = next((colour for word, colour in _COLOURS if word in kind), _OTHER)
    details = [kind, *_details(layer)]
    if not narrow:
        return Box(name, ", ".join(details) + sources, shape, count, colour)
    lines = [", ".join(details[:3]), ", ".join(details[3:]), shape, count]
    return Note(name, [line for line in lines if line], colour)


def _inside(layer: Container) -> tuple[list[Column], str]:
    """Return the columns of a layer that holds layers, and what is made of their results."""
    if isinstance(layer, Graph):
        names = ["the input", *(_cut(inner.name) for inner in layer.layers)]
        parts = [
            _part(inner, sources=f"; takes {', '.join(names[source] for source in sources)}")
            for inner, sources in layer.nodes
        ]
        return [Column(parts, arrows=False)], ""
    columns = [Column([_part(inner, True) for inner in path.layers]) for path in layer.paths]
    if isinstance(layer, Residual):
        activation = layer.activation.name
        return columns, "add" if activation == "linear" else f"add, {activation}"
    return columns, "add" if getattr(layer, "merge", "") == "add" else "concatenate"


def _details(layer: Any) -> list[str]:
    try:
        config = layer.get_config()
    except NotImplementedError:  # a function of the user's own
        return []
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
