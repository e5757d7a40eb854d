"""Conv2D and the MaxPooling2D that follows it, computed in one pass over memory."""

from typing import Any

from pyconv import activations, backend
from pyconv._registry import kind_of
from pyconv._types import Array
from pyconv.layers._memory import Buffers
from pyconv.layers.conv2d import Conv2D
from pyconv.layers.layer import Layer
from pyconv.layers.maxpool2d import MaxPooling2D


class ConvPool:
    """Two layers as one step of a model: the maps between them are never kept.

    A maximum that ReLU has let through is the same before and after it, so that ReLU's gradient
    and the bias's are taken from the pooled maps.
    """

    @staticmethod
    def joins(before: Any, layer: Any) -> bool:
        """Whether the two layers can be one step."""
        return (
            kind_of(layer) is MaxPooling2D
            and kind_of(before) is Conv2D
            and before.activation in (activations.linear, activations.relu)
            and before.activity_regularizer is None
        )

    def __init__(self, conv: Conv2D, pool: MaxPooling2D) -> None:
        self.conv = conv
        self.pool = pool
        self._buffers = Buffers(conv.label)
        self._x: Array | None = None
        self._winners: Array | None = None
        self._y: Array | None = None

    @property
    def name(self) -> str:
        """The names of both layers."""
        return f"{self.conv.name} + {self.pool.name}"

    @property
    def layers(self) -> list[Layer]:
        """Both layers."""
        return [self.conv, self.pool]

    @property
    def trainable(self) -> bool:
        """Whether training changes the convolution's weights."""
        return self.conv.trainable

    @property
    def learns(self) -> bool:
        """Whether ``backward`` is asked for gradients."""
        return self.conv.learns

    @property
    def params(self) -> list[Array]:
        """The convolution's weights."""
        return self.conv.params

    def forward(self, x: Array, training: bool) -> Array:
        """Return the pooled maps (N, PH, PW, filters)."""
        conv, pool = self.conv, self.pool
        n, h, w, _ = x.shape
        pads, oh, ow = conv.windows.fit(h, w)
        pool_pads, ph, pw = pool.windows.fit(oh, ow)
        shape = (n, ph, pw, conv.filters)
        self._x = x
        self._winners = self._buffers.get("winners", shape) if training else None
        self._y = backend.active.conv2d_maxpool2d_forward(
            x,
            conv.kernel,
            conv.bias,
            conv.strides,
            pads,
            conv.dilation_rate,
            conv.groups,
            conv.activation.name,
            pool.pool_size,
            pool.strides,
            pool_pads,
            self._buffers.get("y", shape),
            self._winners,
        )
        return self._y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill the convolution's ``grads``; return the gradient of x where it is needed."""
        conv, pool = self.conv, self.pool
        assert self._x is not None
        if self._winners is None:
            # After an inference, as for a gradient of the input: its pass keeps no winners.
            self.forward(self._x, True)
        assert self._y is not None
        assert self._winners is not None
        _, h, w, _ = self._x.shape
        pads, oh, ow = conv.windows.fit(h, w)
        pool_pads, _, _ = pool.windows.fit(oh, ow)
        dx = self._buffers.get("dx", self._x.shape) if need_dx else None
        dw, db = (*conv.grads, None)[:2] if conv.trainable else (None, None)
        if dx is None and dw is None:
            return None
        backend.active.conv2d_maxpool2d_backward(
            self._x,
            conv.kernel,
            self._y,
            self._winners,
            dy,
            conv.strides,
            pads,
            conv.dilation_rate,
            conv.groups,
            conv.activation.name,
            pool.pool_size,
            pool.strides,
            pool_pads,
            dx,
            dw,
            db,
        )
        return dx
