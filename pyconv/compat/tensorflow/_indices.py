"""Functions of TensorFlow that take and put what is at places of an array, with gradients."""

from typing import Any, NamedTuple

import numpy as np

from pyconv.compat._autodiff import made, unwrapped
from pyconv.compat._eager import array_of, eager


class TopK(NamedTuple):
    """What ``tf.math.top_k`` returns."""

    values: Any
    indices: Any


def top_k(input: Any, k: int = 1, sorted: bool = True, name: Any = None) -> TopK:
    """Return the k largest values of the last axis, the largest first, and where they are."""
    x = array_of(input)
    order = np.argsort(-np.asarray(unwrapped(x)), axis=-1, kind="stable")[..., : int(k)]
    return TopK(eager(np.take_along_axis(x, order, -1)), eager(order.astype(np.int32)))


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: Any = None) -> Any:
    """Return what is at the places of ``indices``, whose last axis has an index of each axis."""
    at = np.asarray(unwrapped(indices)).astype(np.int64)
    rows = np.indices(at.shape[:-1], sparse=True)[:batch_dims]
    key = (*rows, *_key(at))
    return array_of(params)[key]


def scatter_nd(indices: Any, updates: Any, shape: Any, name: Any = None) -> Any:
    """Return zeros with the updates added at their places."""
    values = np.asarray(unwrapped(updates))
    return scatter_nd_add(np.zeros([int(n) for n in shape], values.dtype), indices, updates)


def scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Any:
    """Return the tensor with the updates added at their places."""
    key = _key(indices)
    result = np.array(unwrapped(tensor))
    np.add.at(result, key, np.asarray(unwrapped(updates)))
    return made(result, [(tensor, lambda dy: dy), (updates, lambda dy: dy[key])])


def scatter_nd_sub(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Any:
    """Return the tensor with the updates taken from what is at their places."""
    return scatter_nd_add(tensor, indices, -array_of(updates))


def scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Any:
    """Return the tensor with the updates in the place of what is there."""
    key = _key(indices)
    result = np.array(unwrapped(tensor))
    result[key] = np.asarray(unwrapped(updates))

    def others(dy: Any) -> Any:
        gradient = np.array(dy)
        gradient[key] = 0
        return gradient

    return made(result, [(tensor, others), (updates, lambda dy: dy[key])])


def _key(indices: Any) -> tuple[Any, ...]:
    at = np.asarray(unwrapped(indices)).astype(np.int64)
    return tuple(np.moveaxis(at, -1, 0))
