"""What the ``call`` of a model of one's own does with its inputs, followed with tensors."""

import inspect
from typing import Any

from pyconv.compat import _call_context
from pyconv.compat._functional import network
from pyconv.compat._tensor import Tensor
from pyconv.compat._traced import OF_TRAINING, Phase
from pyconv.compat._trees import leaves, mapped
from pyconv.layers.input import InputLayer

# What a call may raise that looks at what is in a tensor.
_REFUSALS = (AttributeError, IndexError, NotImplementedError, TypeError, ValueError)


class NotFollowedError(Exception):
    """The call does something that layers do not."""


def starts_of(model: Any, shapes: Any) -> Any:
    """Return an input for each shape, in lists, tuples and dicts as the shapes are.

    Args:
        model: the model, after which inputs are called that have no key.
        shapes: a shape, the batch first, or lists, tuples or dicts of such.
    """
    count = len(leaves(shapes, is_shape))
    names = iter([f"{model.name}_input" + (f"_{i}" if i else "") for i in range(count)])

    def start(shape: Any, key: Any = None) -> Tensor:
        name = next(names) if key is None else str(key)
        return Tensor(InputLayer(batch_shape=tuple(shape), name=name))

    if isinstance(shapes, dict):
        return {
            key: start(shape, key) if is_shape(shape) else mapped(start, shape, is_shape)
            for key, shape in shapes.items()
        }
    return mapped(start, shapes, is_shape)


def followed(model: Any, starts: Any) -> Any:
    """Return the tensors that the call gives, in their form.

    Raises:
        NotFollowedError: it does something that layers do not, or other things in training.
    """
    try:
        ends = _called(model, starts, True)
        others = _called(model, starts, False) if ends is not None else None
    except _REFUSALS as error:
        raise NotFollowedError(str(error)) from error
    found = leaves(ends)
    if not found or not all(isinstance(end, Tensor) for end in [*found, *leaves(others)]):
        raise NotFollowedError("its call gives something that was not made of its inputs by layers")
    if any(x is not y for x, y in zip(found, leaves(others), strict=True)):
        kinds = [_kinds(leaves(starts), ends_) for ends_ in (found, leaves(others))]
        if kinds[0] != kinds[1]:
            raise NotFollowedError(
                "its call does other things in training than outside; layers that know it "
                "themselves, such as Dropout, may be called in both"
            )
    return ends


def shapes_of(x: Any) -> Any:
    """Return the shapes of arrays, with the batch open, in their form; None where one is none."""
    if isinstance(x, (list, tuple)) and not any(_is_array(leaf) for leaf in leaves(x)):
        return None
    if not all(_is_array(leaf) for leaf in leaves(x)):
        return None
    return mapped(lambda leaf: (None, *leaf.shape[1:]) if leaf.ndim > 1 else (None, 1), x)


def is_shape(value: Any) -> bool:
    """Whether it is the shape of one array."""
    return isinstance(value, (list, tuple)) and all(n is None or isinstance(n, int) for n in value)


def _is_array(x: Any) -> bool:
    return hasattr(x, "shape") and hasattr(x, "ndim")


def _called(model: Any, starts: Any, trains: bool) -> Any:
    parameters = inspect.signature(model.call).parameters
    options = {"training": Phase(trains)} if "training" in parameters else {}
    model._found_losses = []
    with _call_context.within(model.name, {}), _call_context.following():
        return model.call(starts, **options)


def _kinds(starts: list[Tensor], ends: list[Tensor]) -> list[str]:
    layers = [tensor.layer for tensor in network(starts, ends)]
    return [type(layer).__name__ for layer in layers if not isinstance(layer, OF_TRAINING)]
