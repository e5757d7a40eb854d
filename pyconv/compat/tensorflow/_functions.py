"""TensorFlow's functions of arrays, by its names and arguments, made of numpy's.

They take arrays, arrays whose gradient is followed, and tensors of functional models.
"""

from typing import Any

import numpy as np

from pyconv.compat import _backend_functions as backend
from pyconv.compat._autodiff import unwrapped
from pyconv.compat._eager import array_of
from pyconv.compat.keras import ops
from pyconv.compat.tensorflow import _indices


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _reduction(function: Any) -> Any:
    def reduce(
        input_tensor: Any, axis: Any = None, keepdims: bool = False, name: Any = None
    ) -> Any:
        return function(array_of(input_tensor), axis=_axis(axis), keepdims=keepdims)

    return reduce


def _chosen(function: Any) -> Any:
    def choose(input: Any, axis: Any = 0, output_type: Any = np.int64, name: Any = None) -> Any:
        return function(array_of(input), axis=0 if axis is None else axis)

    return choose


def _concat(values: Any, axis: int, name: Any = None) -> Any:
    return np.concatenate([array_of(value) for value in values], axis)


def _transpose(a: Any, perm: Any = None, conjugate: bool = False, name: Any = None) -> Any:
    return np.transpose(array_of(a), perm)


def _average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None
) -> Any:
    losses = array_of(per_example_loss)
    if sample_weight is not None:
        losses = losses * sample_weight
    return np.sum(losses) / (losses.shape[0] if global_batch_size is None else global_batch_size)


def _split(value: Any, num_or_size_splits: Any, axis: int = 0, name: Any = None) -> Any:
    parts: Any = num_or_size_splits
    if not isinstance(parts, (int, np.integer)):
        parts = [int(end) for end in np.cumsum(np.asarray(parts))[:-1]]
    return list(np.split(array_of(value), parts, axis))


def _pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: Any = None
) -> Any:
    widths = [tuple(map(int, pair)) for pair in np.asarray(unwrapped(paddings))]
    if mode.upper() == "CONSTANT":
        return np.pad(array_of(tensor), widths, "constant", constant_values=constant_values)
    return np.pad(array_of(tensor), widths, mode.lower())  # type: ignore[call-overload]


def _matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **kwargs: Any
) -> Any:
    a, b = array_of(a), array_of(b)
    a = np.swapaxes(a, -1, -2) if transpose_a else a
    return np.matmul(a, np.swapaxes(b, -1, -2) if transpose_b else b)


def _one_hot(
    indices: Any, depth: int, on_value: Any = 1, off_value: Any = 0, axis: int = -1,
    dtype: Any = None, name: Any = None,
) -> Any:  # fmt: skip
    hot = ops.one_hot(indices, int(depth), axis, dtype)
    return hot * (on_value - off_value) + off_value if (on_value, off_value) != (1, 0) else hot


def _clip(t: Any, clip_value_min: Any, clip_value_max: Any, name: Any = None) -> Any:
    return np.clip(array_of(t), clip_value_min, clip_value_max)


def _cast(x: Any, dtype: Any, name: Any = None) -> Any:
    return ops.cast(x, dtype)


def _gather(params: Any, indices: Any, axis: int = 0, name: Any = None, **kwargs: Any) -> Any:
    return np.take(array_of(params), np.asarray(unwrapped(indices)).astype(np.int64), axis)


def _add_n(inputs: Any, name: Any = None) -> Any:
    total = array_of(inputs[0])
    for part in inputs[1:]:
        total = total + part
    return total


def _norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Any:
    squares = np.sum(np.square(array_of(tensor)), axis=_axis(axis), keepdims=keepdims)
    return np.sqrt(squares)


def _l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: Any = None) -> Any:
    a = array_of(x)
    square = np.sum(np.square(a), axis=_axis(axis), keepdims=True)
    return a / np.sqrt(np.maximum(square, np.float32(epsilon)))


def _softmax_loss(labels: Any = None, logits: Any = None, axis: int = -1, **kwargs: Any) -> Any:
    return ops.categorical_crossentropy(labels, logits, True, axis)


def _sparse_softmax_loss(labels: Any = None, logits: Any = None, **kwargs: Any) -> Any:
    return ops.sparse_categorical_crossentropy(unwrapped(labels), logits, True)


def _sigmoid_loss(labels: Any = None, logits: Any = None, **kwargs: Any) -> Any:
    return ops.binary_crossentropy(labels, logits, True)


def _moments(x: Any, axes: Any, keepdims: bool = False, **kwargs: Any) -> Any:
    a = array_of(x)
    return tuple(f(a, axis=_axis(axes), keepdims=keepdims) for f in (np.mean, np.var))


def _in_top_k(targets: Any, predictions: Any, k: int, name: Any = None) -> Any:
    scores, labels = np.asarray(unwrapped(predictions)), np.asarray(unwrapped(targets))
    return (scores > np.take_along_axis(scores, labels[:, None], 1)).sum(axis=1) < k


def _range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, **_: Any) -> Any:
    first, end = (0, start) if limit is None else (start, limit)
    arange: Any = np.arange
    return arange(first, end, delta, dtype)


def _linspace(start: Any, stop: Any, num: int, name: Any = None, axis: int = 0) -> Any:
    return np.linspace(start, stop, int(num), axis=axis, dtype=np.float32)


def _global_norm(t_list: Any, name: Any = None) -> Any:
    return np.sqrt(sum(np.sum(np.square(array_of(t))) for t in t_list if t is not None))


def _clip_by_global_norm(
    t_list: Any, clip_norm: float, use_norm: Any = None, name: Any = None
) -> Any:
    """Return arrays made smaller together where their norm is larger than one, and the norm."""
    norm = _global_norm(t_list) if use_norm is None else use_norm
    factor = clip_norm / np.maximum(norm, clip_norm)
    return [None if t is None else array_of(t) * factor for t in t_list], norm


def _clip_by_norm(t: Any, clip_norm: float, axes: Any = None, name: Any = None) -> Any:
    norm = np.sqrt(np.sum(np.square(array_of(t)), axis=_axis(axes), keepdims=axes is not None))
    return array_of(t) * (clip_norm / np.maximum(norm, clip_norm))


_SAME = (
    "abs", "add", "argsort", "convert_to_tensor", "cos", "divide", "equal", "exp", "expand_dims",
    "eye", "floor", "greater", "greater_equal", "less", "less_equal", "log", "log1p",
    "logical_and", "logical_not", "logical_or", "maximum", "minimum", "multiply", "negative",
    "not_equal", "ones", "ones_like", "repeat", "reshape", "roll", "round", "rsqrt", "shape",
    "sigmoid", "sign", "sin", "sort", "sqrt", "square", "squeeze", "stack", "stop_gradient",
    "subtract", "tan", "tanh", "tensordot", "tile", "where", "zeros", "zeros_like",
)  # fmt: skip
FUNCTIONS: dict[str, Any] = {
    **{name: getattr(ops, name) for name in _SAME},
    "add_n": _add_n,
    "argmax": _chosen(np.argmax),
    "argmin": _chosen(np.argmin),
    "cast": _cast,
    "clip_by_global_norm": _clip_by_global_norm,
    "clip_by_norm": _clip_by_norm,
    "clip_by_value": _clip,
    "concat": _concat,
    "constant": lambda value, dtype=None, shape=None, name=None: (
        np.asarray(value, dtype) if shape is None else np.broadcast_to(value, shape).astype(dtype)
    ),
    "cumsum": lambda x, axis=0, **_: np.cumsum(array_of(x), axis),
    "einsum": lambda equation, *inputs, **_: np.einsum(equation, *map(array_of, inputs)),
    "fill": lambda dims, value, name=None: np.full(tuple(np.asarray(dims)), value),
    "gather": _gather,
    "gather_nd": _indices.gather_nd,
    "global_norm": _global_norm,
    "identity": array_of,
    "linspace": _linspace,
    "matmul": _matmul,
    "mod": np.mod,
    "norm": _norm,
    "one_hot": _one_hot,
    "pad": _pad,
    "pow": np.power,
    "range": _range,
    "rank": np.ndim,
    "reduce_all": _reduction(np.all),
    "map_fn": backend.map_fn,
    "reduce_any": _reduction(np.any),
    "reduce_max": _reduction(np.max),
    "reduce_mean": _reduction(np.mean),
    "reduce_min": _reduction(np.min),
    "reduce_prod": _reduction(np.prod),
    "reduce_std": _reduction(np.std),
    "reduce_sum": _reduction(np.sum),
    "reduce_variance": _reduction(np.var),
    "reverse": lambda tensor, axis, name=None: np.flip(array_of(tensor), _axis(axis)),
    "size": np.size,
    "split": _split,
    "scatter_nd": _indices.scatter_nd,
    "tensor_scatter_nd_add": _indices.scatter_nd_add,
    "tensor_scatter_nd_sub": _indices.scatter_nd_sub,
    "tensor_scatter_nd_update": _indices.scatter_nd_update,
    "transpose": _transpose,
    "unstack": lambda value, num=None, axis=0, name=None: [
        np.squeeze(part, axis)
        for part in np.split(array_of(value), array_of(value).shape[axis], axis)
    ],
}
MATHS: dict[str, Any] = {
    **FUNCTIONS,
    "confusion_matrix": lambda labels, predictions, num_classes=None, **_: _confusion(
        labels, predictions, num_classes
    ),
    "divide_no_nan": ops.divide_no_nan,
    "erf": ops.erf,
    "in_top_k": _in_top_k,
    "is_nan": np.isnan,
    "l2_normalize": _l2_normalize,
    "softplus": ops.softplus,
    "squared_difference": lambda x, y, name=None: np.square(x - y),
}
NETWORK: dict[str, Any] = {
    "compute_average_loss": _average_loss,
    "scale_regularization_loss": lambda regularization_loss: np.sum(regularization_loss),
    "bias_add": lambda value, bias, **_: array_of(value) + bias,
    "dropout": lambda x, rate=0.5, noise_shape=None, seed=None, name=None: backend.dropout(
        x, rate, noise_shape, seed
    ),
    "in_top_k": _in_top_k,
    "l2_loss": lambda t, name=None: np.sum(np.square(array_of(t))) / 2,
    "l2_normalize": _l2_normalize,
    "moments": _moments,
    "sigmoid_cross_entropy_with_logits": _sigmoid_loss,
    "softmax_cross_entropy_with_logits": _softmax_loss,
    "softmax_cross_entropy_with_logits_v2": _softmax_loss,
    "sparse_softmax_cross_entropy_with_logits": _sparse_softmax_loss,
}


def _conv2d(
    input: Any, filters: Any, strides: Any, padding: str, data_format: str = "NHWC",
    dilations: Any = 1, name: Any = None,
) -> Any:  # fmt: skip
    if data_format != "NHWC":
        raise ValueError(f"tf.nn.conv2d: data_format must be 'NHWC', got {data_format!r}")
    return backend.conv2d(input, filters, _two(strides), padding, None, _two(dilations))


def _two(sizes: Any) -> tuple[int, int]:
    """Return the sizes of the two axes of images, of one number, two or four."""
    parts = [int(n) for n in np.ravel(sizes)]
    parts = parts[1:3] if len(parts) == 4 else parts * 2 if len(parts) == 1 else parts
    return parts[0], parts[1]


def _pooling(kind: str) -> Any:
    def pool(input: Any, ksize: Any, strides: Any, padding: str, *args: Any, **_: Any) -> Any:
        from pyconv.compat.keras import layers

        return getattr(layers, kind)(_two(ksize), _two(strides), padding.lower())(input)

    return pool


NETWORK.update(
    conv2d=_conv2d,
    max_pool=_pooling("MaxPooling2D"),
    max_pool2d=_pooling("MaxPooling2D"),
    avg_pool=_pooling("AveragePooling2D"),
    avg_pool2d=_pooling("AveragePooling2D"),
)


def _confusion(labels: Any, predictions: Any, classes: Any) -> Any:
    y, p = (np.asarray(unwrapped(part), np.int64).ravel() for part in (labels, predictions))
    count = int(max(y.max(initial=0), p.max(initial=0))) + 1 if classes is None else int(classes)
    return np.bincount(y * count + p, minlength=count * count).reshape(count, count)
