"""A layer's arithmetic as the slides of a course show it, window by window."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv._args import int_arg, shown
from pyconv._convert import float32_array
from pyconv._explain_blocks import branches, residual
from pyconv._explain_text import (
    Values,
    activated,
    first,
    maps,
    number,
    pair,
    products,
    rest,
    some,
)
from pyconv.layers._windows import HasWindows
from pyconv.layers.activation import Activation
from pyconv.layers.avgpool2d import AveragePooling2D
from pyconv.layers.branches import Branches
from pyconv.layers.conv2d import Conv2D
from pyconv.layers.dense import Dense
from pyconv.layers.flatten import Flatten
from pyconv.layers.layer import Layer
from pyconv.layers.maxpool2d import MaxPooling2D
from pyconv.layers.relu import ReLU
from pyconv.layers.residual import Residual
from pyconv.layers.softmax import Softmax


class Printed(str):
    """A text that was printed: a notebook does not show it again at the end of a cell."""

    def _ipython_display_(self) -> None:
        pass


def explain(layer: Layer, x: Any, limit: int = 9) -> str:
    """Print what a layer computes of ``x``, with the formulas of its sizes; return the text.

    A convolution's and a pooling's are ``(W - F + 2P)/S + 1``, as in Stanford's CS231n. The sums
    are of the layer's own weights; a layer that is not built yet is built.

    Args:
        layer: a ``Conv2D``, ``MaxPooling2D``, ``AveragePooling2D``, ``Dense``, ``ReLU``,
            ``Softmax``, ``Activation``, ``Flatten``, ``Residual`` or ``Branches``.
        x: a batch, of which the first sample is shown; for the layers of images an image
            (H, W) or (H, W, C) too, for the others one sample (C,). For a convolution or a pooling
            the size of an image, such as (32, 32, 3), gives the formulas alone.
        limit: how many windows or numbers are shown.

    Raises:
        TypeError: it is another layer, or ``x`` does not hold numbers.
        ValueError: the layer does not take ``x``, or has its channels first.

    Example:
        >>> import pyconv
        >>> image = [[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]
        >>> text = pyconv.explain(pyconv.layers.MaxPooling2D(2, name="pool"), image)
        MaxPooling2D 'pool': 4x4x1 -> 2x2x1
        F = 2, S = 2, P = 0
        W2 = (W1 - F + 2P)/S + 1 = (4 - 2 + 0)/2 + 1 = 2
        H2 = (H1 - F + 2P)/S + 1 = (4 - 2 + 0)/2 + 1 = 2
        D2 = D1 = 1
        parameters: 0
        row 0, column 0: max(1, 3, 2, 9) = 9
        row 0, column 1: max(2, 1, 1, 1) = 2
        row 1, column 0: max(1, 3, 5, 6) = 6
        row 1, column 1: max(2, 3, 1, 2) = 3
        result:
          9 2
          6 3
        >>> text = pyconv.explain(pyconv.layers.Conv2D(6, 5, name="conv"), (32, 32, 3))
        Conv2D 'conv': 32x32x3 -> 28x28x6
        K = 6, F = 5, S = 1, P = 0
        W2 = (W1 - F + 2P)/S + 1 = (32 - 5 + 0)/1 + 1 = 28
        H2 = (H1 - F + 2P)/S + 1 = (32 - 5 + 0)/1 + 1 = 28
        D2 = K = 6
        parameters: (F*F*D1)*K + K = (5*5*3)*6 + 6 = 456
    """
    most = int_arg("explain", "limit", limit)
    kind = next((k for k in _SHOWN if isinstance(layer, k)), None)
    if kind is None:
        what = layer.label if isinstance(layer, Layer) else shown(layer)
        names = ", ".join(k.__name__ for k in _SHOWN)
        raise TypeError(f"explain: layer must be one of {names}, got {what}")
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        raise ValueError(f"explain: {layer.label} has its channels first; only last is shown")
    size = _image_size(layer, x)
    if size is not None:
        layer.build((None, *size))
        shapes: Any = size, layer.compute_output_shape((None, *size))[1:]
        lines = _FORMULAS[kind](layer, size)
    else:
        batch = _batch(layer, float32_array("explain", "x", x))
        result = layer(batch)
        shapes = batch.shape[1:], result.shape[1:]
        lines = _SHOWN[kind](layer, batch[0], result[0], most)
    sizes = " -> ".join("x".join(map(str, shape)) for shape in shapes)
    text = Printed("\n".join([f"{layer.label}: {sizes}", *lines]))
    print(text)
    return text


def _image_size(layer: Layer, x: Any) -> tuple[int, ...] | None:
    """Return (H, W, C) where ``x`` is such a size, or (H, W), and no image."""
    if not isinstance(layer, HasWindows) or not isinstance(x, (tuple, list)):
        return None
    size = x[1:] if len(x) == 4 and x[0] is None else x
    if len(size) not in (2, 3) or any(isinstance(n, (tuple, list, np.ndarray)) for n in size):
        return None
    numbers = [int_arg("explain", f"x[{i}]", n) for i, n in enumerate(size)]
    return (*numbers, 1) if len(numbers) == 2 else tuple(numbers)


def _batch(layer: Layer, x: Values) -> Values:
    """Return the first sample of ``x``, as a batch."""
    if any(isinstance(leaf, HasWindows) for leaf in layer.leaves()):
        if x.ndim == 2:
            x = x[..., np.newaxis]
        if x.ndim == 3:
            x = x[np.newaxis]
    elif x.ndim == 1:
        x = x[np.newaxis]
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"explain: x must hold at least one sample, got shape {x.shape}")
    return x[:1]


# --- windows --------------------------------------------------------------------------------------


def _conv_formulas(layer: Any, size: tuple[int, ...]) -> Iterator[str]:
    yield f"K = {layer.filters}, {_hyper_parameters(layer)}"
    yield from _sizes(layer, size)
    yield f"D2 = K = {layer.filters}"
    kh, kw, channels, _ = layer.kernel.shape
    numbers = f"({kh}*{kw}*{channels})*{layer.filters}"
    if layer.bias is None:
        yield f"parameters: (F*F*D1)*K = {numbers} = {layer.kernel.size}"
    else:
        yield f"parameters: (F*F*D1)*K + K = {numbers} + {layer.filters} = {layer.count_params()}"


def _conv(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    yield from _conv_formulas(layer, x.shape)
    kernel = np.asarray(layer.kernel, np.float64)
    bias = np.zeros(layer.filters) if layer.bias is None else np.asarray(layer.bias, np.float64)
    channels = kernel.shape[2]
    each = layer.filters // layer.groups
    for k, i, j in first(np.moveaxis(y, -1, 0).shape, most):
        start = k // each * channels
        window, _ = _window(layer, x, i, j)
        terms = window[..., start : start + channels].ravel(), kernel[..., k].ravel()
        total = float(terms[0] @ terms[1] + bias[k])
        place = f"row {i}, column {j}" if layer.filters == 1 else f"filter {k}, row {i}, column {j}"
        yield f"{place}: {products(*terms, bias[k])} = {activated(layer, total, y[i, j, k])}"
    yield from rest(y.size, most)
    yield from maps(y)


def _pool_formulas(layer: Any, size: tuple[int, ...]) -> Iterator[str]:
    yield _hyper_parameters(layer)
    yield from _sizes(layer, size)
    yield f"D2 = D1 = {size[2]}"
    yield "parameters: 0"


def _pool(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    yield from _pool_formulas(layer, x.shape)
    for c, i, j in first(np.moveaxis(y, -1, 0).shape, most):
        window, inside = _window(layer, x, i, j)
        values = window[..., c][inside]
        place = f"row {i}, column {j}" if y.shape[2] == 1 else f"channel {c}, row {i}, column {j}"
        if isinstance(layer, MaxPooling2D):
            what = f"max({some(values, ', ')})"
        else:
            what = f"({some(values, ' + ')})/{values.size}"
        yield f"{place}: {what} = {number(y[i, j, c])}"
    yield from rest(y.size, most)
    yield from maps(y)


def _window(layer: Any, x: Values, i: int, j: int) -> tuple[Values, Values]:
    """Return the window at (i, j), zeros where padding is, and which cells are of the image."""
    windows = layer.windows
    (top, _, left, _), _, _ = windows.fit(*x.shape[:2])
    rows, columns = (
        at * stride - before + step * np.arange(size)
        for at, stride, before, step, size in zip(
            (i, j), windows.strides, (top, left), windows.dilation, windows.size, strict=True
        )
    )
    inside = np.logical_and.outer(
        (rows >= 0) & (rows < x.shape[0]), (columns >= 0) & (columns < x.shape[1])
    )
    cells = np.ix_(rows.clip(0, x.shape[0] - 1), columns.clip(0, x.shape[1] - 1))
    return np.where(inside[..., np.newaxis], x[cells].astype(np.float64), 0.0), inside


def _hyper_parameters(layer: Any) -> str:
    windows = layer.windows
    parts = [f"F = {pair(windows.size)}", f"S = {pair(windows.strides)}"]
    padding = windows.padding
    if padding == "valid":
        parts.append("P = 0")
    else:
        parts.append(f"P = {padding!r}" if isinstance(padding, str) else f"P = {padding}")
    if max(windows.dilation) > 1:
        parts.append(f"dilation = {pair(windows.dilation)}")
    return ", ".join(parts)


def _sizes(layer: Any, image: tuple[int, ...]) -> Iterator[str]:
    windows = layer.windows
    (top, bottom, left, right), oh, ow = windows.fit(*image[:2])
    for name, axis, before, after, out in (("W", 1, left, right, ow), ("H", 0, top, bottom, oh)):
        size, stride, extent = image[axis], windows.strides[axis], windows.extent[axis]
        padding = f"{before + after}" if before == after else f"({before} + {after})"
        formula = f"({name}1 - F + 2P)/S + 1"
        exact = (size - extent + before + after) % stride == 0
        number = f"({size} - {extent} + {padding})/{stride}"
        yield f"{name}2 = {formula} = {number if exact else f'floor({number})'} + 1 = {out}"


# --- layers without windows -----------------------------------------------------------------------


def _dense(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    kernel = np.asarray(layer.kernel, np.float64)
    bias = np.zeros(layer.units) if layer.bias is None else np.asarray(layer.bias, np.float64)
    inputs, units = kernel.shape
    added = "" if layer.bias is None else f" + {units}"
    yield f"parameters: inputs*units{' + units' if added else ''} = {inputs}*{units}{added} = " + (
        str(layer.count_params())
    )
    for index in first(y.shape, most):
        row = x[index[:-1]].astype(np.float64)
        k = index[-1]
        total = float(row @ kernel[:, k] + bias[k])
        place = "unit " + ", ".join(map(str, index))
        sums = products(row, kernel[:, k], bias[k])
        yield f"{place}: {sums} = {activated(layer, total, y[index])}"
    yield from rest(y.size, most)


def _relu(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    plain = layer.max_value is None and layer.negative_slope == 0 == layer.threshold
    yield "parameters: 0"
    for index in first(y.shape, most):
        value, result = number(x[index]), number(y[index])
        yield f"max(0, {value}) = {result}" if plain else f"f({value}) = {result}"
    yield from rest(y.size, most)


def _activation(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    yield "parameters: 0"
    for index in first(y.shape, most):
        yield f"{layer.activation.name}({number(x[index])}) = {number(y[index])}"
    yield from rest(y.size, most)


def _softmax(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    axis = layer.axis if layer.axis < 0 else layer.axis - 1
    values = x.astype(np.float64)
    # The largest is taken off first, as the layer does it: the result is the same.
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    sums = np.broadcast_to(powers.sum(axis=axis, keepdims=True), x.shape)
    largest = np.broadcast_to(values.max(axis=axis, keepdims=True), x.shape)
    yield "parameters: 0"
    for index in first(y.shape, most):
        difference = f"exp({number(values[index])} - {number(largest[index])})"
        yield f"{difference}/{number(sums[index])} = {number(y[index])}"
    yield from rest(y.size, most)
    yield f"sum: {number(y.sum(axis=axis, dtype=np.float64).ravel()[0])}"


def _flatten(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    yield f"{'*'.join(map(str, x.shape))} = {y.size}; parameters: 0"
    for index in first(x.shape, most):
        at = int(np.ravel_multi_index(index, x.shape))
        yield f"x[{', '.join(map(str, index))}] = {number(x[index])} -> y[{at}]"
    yield from rest(y.size, most)


_SHOWN: dict[type[Layer], Any] = {
    Conv2D: _conv,
    MaxPooling2D: _pool,
    AveragePooling2D: _pool,
    Dense: _dense,
    ReLU: _relu,
    Softmax: _softmax,
    Activation: _activation,
    Flatten: _flatten,
    Residual: residual,
    Branches: branches,
}
_FORMULAS: dict[type[Layer], Any] = {
    Conv2D: _conv_formulas,
    MaxPooling2D: _pool_formulas,
    AveragePooling2D: _pool_formulas,
}
