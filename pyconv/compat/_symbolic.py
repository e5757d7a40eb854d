"""Tensors of functional models computed for given arrays, and gradients that are tensors too."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from pyconv._types import Shape
from pyconv.compat._autodiff import unwrapped
from pyconv.compat._eager import eager
from pyconv.compat._functional import network
from pyconv.compat._gradient_tape import NO_SECOND, GradientTape, second_order
from pyconv.compat._graph_updates import Step
from pyconv.compat._operation import Operation
from pyconv.compat._tensor import Tensor, tensor_of
from pyconv.layers._merge import Merge

_training: ContextVar[bool] = ContextVar("training", default=False)


def computed(starts: Sequence[Tensor], values: Sequence[Any], ends: Sequence[Tensor]) -> list[Any]:
    """Return what tensors are for the values of others.

    Raises:
        ValueError: one depends on an input that is not given.
    """
    known: dict[Tensor, Any] = dict(zip(starts, values, strict=True))
    for tensor in network(list(starts), list(ends)):
        if tensor in known:
            continue
        layer: Any = tensor.layer
        taken = [known[source] for source in tensor.inputs]
        if isinstance(layer, Operation):
            known[tensor] = layer.function(taken)
        else:
            given = taken if isinstance(layer, Merge) or len(taken) > 1 else taken[0]
            known[tensor] = layer(given, training=_training.get())
    return [known[end] for end in ends]


def run(
    inputs: Sequence[Any],
    outputs: Sequence[Tensor],
    values: Sequence[Any],
    steps: Sequence[Step] = (),
) -> list[Any]:
    """Return the tensors' values as arrays, and make steps after that.

    An input that is no tensor is the learning phase.
    """
    pairs = list(zip(inputs, values, strict=False))
    starts = [one for one, _ in pairs if isinstance(one, Tensor)]
    arrays = [eager(np.asarray(x, np.float32)) for one, x in pairs if isinstance(one, Tensor)]
    phases = [bool(x) for one, x in pairs if not isinstance(one, Tensor)]
    token = _training.set(any(phases))
    try:
        if steps:
            results = _with_steps(starts, arrays, outputs, steps)
        else:
            results = computed(starts, arrays, outputs)
    finally:
        _training.reset(token)
    return [np.asarray(unwrapped(result)) for result in results]


def _with_steps(
    starts: Sequence[Tensor], values: Sequence[Any], ends: Sequence[Tensor], steps: Sequence[Step]
) -> list[Any]:
    with GradientTape() as tape:
        found = computed(starts, values, [*ends, *(step.loss for step in steps)])
    losses = found[len(ends) :]
    grads = [step.gradients(tape, loss) for step, loss in zip(steps, losses, strict=True)]
    for step, gradients_of_step in zip(steps, grads, strict=True):
        step.optimizer.apply(gradients_of_step, step.params)
    return found[: len(ends)]


class _Gradient(Operation):
    """The gradient of a tensor by another one, from the inputs that both are made of."""

    has_no_gradient = True

    def __init__(self, target: Tensor, source: Tensor, roots: list[Tensor]) -> None:
        super().__init__(self._found)
        self._target, self._source, self._roots = target, source, roots

    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        return self._source.sizes

    def _found(self, xs: list[Any]) -> Any:
        arrays = [eager(np.array(unwrapped(x), np.float32)) for x in xs]
        if self._source in self._roots:
            at = arrays[self._roots.index(self._source)]
        else:
            at = computed(self._roots, arrays, [self._source])[0]
            at = eager(np.array(unwrapped(at), np.float32))
        needed = roots_of(self._target, [self._source])
        starts = [*(root for root in needed if root is not self._source), self._source]
        values = [at if one is self._source else arrays[self._roots.index(one)] for one in starts]
        with GradientTape() as tape:
            tape.watch(at)
            target = computed(starts, values, [self._target])[0]
        return second_order(tape.gradient(target, at, unconnected_gradients="zero"))


def roots_of(tensor: Tensor, stops: Sequence[Tensor] = ()) -> list[Tensor]:
    """Return the inputs that a tensor is made of, without what ``stops`` are made of."""
    found: list[Tensor] = []
    seen: set[Tensor] = set()
    waiting = [tensor]
    while waiting:
        one = waiting.pop()
        if one in seen or one in stops:
            continue
        seen.add(one)
        waiting += reversed(one.inputs)
        if not one.inputs:
            found.append(one)
    return found


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Return the gradients of a tensor by others; see ``keras.backend``."""
    sources = variables if isinstance(variables, (list, tuple)) else [variables]
    if isinstance(loss, np.ndarray | np.generic) and any(isinstance(x, Tensor) for x in sources):
        raise NotImplementedError(f"gradients within a loss: {NO_SECOND}")
    targets = [_tensor(one) for one in (loss if isinstance(loss, (list, tuple)) else [loss])]
    target = targets[0]
    for other in targets[1:]:
        target = target + other
    made = []
    for source in map(_tensor, sources):
        roots = list(dict.fromkeys([*roots_of(target), *roots_of(source)]))
        layer = _Gradient(target, source, roots)
        shapes: Any = [root.sizes for root in roots]
        layer.build(shapes)
        made.append(Tensor(layer, roots))
    return made


def _tensor(given: Any) -> Tensor:
    if not isinstance(given, Tensor) and not hasattr(given, "batch_shape"):
        raise TypeError(
            "gradients: wants tensors that layers gave, got a "
            f"{type(given).__name__}; tf.GradientTape has gradients by weights and of arrays"
        )
    return tensor_of(given)
