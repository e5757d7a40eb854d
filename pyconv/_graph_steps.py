"""Training steps as CUDA graphs: what a step asks of the device is recorded, and launched as one.

Forward, loss and backward of a shape are recorded at its second step, when all buffers are there;
the optimizer, whose numbers change from step to step, is asked as before. What else changes, the
labels and where dropout is in its random stream, is written to the device before each launch.
First layers that work on the host, such as those that change images at random, are no part of it.
"""

from itertools import dropwhile
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv import _devices, backend
from pyconv._registry import kind_of
from pyconv._spans import recorded as spans_recorded
from pyconv.batches import Batch
from pyconv.layers import _memory
from pyconv.layers.activation import Activation
from pyconv.layers.avgpool2d import AveragePooling2D
from pyconv.layers.batchnorm import BatchNormalization
from pyconv.layers.conv2d import Conv2D
from pyconv.layers.dense import Dense
from pyconv.layers.dropout import Dropout
from pyconv.layers.flatten import Flatten
from pyconv.layers.global_avgpool2d import GlobalAveragePooling2D
from pyconv.layers.input import InputLayer
from pyconv.layers.maxpool2d import MaxPooling2D
from pyconv.layers.relu import ReLU
from pyconv.layers.rescaling import Rescaling
from pyconv.layers.softmax import Softmax
from pyconv.layers.zeropadding import ZeroPadding2D

if TYPE_CHECKING:
    from pyconv.trainable import Trainable

_ON_THE_DEVICE = {
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ReLU,
    Rescaling,
    Softmax,
    ZeroPadding2D,
}
_ACTIVATIONS = {"linear", "relu", "sigmoid", "softmax", "tanh"}
_NOT_RECORDED = object()
_MOST = 8  # shapes of batches


class GraphSteps:
    """The graphs of one model."""

    def __init__(self) -> None:
        self._steps: dict[tuple[Any, ...], Any] = {}
        self._arrays = (0, 0)  # that the steps were recorded with

    def __reduce__(self) -> Any:
        # A graph works on the arrays of one model.
        return GraphSteps, ()

    def run(self, model: "Trainable", batch: Batch, logits: bool) -> bool:
        """Do what ``model._pass`` does, by a graph; False where that is left to the caller."""
        if not _can_be_recorded(model, batch, logits):
            return False
        arrays = (backend.generation, _memory.outgrown)
        if arrays != self._arrays:
            self._steps.clear()
            self._arrays = arrays
        key = _key(model, batch, logits)
        if key not in self._steps:
            if len(self._steps) >= _MOST:
                self._steps.clear()
            self._steps[key] = None  # all buffers are there after this step
            return False
        assert batch.y is not None
        model.objective.measures.stage(batch.y, len(model.output_shape))
        if self._steps[key] is None:
            self._steps[key] = _recorded(model, batch, logits)
        step = self._steps[key]
        if step is _NOT_RECORDED:
            return False
        step.launch(model)
        return True


class _Step:
    """A recorded step, and what each launch of it has to write before and to take up after."""

    def __init__(self, model: "Trainable", batch: Batch, logits: bool) -> None:
        """Record the step; RuntimeError where it waits for the device, or copies to it."""
        native: Any = backend.active
        self._graph = native.Graph()
        self._dropouts = [layer for layer in model.layers if _drops(layer)]
        self._places = native.empty((len(self._dropouts),), np.int64)
        before = [layer.get_state() for layer in self._dropouts]
        for i, layer in enumerate(self._dropouts):
            layer.place = self._places[i : i + 1]
        try:
            self._graph.begin()
            with model.objective.measures.recording() as self._numbers:
                model._pass(batch, logits)
            self._graph.end()
        except RuntimeError:
            self._graph.abandon()
            raise
        finally:
            # How much of its stream each took; nothing has been dropped yet.
            self._drawn = []
            for layer, state in zip(self._dropouts, before, strict=True):
                self._drawn.append(layer.get_state()["next"] - state["next"])
                layer.place = None
                layer.set_state(state)

    def launch(self, model: "Trainable") -> None:
        """Run the step on what the arrays hold now."""
        if self._dropouts:
            drawn = zip(self._dropouts, self._drawn, strict=True)
            places = [layer.advance(count) for layer, count in drawn]
            self._places.take(np.array(places, np.uint64).view(np.int64))
        self._graph.launch()
        model.objective.measures.take_again(self._numbers)


def _recorded(model: "Trainable", batch: Batch, logits: bool) -> Any:
    try:
        return _Step(model, batch, logits)
    except RuntimeError:
        return _NOT_RECORDED


def _can_be_recorded(model: "Trainable", batch: Batch, logits: bool) -> bool:
    assert batch.y is not None
    return (
        hasattr(backend.active, "Graph")
        and batch.sample_weight is None
        and not spans_recorded()
        and not model._penalized
        and _follows_on_the_device(model.layers)
        and all(map(backend.is_here, _weights(model)))  # a step brings them there
        and model.objective.is_native(batch.y, len(model.output_shape), logits)
    )


def _follows_on_the_device(layers: list[Any]) -> bool:
    """Whether all layers behind the first ones on the host can be recorded."""
    inner = [layer for layer in layers if not isinstance(layer, InputLayer)]
    rest = list(dropwhile(lambda layer: layer.on_host, inner))
    return bool(rest) and all(map(_is_on_the_device, rest))


def _is_on_the_device(layer: Any) -> bool:
    kind = kind_of(layer)
    if kind is Dropout:
        # A noise_shape's choices are drawn on the host.
        return layer.rate == 0 or layer.noise_shape is None
    # The other activations are computed on the host.
    activation = getattr(layer, "activation", None)
    if layer.mask_source is not None or getattr(layer, "renorm", False):
        return False
    return kind in _ON_THE_DEVICE and (activation is None or activation.name in _ACTIVATIONS)


def _weights(model: "Trainable") -> list[Any]:
    return [weight for layer in model.layers for weight in layer.weights]


def _drops(layer: Any) -> bool:
    return kind_of(layer) is Dropout and layer.rate != 0


def _key(model: "Trainable", batch: Batch, logits: bool) -> tuple[Any, ...]:
    """Return all that a recorded step depends on: shapes, numbers, and which arrays it works on."""
    assert batch.y is not None
    arrays: list[Any] = [batch.x, *_weights(model)]
    return (
        _devices.get_float32_precision(),
        model.objective,
        logits,
        batch.x.shape,
        batch.y.shape,
        batch.y.dtype,
        tuple(array.address for array in arrays),
        tuple(_numbers_of(layer) for layer in model.layers),
        None if model.optimizer is None else model.optimizer.loss_scale_factor,
    )


def _numbers_of(layer: Any) -> tuple[Any, ...]:
    stream = layer.get_state()["stream"] if _drops(layer) else None
    activation, rate = getattr(layer, "activation", None), getattr(layer, "rate", None)
    return layer, layer.trainable, activation, rate, stream
