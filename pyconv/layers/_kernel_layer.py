"""What Conv2D and Dense share: a kernel, a bias and an activation."""

from typing import TYPE_CHECKING, Any

from pyconv import activations, constraints, initializers, regularizers
from pyconv._args import bool_arg
from pyconv._types import Array
from pyconv.activations.of_layer import OfLayer
from pyconv.layers.layer import Layer

if TYPE_CHECKING:
    from pyconv.activations import ActivationFunction


class KernelLayer(Layer):
    """A layer activation(product of x and kernel + bias)."""

    def __init__(
        self,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        bias_initializer: Any,
        kept: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = activation
        self.use_bias = bool_arg(self.label, "use_bias", use_bias)
        self.kernel_initializer = initializers.find(
            self.label, "kernel_initializer", kernel_initializer
        )
        self.bias_initializer = initializers.find(self.label, "bias_initializer", bias_initializer)
        # {"kernel_regularizer": ...} and so on, for each weight.
        self._kept = {
            name: (regularizers if name.endswith("regularizer") else constraints).find(
                self.label, name, given
            )
            for name, given in kept.items()
        }
        vars(self).update(self._kept)
        self._y: Array | None = None

    @property
    def activation(self) -> Any:
        """The activation: a function, or the layer that was given as one.

        None, a name and functions of one's own may be set.
        """
        found = vars(self)["activation"]
        return found.layer if isinstance(found, OfLayer) else found

    @activation.setter
    def activation(self, value: Any) -> None:
        found = vars(self)["activation"] = activations.find(self.label, value)
        # ReLU is applied by the kernel while the result is still in registers.
        self._fused = "relu" if found is activations.relu else "linear"

    @property
    def kernel(self) -> Array:
        """The kernel; AttributeError before the layer is built."""
        if "kernel" not in self._weights:
            raise AttributeError(f"{self.label}: the kernel exists once the layer is built")
        return self._weights["kernel"]

    @property
    def bias(self) -> Array | None:
        """The bias, or None where the layer has none or is not built."""
        return self._weights.get("bias")

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the activation is a softmax."""
        return self.activation is activations.softmax and self.activity_regularizer is None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            **{
                name: (regularizers if name.endswith("regularizer") else constraints).serialize(
                    value
                )
                for name, value in self._kept.items()
            },
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
        }

    def _add_kernel_and_bias(self, shape: tuple[int, ...]) -> None:
        self._add_kept("kernel", shape, self.kernel_initializer)
        if self.use_bias:
            self._add_kept("bias", shape[-1:], self.bias_initializer)

    def _add_kept(
        self, name: str, shape: tuple[int, ...], initializer: Any, kind: str | None = None
    ) -> None:
        """Add a weight with the regularizer and the constraint of its ``kind``."""
        kept, kind = self._kept, kind or name
        self._add_weight(
            name,
            shape,
            initializer,
            kept.get(f"{kind}_regularizer"),
            kept.get(f"{kind}_constraint"),
        )

    def _activate(self, y: Array) -> Array:
        """Apply an activation that the kernel did not, in place where y is not needed again."""
        self._y = y
        if self._fused == "relu":
            return y
        activation: ActivationFunction = vars(self)["activation"]
        if activation.uses_input:
            return activation.forward(y, self._buffer("activated", y.shape))
        return activation.forward(y, y)

    def _activation_gradient(self, dy: Array) -> Array:
        """Return the gradient of the product from that of the result, in place."""
        assert self._y is not None
        activation: ActivationFunction = vars(self)["activation"]
        return activation.backward(self._y, dy, dy)
