"""The base of all layers: names, weights, buffers and configuration."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from pyconv import backend, regularizers
from pyconv._args import bool_arg, shown
from pyconv._convert import float32_array
from pyconv._names import auto_name, check_name
from pyconv._types import Array, Shape
from pyconv.layers._arguments import (
    check_data_format,
    check_dtype,
    declared_shape,
    unknown_arguments,
)
from pyconv.layers._building import Building
from pyconv.layers._memory import Buffers


class SeveralResultsError(TypeError):
    """The ``call`` of a layer of one's own gives more than one array."""


class Layer(Building):
    """A step of a network: an array in, an array out, and the gradient back.

    A new layer implements ``forward(x, training)`` and ``backward(dy, need_dx)``, and
    ``compute_output_shape`` where the result has another shape than its input. It makes its
    weights in ``build(input_shape)`` by ``add_weight``. As in Keras it may implement
    ``call(x)`` in place of ``forward``; there is no automatic differentiation, so that only a
    layer with ``backward`` can be trained, or stand behind one that is.

    Args:
        trainable: False keeps the weights as they are in training.
        dtype: None or ``"float32"``, the type of every layer.
        name: unique in its model; by default the class in snake case, counted: ``conv2d``,
            ``conv2d_1``.
        input_shape: the shape of one sample, without the batch; on the first layer of a model
            it stands for an ``Input``.
        input_dim: ``input_shape=(input_dim,)``.
        activity_regularizer: a penalty on the result, divided by the size of the batch and added
            to the loss.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or is not known.

    Example:
        >>> import numpy as np, pyconv
        >>> class Negate(pyconv.layers.Layer):
        ...     def compute_output_shape(self, input_shape):
        ...         return input_shape
        ...     def forward(self, x, training):
        ...         return -x
        ...     def backward(self, dy, need_dx):
        ...         return -dy if need_dx else None
        >>> Negate()(np.ones((1, 2)))
        array([[-1., -1.]], dtype=float32)
        >>> class Scale(pyconv.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
        ...     def forward(self, x, training):
        ...         self.x = x
        ...         return x * self.factor
        ...     def backward(self, dy, need_dx):
        ...         self.grads[0][...] = (dy * self.x).sum(axis=0)
        ...         return dy * self.factor if need_dx else None
        >>> model = pyconv.Sequential([pyconv.Input((2,)), Scale()])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((4, 2)), np.zeros((4, 2)), verbose=0)
        >>> model.get_weights()[0]
        array([0.99, 0.99], dtype=float32)
    """

    # Whether ``forward`` works on the host, wherever operations run: it returns numpy's arrays for
    # numpy's, so that a model brings to a device what such layers at its beginning make.
    on_host = False
    dtype: Any = "float32"
    # Which steps of the input count, for the layers that ask: of a call, or what a ``Masking``
    # before the layer in its model finds.
    mask: Any = None
    mask_source: Any = None
    # The layer of which it is another use in a network, whose weights it works with.
    use_of: Any = None
    # Of the gradients of what the layer itself adds to the loss, as the loss's are scaled.
    penalty_scale = 1.0
    # Whether a model has it for itself, to bring inputs or outputs into one array.
    is_within = False

    def __init__(
        self,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        self.declared_shape = declared_shape(owner, kwargs)
        if kwargs:
            raise unknown_arguments(type(self), kwargs)
        check_dtype(owner, dtype)
        super().__init__(
            auto_name(owner) if name is None else check_name(owner, name),
            bool_arg(owner, "trainable", trainable),
        )
        self._input_shape = self._output_shape = None
        self.activity_regularizer = regularizers.find(
            self.label, "activity_regularizer", activity_regularizer
        )
        self._building = False
        self._call_takes: list[str] | None = None
        self._buffers = Buffers(self.label)

    # --- what a kind of layer implements --------------------------------------------------

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape that an input of ``input_shape`` gives, the batch first.

        By default ``input_shape``, and that of what ``call`` returns where a layer has it.

        Raises:
            ValueError: the layer does not take such an input.
        """
        call: Any = own_call(type(self))
        if call is None:
            return tuple(input_shape)
        sizes = tuple(1 if n is None else n for n in input_shape)
        with self.unchanged():
            result = call(self, np.zeros(sizes, np.float32))
        shape: Shape = np.shape(one_result(self, result))
        if not shape:
            raise TypeError(
                f"{self.label}: call must return an array (N, ...), got {shown(result)}"
            )
        return (input_shape[0], *shape[1:])

    def forward(self, x: Array, training: bool) -> Array:
        """Return the layer's result for a batch.

        The result is a buffer of the layer, or ``x`` itself: the next call overwrites it. The
        layer keeps what ``backward`` needs. ``__call__`` is the version for users, which builds
        and checks first and returns a fresh array.
        """
        call: Any = own_call(type(self))
        if call is None:
            raise NotImplementedError(f"{self.label}: a layer must implement forward or call")
        if self._call_takes is None:
            taken = inspect.signature(call).parameters
            self._call_takes = [name for name in ("training", "mask") if name in taken]
        given = {"training": training, "mask": self._taken_mask()}
        options = {name: given[name] for name in self._call_takes}
        result: Array = backend.float32(one_result(self, call(self, x, **options)))
        return result

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill ``grads`` and return the gradient of the last forward's input.

        Args:
            dy: the gradient of what ``forward`` returned. It may be overwritten: in a model it
                is a buffer that nobody reads again.
            need_dx: False where the gradient of the input is not wanted; the result is None.
        """
        raise NotImplementedError(
            f"{self.label}: it must implement backward(dy, need_dx) to be trained: there is no "
            "automatic differentiation"
        )

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``, two for each multiply-add.

        Only what a layer multiplies by weights is counted, padding as if it were data; a layer
        without weights has 0.

        Args:
            input_shape: the batch (None for one sample) and the shape of a sample.
        """
        return 0

    def leaves(self) -> Iterator["Layer"]:
        """Give the layer itself; of one that holds layers, those that hold no others, in order."""
        yield self

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the layer's last step is a softmax over the last axis.

        The ``forward`` and ``backward`` of such a layer take ``logits=True``, which leaves that
        step out.
        """
        return False

    # --- calling ------------------------------------------------------------------------

    def __call__(self, x: Any, training: bool = False) -> Array:
        """Return the layer's result for a batch, as a fresh array.

        Args:
            x: an array of numbers, the batch first.
            training: True applies what only training does, such as dropout.

        Raises:
            TypeError: ``x`` does not hold real numbers.
            ValueError: the layer does not take an input of this shape.
        """
        if isinstance(x, Layer):
            raise TypeError(
                f"{self.label}: x must be an array, got a layer; layers are chained in a "
                "Sequential([...])"
            )
        training = bool_arg(self.label, "training", training)
        batch = float32_array(self.label, "x", x)
        if batch.ndim < 1:
            raise ValueError(f"{self.label}: x must have a batch axis, got a single number")
        if not self.knows_shape:
            self.build((None, *batch.shape[1:]))
        self.compute_output_shape(batch.shape)
        self.move()
        y = np.array(self.forward(backend.on_device(batch), training), np.float32)
        if self.activity_regularizer is not None:
            self._activity_penalty = self.activity_penalty(y)
        return y

    # --- state ------------------------------------------------------------------------------

    def get_state(self) -> dict[str, int]:
        """Return what the layer remembers from step to step beside its weights."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up what ``get_state`` returned.

        Raises:
            TypeError, ValueError: ``state`` is not of such a layer.
        """
        if state:
            raise ValueError(f"{self.label}: it has no state, got {sorted(state)}")

    # --- configuration ----------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype,
        }
        if hasattr(self, "data_format"):
            config["data_format"] = self.data_format
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Layer":
        """Return a new layer of the configuration that ``get_config`` returned."""
        if not isinstance(config, Mapping):
            raise TypeError(
                f"{cls.__name__}.from_config: config must be a dict, got {config!r:.60}"
            )
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def _set_data_format(self, data_format: Any) -> None:
        """Have the layer turn axes at its border where images are to be (N, C, H, W)."""
        from pyconv.layers._channels_first import channels_first

        check_data_format(self.label, data_format)
        self.data_format = data_format or "channels_last"
        kind: Any = vars(type(self)).get("of_last", type(self))  # it may be such a class already
        self.__class__ = channels_first(kind) if self.data_format == "channels_first" else kind

    # --- helpers of subclasses --------------------------------------------------------------

    def _buffer(self, name: str, shape: tuple[int, ...]) -> Array:
        return cast(Array, self._buffers.get(name, shape))

    def _taken_mask(self) -> Any:
        """Return which steps of this forward's input count, or None where all do."""
        if self.mask is not None or self.mask_source is None:
            return self.mask
        return self.mask_source.mask


def one_result(layer: Layer, result: Any) -> Any:
    """Return what a call gave; SeveralResultsError where that is more than one array."""
    parts = result.values() if isinstance(result, dict) else result
    if isinstance(result, (tuple, list, dict)) and any(hasattr(part, "shape") for part in parts):
        raise SeveralResultsError(
            f"{layer.label}: call must return one array (N, ...), got {shown(result)}"
        )
    return result


def own_call(kind: type) -> Callable[..., Any] | None:
    """Return the ``call`` that the user gave a class of layers, or None."""
    found = getattr(kind, "call", None)
    return None if getattr(found, "of_the_library", False) else found
