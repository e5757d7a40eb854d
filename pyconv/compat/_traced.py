"""Layers and models of the user's own whose ``call`` is made of other layers."""

import contextlib
import inspect
from typing import Any

from pyconv import layers as plain
from pyconv._derived import before
from pyconv._types import Shape
from pyconv.compat import _call_context
from pyconv.compat._functional import nodes_between
from pyconv.compat._operation import Operation
from pyconv.compat._own_call import OwnCall
from pyconv.compat._tensor import Tensor
from pyconv.layers._augmentation import Augmentation
from pyconv.layers.graph import Node, blocks
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer, own_call

# What does nothing outside of training, so that a call may leave it out there.
OF_TRAINING = (
    Augmentation,
    plain.AlphaDropout,
    plain.Dropout,
    plain.GaussianDropout,
    plain.GaussianNoise,
    plain.SpatialDropout1D,
    plain.SpatialDropout2D,
    plain.SpatialDropout3D,
)


class Phase:
    """Stands for the argument ``training`` while a call is followed."""

    def __init__(self, trains: bool) -> None:
        self._trains = trains

    def __bool__(self) -> bool:
        return self._trains


def is_composed(layer: Any) -> bool:
    """Whether a layer has a ``call`` of the user's own and no ``backward``."""
    kind = before(type(layer))
    call = own_call(kind)
    if call is None or kind.backward not in (Layer.backward, OwnCall.backward):
        return False
    if getattr(layer, "runs_whole_call", False) or getattr(layer, "_packing", None) is not None:
        return False
    # Tensors have no masks that a call could look at, and their results no penalty.
    takes_mask = "mask" in inspect.signature(call).parameters
    return not takes_mask and getattr(layer, "activity_regularizer", None) is None


def composed_of(owner: Any, shape: Shape) -> tuple[Tensor, Tensor] | None:
    """Return the input of a call and its result, followed through its layers.

    None where the call does something else with its input, or other things in training than
    outside, or its layer has weights of its own.
    """
    start = Tensor(InputLayer(batch_shape=shape, name=f"{owner.name}_input"))
    try:
        end = _called(owner, start, True)
        other = _called(owner, start, False) if end is not None else None
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return None
    if end is None or other is None:
        return None
    if isinstance(end.layer, Operation):  # made by the call: outputs have the name of its layer
        end.layer.name = owner.name
    unlike = start in (end, other) or _kinds(start, end) != _kinds(start, other)
    same = end is other or not unlike
    return (start, end) if same else None


def with_parts(layers: list[Layer], shape: Shape) -> list[Layer]:
    """Return a stack for inputs of ``shape``, composed layers as what they are composed of."""
    stack: list[Layer] = []
    for layer in layers:
        ends = composed_of(layer, shape) if is_composed(layer) else None
        if ends is None:
            stack.append(layer)
            shape = layer.compute_output_shape(shape)
        elif ends[0] is not ends[1]:
            stack += blocks(nodes_between(*ends), repeats_names=True)
            shape = ends[1].sizes
    return stack


def _called(owner: Any, x: Tensor, trains: bool) -> Tensor | None:
    parameters = inspect.signature(owner.call).parameters
    options = {"training": Phase(trains)} if "training" in parameters else {}
    if isinstance(owner, Layer) and not owner.built and "build" in vars(type(owner)):
        owner.build(x.shape)
    unchanged = owner.unchanged() if isinstance(owner, Layer) else contextlib.nullcontext()
    within = _call_context.within(getattr(owner, "path", ""), {})
    with unchanged, within, _call_context.following():
        result = owner.call(x, **options)
    own = getattr(owner, "_loose_variables", list) if isinstance(owner, Layer) else list
    has_weights = isinstance(owner, Layer) and bool(owner._weights or own())
    return result if isinstance(result, Tensor) and not has_weights else None


def _kinds(start: Tensor, end: Tensor) -> list[str]:
    nodes: list[Node] = nodes_between(start, end)
    return [type(layer).__name__ for layer, _ in nodes if not isinstance(layer, OF_TRAINING)]
