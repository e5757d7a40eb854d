"""BatchNormalization and the ReLU that follows it, computed in one pass over memory."""

from typing import Any

from pyconv import activations
from pyconv._registry import kind_of
from pyconv._types import Array
from pyconv.layers._memory import Buffers
from pyconv.layers.activation import Activation
from pyconv.layers.batchnorm import BatchNormalization
from pyconv.layers.layer import Layer
from pyconv.layers.relu import ReLU


class NormRelu:
    """Two layers as one step of a model: what is normalized is never kept."""

    @staticmethod
    def joins(before: Any, layer: Any) -> bool:
        """Whether the two layers can be one step."""
        return takes_end(before) and (
            (kind_of(layer) is ReLU and layer.is_plain)
            or (kind_of(layer) is Activation and layer.activation is activations.relu)
        )

    def __init__(self, norm: BatchNormalization, relu: Layer) -> None:
        self.norm = norm
        self.relu = relu
        self._buffers = Buffers(norm.label)

    @property
    def name(self) -> str:
        """The names of both layers."""
        return f"{self.norm.name} + {self.relu.name}"

    @property
    def layers(self) -> list[Layer]:
        """Both layers."""
        return [self.norm, self.relu]

    @property
    def trainable(self) -> bool:
        """Whether training changes the normalization's weights."""
        return self.norm.trainable

    @property
    def learns(self) -> bool:
        """Whether ``backward`` is asked for gradients."""
        return self.norm.learns

    @property
    def params(self) -> list[Array]:
        """The normalization's weights."""
        return self.norm.params

    def forward(self, x: Array, training: bool) -> Array:
        """Return the positive part of the normalized batch."""
        return self.norm.forward(x, training, activation="relu")

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill the normalization's ``grads``; return the gradient of x where it is needed."""
        return self.norm.backward(dy, need_dx)


def takes_end(layer: Any) -> bool:
    """Whether a layer is a normalization that can add and rectify in its pass."""
    return (
        kind_of(layer) is BatchNormalization
        and layer.activity_regularizer is None
        and not layer.renorm
        and layer.mask_source is None
        and layer.knows_shape
        and layer.axis in (-1, len(layer.output_shape) - 1)
    )
