"""What Conv2D and Dense share: a kernel, a bias and an activation."""

from typing import Any

from pyconv import activations, initializers
from pyconv._types import Array
from pyconv.layers._arguments import refuse
from pyconv.layers.layer import Layer


class KernelLayer(Layer):
    """A layer activation(product of x and kernel + bias)."""

    def __init__(
        self,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        bias_initializer: Any,
        unsupported: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse(self.label, unsupported)
        self.activation = activations.find(self.label, activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.find(
            self.label, "kernel_initializer", kernel_initializer
        )
        self.bias_initializer = initializers.find(self.label, "bias_initializer", bias_initializer)
        # ReLU is applied by the kernel while the result is still in registers.
        self._fused = "relu" if self.activation is activations.relu else "linear"
        self._y: Array | None = None

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
        return self.activation is activations.softmax

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "activation": self.activation.name,
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }

    def _add_kernel_and_bias(self, shape: tuple[int, ...]) -> None:
        self._add_weight("kernel", shape, self.kernel_initializer)
        if self.use_bias:
            self._add_weight("bias", shape[-1:], self.bias_initializer)

    def _activate(self, y: Array) -> Array:
        """Apply, in place, an activation that the kernel did not."""
        if self._fused == "linear":
            self.activation.forward(y, y)
        self._y = y
        return y

    def _activation_gradient(self, dy: Array) -> Array:
        """Return the gradient of the product from that of the result, in place."""
        assert self._y is not None
        return self.activation.backward(self._y, dy, dy)
