"""Low-rank adaptation: a kernel stays as it is, and two small matrices beside it are trained.

Source: Hu et al., "LoRA: low-rank adaptation of large language models" (2021).
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv import backend, initializers
from pyconv._args import float_arg, int_arg
from pyconv._derived import Derived, derive
from pyconv._types import Array, Shape

_A, _B = "lora_kernel_a", "lora_kernel_b"


class LowRank:
    """A layer of which ``enable_lora`` keeps the kernel and trains a change of low rank."""

    def _take_rank(self: Any, rank: Any, alpha: Any) -> None:
        """Take the arguments ``lora_rank`` and ``lora_alpha``."""
        self.lora_enabled = False
        self.lora_rank = None if rank is None else int_arg(self.label, "lora_rank", rank)
        self.lora_alpha = self.lora_rank
        if alpha is not None:
            float_arg(self.label, "lora_alpha", alpha)
            self.lora_alpha = alpha

    def _create_weights_once(self: Any, shape: Shape) -> None:
        super()._create_weights_once(shape)  # type: ignore[misc]
        if self.lora_rank is not None and not self.lora_enabled:
            # A file has the sum of both in the kernel.
            layer: Any = self
            given, layer._given_weights = layer._given_weights, None
            self._adapt("he_uniform", "zeros")
            layer._given_weights = given

    def _forget_weights(self: Any) -> None:
        super()._forget_weights()  # type: ignore[misc]
        self.lora_enabled = False

    def enable_lora(
        self: Any,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Keep the kernel, and train a product of two matrices that is added to it.

        From now on ``kernel`` is ``kernel + lora_alpha / rank * lora_kernel_a @ lora_kernel_b``,
        with ``lora_kernel_a`` of the kernel's shape with ``rank`` in the last axis, and
        ``lora_kernel_b`` ``(rank, filters or units)``. Files have the sum as the kernel. A model
        that has the layer is to be compiled anew.

        Args:
            rank: how many columns and rows the two matrices have.
            lora_alpha: a factor of their product, beside ``1 / rank``; None for ``rank``.
            a_initializer: first values of ``lora_kernel_a``.
            b_initializer: first values of ``lora_kernel_b``; with zeros nothing changes at first.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has a wrong value, the layer is not built, has a
                ``kernel_constraint``, or has been changed so already.

        Example:
            >>> import pyconv
            >>> layer = pyconv.layers.Dense(16)
            >>> layer.build((None, 8))
            >>> layer.enable_lora(2)
            >>> [weight.shape for weight in layer.trainable_weights]
            [(16,), (8, 2), (2, 16)]
        """
        if self.kernel_constraint is not None:
            raise ValueError(
                f"{self.label}: enable_lora: Lora is incompatible with kernel constraints; make "
                "the layer without kernel_constraint"
            )
        if not self.built:
            raise ValueError(
                f"{self.label}: Cannot enable lora on a layer that isn't yet built; call "
                "build(input_shape) first"
            )
        if self.lora_enabled:
            raise ValueError(
                f"{self.label}: lora is already enabled. This can only be done once per layer"
            )
        self._take_rank(rank, lora_alpha)
        self._adapt(a_initializer, b_initializer)

    def _adapt(self: Any, a_initializer: Any, b_initializer: Any) -> None:
        kernel = self._weights["kernel"]
        for name, shape, given in (
            (_A, (*kernel.shape[:-1], self.lora_rank), a_initializer),
            (_B, (self.lora_rank, kernel.shape[-1]), b_initializer),
        ):
            first = initializers.find(self.label, f"{name[-1]}_initializer", given)
            self._add_weight(name, shape, first, self.weight_regularizers.get("kernel"))
        self._untrained.add("kernel")
        self.weight_regularizers.pop("kernel", None)
        if hasattr(kernel, "trainable"):
            kernel.trainable = False
        self._grads.clear()
        self.lora_enabled = True
        derive(self, WithLora)

    def get_config(self: Any) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        if self.lora_rank is not None:
            config.update(lora_rank=self.lora_rank, lora_alpha=self.lora_alpha)
        return config


class WithLora(Derived):
    """A layer whose passes see the sum of both as its kernel."""

    _merged: dict[str, Any] | None = None

    @property
    def lora_kernel_a(self: Any) -> Array:
        """The first of the two matrices, of the kernel's shape with ``rank`` in the last axis."""
        return self._weights[_A]  # type: ignore[no-any-return]

    @property
    def lora_kernel_b(self: Any) -> Array:
        """The second of the two matrices, ``(rank, filters or units)``."""
        return self._weights[_B]  # type: ignore[no-any-return]

    @property
    def _kernel(self: Any) -> Array:
        return self._weights["kernel"]  # type: ignore[no-any-return]

    @property
    def kernel(self: Any) -> Array:
        """The kernel with the product added, in a new array."""
        if self._merged is not None:
            return self._weights["kernel"]  # type: ignore[no-any-return]
        return self._sum(backend.empty(self._kernel.shape, np.float32))  # type: ignore[no-any-return]

    def _sum(self: Any, out: Any) -> Any:
        rows = self.lora_kernel_a.reshape(-1, self.lora_rank)
        product = backend.active.dense_forward(
            rows, self.lora_kernel_b, None, "linear", out.reshape(len(rows), -1)
        )
        product *= np.float32(self.lora_alpha / self.lora_rank)
        product += self._kernel.reshape(product.shape)
        return out

    @contextlib.contextmanager
    def _as_plain(self: Any, kernel: Any, grad: Any) -> Iterator[None]:
        """Within, the layer has the weights and gradients of one without the two matrices."""
        grads = self.grads
        own = self._weights, self._untrained, self._grads
        bias = [n for n in self._weights if n not in ("kernel", _A, _B)]
        self._merged = {"kernel": kernel, **{name: self._weights[name] for name in bias}}
        self._weights, self._untrained = self._merged, set()
        self._grads = [grad, *grads[: len(bias)]]
        try:
            yield
        finally:
            self._weights, self._untrained, self._grads = own
            self._merged = None

    def forward(self: Any, x: Array, training: bool, **options: Any) -> Array:
        """Return the layer's result."""
        shape = self._kernel.shape
        kernel = self._sum(self._buffer("kernel with lora", shape))
        with self._as_plain(kernel, self._buffer("d kernel with lora", shape)):
            return super().forward(x, training, **options)  # type: ignore[misc,no-any-return]

    def backward(self: Any, dy: Array, need_dx: bool, **options: Any) -> Array | None:
        """Fill ``grads``; return the gradient of x where it is needed."""
        shape = self._kernel.shape
        grad = self._buffer("d kernel with lora", shape)
        with self._as_plain(self._buffer("kernel with lora", shape), grad):
            dx: Array | None = super().backward(dy, need_dx, **options)  # type: ignore[misc]
        if self.trainable:
            self._divide(grad)
        return dx

    def _divide(self: Any, grad: Any) -> None:
        """Give the two matrices their shares of the gradient of the sum."""
        *_, da, db = self.grads
        a = self.lora_kernel_a.reshape(-1, self.lora_rank)
        grad = grad.reshape(len(a), -1)
        grad *= np.float32(self.lora_alpha / self.lora_rank)
        backend.active.dense_backward_input(grad, self.lora_kernel_b, da.reshape(a.shape))
        backend.active.dense_backward_weights(a, grad, db)

    @property
    def named_weights(self: Any) -> dict[str, Array]:
        """All weights by name: the kernel stays first, as in Keras."""
        return dict(self._weights)

    @property
    def weights_of_files(self: Any) -> dict[str, Array]:
        """The weights as files have them: the sum is the kernel."""
        kept = {n: w for n, w in self._weights.items() if n not in (_A, _B)}
        return {**kept, "kernel": self.kernel}

    def pairs_of_files(self: Any, values: list[Any]) -> list[tuple[Any, Any]]:
        """Return (the layer's array, its new values) for those of a file.

        The product is then zero; of the two matrices one is kept, so that they go on learning.
        """
        kept = [w for n, w in self._weights.items() if n not in (_A, _B)]
        b = self.lora_kernel_b
        return [*zip(kept, values, strict=True), (b, np.zeros(b.shape, np.float32))]
