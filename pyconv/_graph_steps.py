"""Training steps as CUDA graphs: what a step asks of the device is recorded, and launched as one.

Forward, loss and backward of a shape are recorded at its second step, when all buffers are there;
the optimizer, whose numbers change from step to step, is asked as before. A model with dropout is
not recorded: its part of the random stream is another one at each step.
"""

from typing import TYPE_CHECKING, Any

from pyconv import backend
from pyconv._registry import kind_of
from pyconv._spans import recorded as spans_recorded
from pyconv.batches import Batch
from pyconv.layers import _memory
from pyconv.layers.activation import Activation
from pyconv.layers.avgpool2d import AveragePooling2D
from pyconv.layers.conv2d import Conv2D
from pyconv.layers.dense import Dense
from pyconv.layers.dropout import Dropout
from pyconv.layers.flatten import Flatten
from pyconv.layers.global_avgpool2d import GlobalAveragePooling2D
from pyconv.layers.maxpool2d import MaxPooling2D
from pyconv.layers.relu import ReLU
from pyconv.layers.softmax import Softmax
from pyconv.layers.zeropadding2d import ZeroPadding2D

if TYPE_CHECKING:
    from pyconv.trainable import Trainable

_SAME_AT_EACH_STEP = {
    Activation,
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ReLU,
    Softmax,
    ZeroPadding2D,
}
_ON_THE_DEVICE = {"linear", "relu", "sigmoid", "softmax", "tanh"}
_MOST = 8  # shapes of batches


class GraphSteps:
    """The graphs of one model."""

    def __init__(self) -> None:
        self._graphs: dict[tuple[Any, ...], Any] = {}

    def __reduce__(self) -> Any:
        # A graph works on the arrays of one model.
        return GraphSteps, ()

    def run(self, model: "Trainable", batch: Batch, logits: bool) -> bool:
        """Do what ``model._pass`` does, by a graph; False where that is left to the caller."""
        if not _can_be_recorded(model, batch, logits):
            return False
        key = _key(model, batch, logits)
        if key not in self._graphs:
            if len(self._graphs) >= _MOST:
                self._graphs.clear()
            self._graphs[key] = None  # all buffers are there after this step
            return False
        assert batch.y is not None
        measures = model.objective.measures
        measures.stage(batch.y)
        graph = self._graphs[key]
        if graph is None:
            graph = self._graphs[key] = _recorded(model, batch, logits)
        if graph is False:
            return False
        graph[0].launch()
        measures.take_again(graph[1])
        return True


def _can_be_recorded(model: "Trainable", batch: Batch, logits: bool) -> bool:
    assert batch.y is not None
    return (
        hasattr(backend.active, "Graph")
        and batch.sample_weight is None
        and not spans_recorded()
        and not model._penalized
        and all(map(_is_same_at_each_step, model.layers))
        and model.objective.is_native(batch.y, len(model.output_shape), logits)
    )


def _is_same_at_each_step(layer: Any) -> bool:
    kind = kind_of(layer)
    if kind is Dropout:
        return bool(layer.rate == 0)
    # The other activations are computed on the host.
    activation = getattr(layer, "activation", None)
    return kind in _SAME_AT_EACH_STEP and (activation is None or activation.name in _ON_THE_DEVICE)


def _key(model: "Trainable", batch: Batch, logits: bool) -> tuple[Any, ...]:
    """Return all that a recorded step depends on: shapes, and which arrays it works on."""
    assert batch.y is not None
    arrays: list[Any] = [batch.x, *model._params()]
    return (
        backend.generation,
        _memory.taken,
        id(model.objective),
        logits,
        batch.x.shape,
        batch.y.shape,
        batch.y.dtype,
        tuple(array.address for array in arrays),
        tuple(layer.trainable for layer in model.layers),
    )


def _recorded(model: "Trainable", batch: Batch, logits: bool) -> Any:
    """Return (graph, what is to be taken up after each launch); False where it cannot be made."""
    native: Any = backend.active
    graph = native.Graph()
    graph.begin()
    try:
        with model.objective.measures.recording() as numbers:
            model._pass(batch, logits)
        graph.end()
    except RuntimeError:
        # Something waited for the device, or copied to it.
        graph.abandon()
        return False
    return graph, numbers
