"""Functions of ``keras.backend`` that numpy has under other names or with other defaults.

They take arrays, arrays whose gradient is followed, and tensors of functional models.
"""

from typing import Any

import numpy as np

from pyconv import _random
from pyconv.compat import _call_context, _era
from pyconv.compat._autodiff import unwrapped
from pyconv.compat._convolution import conv1d as conv1d
from pyconv.compat._convolution import conv2d as conv2d
from pyconv.compat._eager import array_of, eager
from pyconv.variable import Variable


def argmax(x: Any, axis: int = -1) -> Any:
    """Return where the largest is along an axis."""
    return np.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """Return where the smallest is along an axis."""
    return np.argmin(x, axis)


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Return arrays put one behind the other."""
    return np.concatenate(tensors, axis)


def expand_dims(x: Any, axis: int = -1) -> Any:
    """Return an array with one axis more, of size 1."""
    return np.expand_dims(array_of(x), axis)


def count_params(x: Any) -> int:
    """Return how many numbers a weight has."""
    return int(np.prod(np.shape(x)))


def one_hot(indices: Any, num_classes: int) -> Any:
    """Return one-hot rows of class numbers."""
    from pyconv.compat.keras import ops

    return ops.one_hot(indices, num_classes)


def cumsum(x: Any, axis: int = 0) -> Any:
    """Return the sums of all elements up to each."""
    return np.cumsum(array_of(x), axis)


def reverse(x: Any, axes: Any) -> Any:
    """Return an array with the elements along axes in reverse."""
    return np.flip(array_of(x), tuple(axes) if isinstance(axes, list) else axes)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Return an array with each element along an axis so many times."""
    return np.repeat(array_of(x), rep, axis)


def repeat(x: Any, n: int) -> Any:
    """Return rows (N, C) as (N, n, C)."""
    return np.repeat(np.expand_dims(array_of(x), 1), n, 1)


def gather(reference: Any, indices: Any) -> Any:
    """Return the elements along the first axis that ``indices`` name."""
    return np.take(array_of(reference), np.asarray(unwrapped(indices)).astype(np.int64), 0)


def dot(x: Any, y: Any) -> Any:
    """Return products along the last axis of x and the last but one of y."""
    a, b = array_of(x), array_of(y)
    return np.matmul(a, b) if b.ndim == 2 else np.tensordot(a, b, ([a.ndim - 1], [b.ndim - 2]))


def map_fn(fn: Any, elems: Any, *args: Any, **kwargs: Any) -> Any:
    """Return what a function makes of each part along the first axis."""
    several = isinstance(elems, (list, tuple))
    arrays = [array_of(part) for part in (elems if several else [elems])]
    parts = ([array[i] for array in arrays] for i in range(len(arrays[0])))
    results = [fn(type(elems)(part) if several else part[0]) for part in parts]
    if isinstance(results[0], (list, tuple)):
        return type(results[0])(np.stack(rows) for rows in zip(*results, strict=True))
    return np.stack(results)


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Return the products of each sample of x and y along an axis of each.

    Unless Keras 3 is chosen, x of three axes and y of four share their first two, and the result
    is of each pair of those: so Keras had it up to 2.2.
    """
    a, b = array_of(x), array_of(y)
    if axes is None:
        axes = (a.ndim - 1, b.ndim - 2 if b.ndim > 2 else 1)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    paired = (a.ndim, b.ndim) == (3, 4) and a.shape[1] == b.shape[1] and first % 3 == 2
    if paired and second % 4 > 1 and not _era.is_keras3_by_choice():
        columns = b if second % 4 == 2 else np.moveaxis(b, 3, 2)
        return np.squeeze(np.matmul(a[:, :, None], columns), 2)
    a = np.moveaxis(a, first, -1)
    b = np.moveaxis(b, second, 1)
    rows = np.reshape(a, (a.shape[0], -1, a.shape[-1]))
    columns = np.reshape(b, (b.shape[0], b.shape[1], -1))
    shape = (a.shape[0], *a.shape[1:-1], *b.shape[2:])
    return np.reshape(np.matmul(rows, columns), shape if len(shape) > 1 else (shape[0], 1))


def l2_normalize(x: Any, axis: Any = None) -> Any:
    """Return an array divided by its length along axes."""
    a = array_of(x)
    square = np.sum(np.square(a), axis=axis, keepdims=True)
    return a / np.sqrt(np.maximum(square, np.float32(1e-12)))


def relu(x: Any, alpha: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Any:
    """Return what is above ``threshold``, up to ``max_value``; ``alpha`` times what is below."""
    a = array_of(x)
    above = a * np.greater(a, threshold) if threshold else np.maximum(a, 0)
    if max_value is not None:
        above = np.minimum(above, max_value)
    return above + alpha * np.minimum(a - threshold, 0) if alpha else above


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where it is above 0, and ``alpha * (exp(x) - 1)`` where not."""
    a = array_of(x)
    return np.maximum(a, 0) + alpha * (np.exp(np.minimum(a, 0)) - 1)


def softsign(x: Any) -> Any:
    """Return ``x / (1 + |x|)``."""
    a = array_of(x)
    return a / (np.abs(a) + 1)


def hard_sigmoid(x: Any) -> Any:
    """Return ``0.2 * x + 0.5``, kept between 0 and 1."""
    return np.clip(array_of(x) * 0.2 + 0.5, 0, 1)


def bias_add(x: Any, bias: Any, data_format: Any = None) -> Any:
    """Return x with a number added to each channel."""
    b = array_of(bias)
    if data_format == "channels_first" and b.ndim == 1:
        return array_of(x) + np.reshape(b, (-1,) + (1,) * (array_of(x).ndim - 2))
    return array_of(x) + b


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two, which may be functions, element by element."""
    a, b = (part() if callable(part) else part for part in (then_expression, else_expression))
    return np.where(np.asarray(unwrapped(condition), bool), a, b)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return x in training and ``alt`` outside of it; either may be a function."""
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return x outside of training and ``alt`` in it."""
    return in_train_phase(alt, x, training)


def print_tensor(x: Any, message: str = "") -> Any:
    """Print an array; return it."""
    print(message, np.asarray(unwrapped(x)))
    return x


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Any:
    """Return an array that can be assigned to."""
    return Variable(np.asarray(value, dtype or np.float32), name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """Return an array."""
    array = np.asarray(value, dtype or np.float32)
    return eager(array if shape is None else np.broadcast_to(array, shape))


def eval(x: Any) -> Any:
    """Return the values, as numpy has them."""
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)


def update(x: Any, new_x: Any) -> Any:
    """Set a variable."""
    return x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """Add to a variable."""
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """Subtract from a variable."""
    return x.assign_sub(decrement)


def moving_average_update(x: Any, value: Any, momentum: float) -> Any:
    """Bring a variable nearer to a value."""
    return x.assign(np.asarray(x) * momentum + np.asarray(value) * (1 - momentum))


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return numbers from a normal distribution."""
    return eager(_draws(seed).normal(mean, stddev, tuple(shape)).astype(dtype or np.float32))


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return numbers that are equally likely between two."""
    return eager(_draws(seed).uniform(minval, maxval, tuple(shape)).astype(dtype or np.float32))


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> Any:
    """Return ones with a probability, and zeros."""
    return eager((_draws(seed).random(tuple(shape)) < p).astype(dtype or np.float32))


random_binomial = random_bernoulli


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Return an array with a part of it set to 0, and the rest divided by what is left."""
    a = array_of(x)
    kept = _draws(seed).random(noise_shape or a.shape) >= level
    return a * (kept / np.float32(max(1 - level, 1e-7))).astype(np.float32)


def _draws(seed: Any) -> np.random.Generator:
    _call_context.check_random()
    return _random.generator() if seed is None else np.random.default_rng(seed)
