"""What training steps can be recorded as graphs: those that are operations alone."""

from itertools import dropwhile
from types import NoneType
from typing import TYPE_CHECKING, Any

from pyconv import _spans, backend
from pyconv._registry import kind_of
from pyconv.activations import ActivationFunction
from pyconv.batches import Batch
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

# Layers that are operations alone; the others are computed by numpy, on the CPU or everywhere.
_EVERYWHERE = {
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ReLU,
    Softmax,
}
_ON_A_DEVICE = {Rescaling, ZeroPadding2D}
_ACTIVATIONS = {"linear", "relu", "softmax"}
_ACTIVATIONS_ON_A_DEVICE = {"sigmoid", "tanh"}


def can_be_recorded(model: "Trainable", batch: Batch, logits: bool) -> bool:
    """Return whether a step with such a batch can be a graph; ``logits``: the loss takes them."""
    assert batch.y is not None
    assert model.optimizer is not None
    return (
        hasattr(backend.active, "Graph")
        and batch.sample_weight is None
        and (backend.active is backend.cpu or not _spans.recorded())
        and not model._penalized
        and _follows_on_the_device(model.running_layers)
        and all(  # a step brings them there
            backend.is_here(weight) for layer in model.running_layers for weight in layer.weights
        )
        and model.objective.is_native(batch.y, len(model.output_shape), logits)
        and (backend.active is not backend.cpu or model.optimizer.loss_scale_factor is None)
    )


def _follows_on_the_device(layers: list[Any]) -> bool:
    """Whether all layers behind the first ones on the host can be recorded."""
    inner = [layer for layer in layers if not isinstance(layer, InputLayer)]
    rest = list(dropwhile(lambda layer: layer.on_host, inner))
    return bool(rest) and all(map(is_recordable, rest))


def is_recordable(layer: Any) -> bool:
    """Return whether all that a layer does in a step are operations."""
    kind = kind_of(layer)
    on_cpu = backend.active is backend.cpu
    if kind is Dropout:
        # A noise_shape's choices are drawn on the host.
        return layer.rate == 0 or layer.noise_shape is None
    if on_cpu and kind is ReLU and not layer.is_plain:
        return False
    if on_cpu and kind is Flatten and layer.data_format != "channels_last":
        return False
    activation = getattr(layer, "activation", None)
    if not isinstance(activation, (ActivationFunction, NoneType)):  # a layer
        return False
    if layer.mask_source is not None or getattr(layer, "renorm", False):
        return False
    return (kind in _EVERYWHERE or (not on_cpu and kind in _ON_A_DEVICE)) and (
        activation is None
        or activation.name in _ACTIVATIONS
        or (not on_cpu and activation.name in _ACTIVATIONS_ON_A_DEVICE)
    )
