"""Layers and models called on arrays that remember how they were computed."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._convert import float32_array
from pyconv._types import Array
from pyconv.compat._autodiff import Node, Taped, made, unwrapped
from pyconv.layers._container import penalized_steps
from pyconv.layers._penalties import penalized

_open: list["Recording"] = []


class Recording:
    """What parameters were used while it was open, each with its node."""

    def __init__(self) -> None:
        self.parameters: dict[int, tuple[Any, Node]] = {}

    def node(self, parameter: Any) -> Node:
        """Return the node of a parameter, an array of a layer's own."""
        # One for all that are open: each may be asked for the gradient.
        recordings = [self, *_open]
        found = (one.parameters.get(id(parameter)) for one in recordings)
        known = next((one for one in found if one is not None), None)
        known = known or (parameter, Node(parameter.shape))
        for one in recordings:
            one.parameters[id(parameter)] = known
        return known[1]

    def watched(self, parameter: Any) -> Taped:
        """Return the parameter as an array by which gradients can be taken."""
        array = np.asarray(parameter).view(Taped)
        array.node = self.node(parameter)
        array.source = parameter
        return array

    @contextlib.contextmanager
    def opened(self) -> Iterator["Recording"]:
        """Within, calls are recorded here."""
        _open.append(self)
        try:
            yield self
        finally:
            _open.remove(self)


# Steps that optimizers made with a parameter, while there were calls that may go back.
_steps: dict[int, int] = {}
_made_calls = False


def weights_changed(parameters: Sequence[Any]) -> None:
    """Note that an optimizer has made a step with these."""
    if _made_calls:
        for parameter in parameters:
            _steps[id(parameter)] = _steps.get(id(parameter), 0) + 1


def _steps_of(parameters: Sequence[Any]) -> list[int]:
    global _made_calls
    _made_calls = True
    return [_steps.get(id(parameter), 0) for parameter in parameters]


def is_open() -> bool:
    """Whether calls are recorded."""
    return bool(_open)


def watched_parameters(parameters: Sequence[Any]) -> list[Any]:
    """Return parameters, while calls are recorded, as arrays by which gradients can be taken."""
    return [w if isinstance(w, Taped) else _open[-1].watched(w) for w in parameters]


def innermost() -> "Recording | None":
    """Return the tape that was opened last, None where none is open."""
    return _open[-1] if _open else None


def is_recorded(x: Any) -> bool:
    """Whether a call on ``x`` is to be recorded."""
    return bool(_open) or (isinstance(x, Taped) and x.node is not None)


class Call:
    """A call of a model or a layer: its steps go forward, and back once for all gradients.

    Args:
        owner: the model or the layer; a call before its last one goes forward again to go back.
        steps: its layers in order, or what does the work of several.
        layers: its layers.
        x: the input.
        training: whether it is a call in training.
    """

    def __init__(
        self, owner: Any, steps: Sequence[Any], layers: Sequence[Any], x: Any, training: bool
    ) -> None:
        self._owner, self._steps, self._layers = owner, steps, layers
        self._needs_dx = isinstance(x, Taped) and x.node is not None
        self._dx: Any = None
        self._grads: dict[int, Array] = {}
        self._dy: Any = None  # of what the gradients are
        self._training = training
        self._x = backend.on_device(float32_array(owner.label, "x", unwrapped(x)))
        self._leaves = [leaf for la in getattr(owner, "_layers", [owner]) for leaf in la.leaves()]
        self._states = [leaf.get_state() for leaf in self._leaves]
        values = self._forward()
        self._params = [w for la in layers if la.trainable for w in la.params]
        self._steps_made = _steps_of(self._params)
        recording = _open[-1] if _open else Recording()
        sources: list[Any] = [(x, self._input_gradient)] if self._needs_dx else []
        sources += [(recording.watched(w), self._gradient_of(w)) for w in self._params]
        for penalty in penalized_steps(list(steps)):
            penalty.scale = 0.0  # unless the loss has it
        self.result: Taped = made(np.array(values), sources)

    def _forward(self) -> Any:
        self._owner._last_call = self
        values = self._x
        for step in self._steps:
            values = step.forward(values, self._training)
        return values

    def _forward_again(self) -> None:
        """Go forward as the first time: other calls have used the layers' buffers since."""
        if self._steps_made != _steps_of(self._params):
            raise RuntimeError(
                f"{self._owner.label}: it was called again before the gradient of this call was "
                "taken, and weights were changed; take the gradient first"
            )
        now = [leaf.get_state() for leaf in self._leaves]
        kept = [(w, np.array(w)) for leaf in self._leaves for w in leaf.non_trainable_weights]
        for leaf, state in zip(self._leaves, self._states, strict=True):
            leaf.set_state(state)
        try:
            self._forward()
        finally:
            for leaf, state in zip(self._leaves, now, strict=True):
                leaf.set_state(state)
            for weight, values in kept:
                weight[...] = values

    def penalties(self) -> list[Any]:
        """Return what regularizers add to the loss, a number a step that has some."""
        return [
            made(np.float32(step.penalty()), [(self.result, self._scale_of(step))])
            for step in penalized_steps(list(self._steps))
        ]

    def _scale_of(self, step: Any) -> Any:
        def pull(dy: Any) -> Any:
            step.scale = float(dy)
            return np.zeros(self.result.shape, np.float32)

        return pull

    def _input_gradient(self, dy: Any) -> Any:
        self._go_back(dy)
        return self._dx

    def _gradient_of(self, parameter: Any) -> Any:
        def pull(dy: Any) -> Any:
            self._go_back(dy)
            return self._grads[id(parameter)]

        return pull

    def _go_back(self, dy: Any) -> None:
        if self._dy is not None and np.array_equal(self._dy, dy):
            return
        if self._dy is not None or self._owner._last_call is not self:
            self._forward_again()
        self._dy = np.array(dy)
        grad: Any = backend.on_device(np.array(dy, np.float32))
        first = 0
        if not self._needs_dx:
            trains = (i for i, step in enumerate(self._steps) if step.learns)
            first = next(trains, len(self._steps))
        for i in range(len(self._steps) - 1, first - 1, -1):
            grad = self._steps[i].backward(grad, i > first or self._needs_dx)
        self._dx = None if grad is None else np.array(grad)
        for layer in self._layers:
            if layer.trainable and layer.params:
                pairs = zip(layer.params, layer.update_grads, strict=True)
                self._grads.update((id(w), np.array(g)) for w, g in pairs)


def model_call(model: Any, x: Any, training: bool) -> Any:
    """Return a model's output for a batch, with its history."""
    batch = float32_array(model.label, "x", unwrapped(x))
    model._ensure_built(batch.shape[1:])
    layers = model._layers
    # Outside of training, layers that work together keep too little for gradients.
    steps = model._steps() if training else penalized(layers)
    for layer in layers:
        layer.move()
    return Call(model, steps, model._trained(), x, training).result


def layer_call(layer: Any, x: Any, training: bool) -> Any:
    """Return a layer's result for a batch, with its history."""
    if not layer.knows_shape:
        layer.build((None, *np.shape(x)[1:]))
    layer.move()
    return Call(layer, penalized([layer]), [layer], x, training).result


def merge_call(layer: Any, xs: Sequence[Any], training: bool) -> Any:
    """Return the result of a layer of several inputs, with its history."""
    if not layer.knows_shape:
        layer.build([(None, *np.shape(x)[1:]) for x in xs])
    values = [backend.on_device(float32_array(layer.label, "x", unwrapped(x))) for x in xs]
    y = np.array(layer.forward(values, training))
    found: dict[bytes, list[Any]] = {}

    def pull_of(i: int) -> Any:
        def pull(dy: Any) -> Any:
            key = np.asarray(dy).tobytes()
            if key not in found:
                layer.forward(values, training)
                found.clear()
                found[key] = layer.backward(backend.on_device(np.array(dy, np.float32)), True)
            return np.array(found[key][i])

        return pull

    return made(y, [(x, pull_of(i)) for i, x in enumerate(xs)])
