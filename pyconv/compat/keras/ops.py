"""``keras.ops``, and what ``keras.backend`` has of it: numpy's functions under Keras's names.

Losses and metrics of the user's own are written with these. Arrays are numpy's, and types are kept:
the gradient of a loss is taken by differences in float64.
"""

import builtins
import functools
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from pyconv.compat import _unsupported
from pyconv.compat._autodiff import Taped, made, unwrapped
from pyconv.compat._convolution import conv1d, conv2d
from pyconv.compat._eager import array_of, eagerly
from pyconv.compat._operation import operation
from pyconv.compat._patches import extract_patches
from pyconv.compat._tensor import Tensor

# numpy's own functions, which take what Keras's do.
_SAME = (
    "abs", "absolute", "add", "all", "amax", "amin", "any", "arange", "arccos", "arcsin",
    "arctan", "arctan2", "argmax", "argmin", "argsort", "average", "bincount", "ceil",
    "broadcast_to",
    "concatenate", "copy", "cos", "cosh", "count_nonzero", "cumprod", "cumsum", "divide", "dot",
    "empty", "equal", "exp", "expand_dims", "expm1", "eye", "flip", "floor", "floor_divide",
    "full", "full_like", "greater", "greater_equal", "hstack", "isclose", "isfinite", "isinf",
    "isnan", "less", "less_equal", "linspace", "log", "log10", "log1p", "log2", "logaddexp",
    "logical_and", "logical_not", "logical_or", "logical_xor", "matmul", "max", "maximum",
    "mean", "median", "min", "minimum", "mod", "moveaxis", "multiply", "negative", "nonzero",
    "not_equal", "ones", "ones_like", "outer", "pad", "power", "prod", "ravel", "reciprocal",
    "repeat", "reshape", "roll", "round", "sign", "sin", "sinh", "size", "sort", "split",
    "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum", "take", "take_along_axis",
    "tan", "tanh", "tensordot", "tile", "trace", "transpose", "tril", "triu", "true_divide",
    "var", "vstack", "where", "zeros", "zeros_like",
)  # fmt: skip
globals().update({name: getattr(np, name) for name in _SAME})
# Those that numpy wants a tuple of axes for, and Keras takes a list as well.
_OF_AXES = (
    "all", "any", "count_nonzero", "flip", "max", "mean", "median", "min", "prod",
    "std", "sum", "var",
)  # fmt: skip


def _with_lists(function: Any) -> Any:
    @functools.wraps(function)
    def run(x: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
        return function(x, tuple(axis) if isinstance(axis, list) else axis, *args, **kwargs)

    return run


globals().update({name: _with_lists(getattr(np, name)) for name in _OF_AXES})
globals().update(amax=globals()["max"], amin=globals()["min"])

__all__ = sorted(
    [
        *_SAME, "binary_crossentropy", "cast", "categorical_crossentropy", "clip", "conv",
        "convert_to_numpy", "convert_to_tensor", "divide_no_nan", "erf", "glu", "logsumexp",
        "normalize",
        "one_hot", "relu", "rsqrt", "shape", "sigmoid", "slice", "softmax", "softplus",
        "sparse_categorical_crossentropy", "stop_gradient",
    ]
)  # fmt: skip


def cast(x: Any, dtype: Any) -> Any:
    """Return an array as another type.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.cast([0.5, 1.5], "int32").tolist()
        [0, 1]
    """
    return array_of(x).astype(dtype)


def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """Return the part of an array that begins at ``start_indices`` and has this shape.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2)).tolist()
        [[2, 3], [5, 6]]
    """
    x, ends = array_of(inputs), zip(start_indices, shape, strict=True)
    return x[tuple(builtins.slice(at, None if n is None else at + n) for at, n in ends)]


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return an array with its values kept between two.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.clip([0.0, 2.0], 0.5, 1.5).tolist()
        [0.5, 1.5]
    """
    return np.clip(x, x_min, x_max)


def convert_to_tensor(x: Any, dtype: Any = None) -> Any:
    """Return an array.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.convert_to_tensor([1, 2], "float32").dtype
        dtype('float32')
    """
    return array_of(x) if dtype is None else array_of(x).astype(dtype)


def convert_to_numpy(x: Any) -> Any:
    """Return an array.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.convert_to_numpy([1, 2]).tolist()
        [1, 2]
    """
    return np.asarray(x)


def stop_gradient(variable: Any) -> Any:
    """Return an array as it is.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.stop_gradient(2.0)
        2.0
    """
    return unwrapped(variable)


def shape(x: Any) -> tuple[int, ...]:
    """Return the shape of an array.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.shape([[1, 2, 3]])
        (1, 3)
    """
    return np.shape(x)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    """Return a quotient, 0 where the divisor is 0.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.divide_no_nan([1.0, 1.0], [2.0, 0.0]).tolist()
        [0.5, 0.0]
    """
    a, b = array_of(x1), array_of(x2)
    zero = np.equal(b, 0)
    quotient = a / np.where(zero, np.float32(1), b)
    return np.where(zero, np.float32(0), quotient)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    """Return one-hot rows of class numbers; a number that is of no class gives zeros.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.one_hot([0, 2], 3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if isinstance(x, Tensor):
        return operation(one_hot, (x, num_classes, axis, dtype), {})
    hot = np.asarray(unwrapped(x)).astype(np.int64)[..., None] == np.arange(num_classes)
    return np.moveaxis(hot.astype(dtype or np.float32), -1, axis)


def rsqrt(x: Any) -> Any:
    """Return 1 over the root.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> float(ops.rsqrt(4.0))
        0.5
    """
    return 1 / np.sqrt(x)


def erf(x: Any) -> Any:
    """Return the error function.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> f"{ops.erf(0.5):.4f}"
        '0.5205'
    """
    import math

    values = np.asarray(x)
    result = np.vectorize(math.erf, otypes=[np.result_type(values, np.float32)])(values)
    slope = 2 / math.sqrt(math.pi) * np.exp(-values * values)
    return made(result, [(x, lambda dy: dy * slope)]) if isinstance(x, Taped) else result


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the logarithm of the sum of exponentials.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> f"{ops.logsumexp([0.0, 0.0]):.4f}"
        '0.6931'
    """
    values = array_of(x)
    top = np.max(values, axis=axis, keepdims=True)
    result = np.log(np.sum(np.exp(values - top), axis=axis, keepdims=True)) + top
    return result if keepdims else np.squeeze(result, axis)


def sigmoid(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))``.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> float(ops.sigmoid(0.0))
        0.5
    """
    return 0.5 * (1 + np.tanh(array_of(x) / 2))


def softplus(x: Any) -> Any:
    """Return ``log(1 + exp(x))``.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> f"{ops.softplus(0.0):.4f}"
        '0.6931'
    """
    return np.logaddexp(x, 0)


def relu(x: Any) -> Any:
    """Return ``max(x, 0)``.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.relu([-1.0, 1.0]).tolist()
        [0.0, 1.0]
    """
    return np.maximum(x, 0)


def glu(x: Any, axis: int = -1) -> Any:
    """Return the first half along an axis times the sigmoid of the second.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.glu([[2.0, 0.0]]).tolist()
        [[1.0]]
    """
    size = np.shape(x)[axis]
    if size is None or size % 2:
        raise ValueError(f"glu: axis={axis} must be of an even size, got an input {np.shape(x)}")
    half = np.arange(size // 2)
    values = array_of(x)
    return np.take(values, half, axis) * sigmoid(np.take(values, half + size // 2, axis))


def softmax(x: Any, axis: int = -1) -> Any:
    """Return exponentials that sum to 1 along an axis.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.softmax([[0.0, 0.0]]).tolist()
        [[0.5, 0.5]]
    """
    values = array_of(x)
    parts = np.exp(values - np.max(values, axis=axis, keepdims=True))
    return parts / np.sum(parts, axis=axis, keepdims=True)


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Return rows of length 1 along an axis.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> ops.normalize([[3.0, 4.0]]).tolist()
        [[0.6, 0.8]]
    """
    values = array_of(x)
    return values / np.maximum(np.linalg.norm(values, order, axis, keepdims=True), 1e-7)


def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Return the cross-entropy of each row; see ``pyconv.losses``.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> f"{ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]:.4f}"
        '0.6931'
    """
    q = array_of(output)
    if from_logits:
        return -np.sum(target * (q - logsumexp(q, axis, keepdims=True)), axis=axis)
    q = np.clip(q / np.sum(q, axis=axis, keepdims=True), 1e-7, 1 - 1e-7)
    return -np.sum(target * np.log(q), axis=axis)


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Return the cross-entropy of each row's class number; see ``pyconv.losses``.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> f"{ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]:.4f}"
        '0.6931'
    """
    labels = array_of(target)
    if labels.ndim == np.ndim(output) and labels.shape[axis] == 1:
        labels = np.squeeze(labels, axis)
    return categorical_crossentropy(
        one_hot(labels, np.shape(output)[axis], axis), output, from_logits, axis
    )


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Return the binary cross-entropy of each element.

    Example:
        >>> from pyconv.compat.keras import ops
        >>> f"{ops.binary_crossentropy(1.0, 0.5):.4f}"
        '0.6931'
    """
    y, p = array_of(target), array_of(output)
    if from_logits:
        return np.maximum(p, 0) - p * y + np.log1p(np.exp(-np.abs(p)))
    p = np.clip(p, 1e-7, float(np.float32(1 - 1e-7)))
    return -(y * np.log(p) + (1 - y) * np.log1p(-p))


def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    """Return the maps (N, OH, OW, OC) that filters make of images; of lines (N, L, OC).

    Args:
        inputs: images (N, H, W, C), or lines (N, L, C).
        kernel: filters (KH, KW, C / groups, OC), or (K, C / groups, OC).
        strides: an integer, or (height, width).
        padding: 'valid' or 'same'.
        data_format: must be None or 'channels_last'.
        dilation_rate: the distance of a filter's cells, an integer or (height, width).

    Raises:
        NotImplementedError: the channels are to come first.
        ValueError: shapes or arguments do not fit.

    Example:
        >>> import numpy as np
        >>> from pyconv.compat.keras import ops
        >>> ops.conv(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 2))).shape
        (1, 2, 2, 2)
    """
    of_rank = conv1d if len(kernel.shape) == 3 else conv2d
    return of_rank(inputs, kernel, strides, padding, data_format, dilation_rate)


def _resize(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False
) -> Any:
    """Return images of another size."""
    if isinstance(images, Tensor):
        from pyconv.compat.keras import layers

        return layers.Resizing(*size, interpolation=interpolation)(images)
    from pyconv.compat.tensorflow import image as images_of_tensorflow

    return images_of_tensorflow.resize(images, size, interpolation, antialias=antialias)


image = SimpleNamespace(extract_patches=eagerly(extract_patches), resize=_resize)
# As Keras divides them.
core = math = nn = sys.modules[__name__]
globals()["numpy"] = nn

__getattr__ = _unsupported.getter(__name__)
