"""Layers of the user's own: ``call`` with any arguments, on arrays as Keras runs it."""

from contextlib import nullcontext
from typing import Any

import numpy as np

from pyconv._derived import before
from pyconv.compat import _call_context, _masking
from pyconv.compat._autodiff import Taped, unwrapped
from pyconv.compat._call_spec import CallSpec, is_array, parameters
from pyconv.compat._eager import EagerArray, eager
from pyconv.compat._on_tensors import OnTensors
from pyconv.compat._own_call import OwnCall, own_layers_within
from pyconv.compat._own_weights import Lock, OwnWeights
from pyconv.compat._recording import innermost, is_recorded
from pyconv.compat._stateless import StatelessCall
from pyconv.compat._tensor import Tensor
from pyconv.compat._trees import leaves, mapped
from pyconv.compat._types_of_arrays import as_type
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer, SeveralResultsError, own_call


class Own(OnTensors, OwnWeights, StatelessCall):
    """``keras.layers.Layer``, from which layers of the user's own are derived."""

    _is_built = False
    _built_path = ""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        self._tracker = Lock()
        self._losses: list[Any] = []
        self._told: set[str] = {"training"}
        self._was_called = False
        super().__init__(*args, **kwargs)

    # --- what Keras's layers say --------------------------------------------------------------

    @property
    def path(self: Any) -> str:
        """The name, behind those of the layers in whose call the layer was built."""
        return str(self._built_path or self.name)

    @property
    def built(self: Any) -> bool:
        """Whether ``build`` has run."""
        return bool(self._is_built or self.knows_shape)

    @built.setter
    def built(self, value: bool) -> None:
        """Take what a ``build`` says at its end; a layer knows by itself."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the result of the inputs; a layer of one's own defines it."""
        raise NotImplementedError(f"{self.label}: it does not have a `call` method implemented.")

    call.of_the_library = True  # type: ignore[attr-defined]

    def compute_output_shape(self: Any, input_shape: Any) -> Any:
        """Return the shape that an input of ``input_shape``, the batch first, gives."""
        if input_shape is None:
            raise NotImplementedError(
                f"{self.label}: it does not have a `compute_output_shape` method implemented."
            )
        owns_build = getattr(type(self).build, "__wrapped__", None) is not None
        if (
            owns_build
            and own_call(type(self)) is not None
            and not self.built
            and not self._building
            and _is_shape(input_shape)
        ):
            self.build(input_shape)  # its call needs the weights
        return super().compute_output_shape(input_shape)  # type: ignore[misc]

    def compute_output_spec(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the shape and the type of the result for tensors, in its form."""
        shapes = self.compute_output_shape(*(mapped(lambda x: x.shape, value) for value in args))
        return _specs(shapes, self.compute_dtype)

    def _register_call_context_args(self, *names: str) -> None:
        """Have calls of the layers within take these arguments of a call of this one."""
        if self._was_called:
            raise RuntimeError(
                "Cannot add call-context args after the layer has been called. Received: "
                f"names={names}"
            )
        self._told |= set(names)

    @property
    def _call_context_args(self) -> set[str]:
        return self._told

    # --- building -----------------------------------------------------------------------------

    def build(self: Any, input_shape: Any = None) -> None:
        """Create the weights; what a ``build`` of one's own may call."""
        free = own_call(type(self)) is not None or input_shape is None
        if not free or (_is_shape(input_shape) and not self._building):
            super().build(input_shape)  # type: ignore[misc]
        elif not self._building:
            self._is_built = True

    def _run_build(self: Any, own: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._building or own_call(type(self)) is None:
            super()._run_build(own, args, kwargs)  # type: ignore[misc]
            return
        if not self.built:
            self._build_freely(lambda: own(self, *args, **kwargs))
        shapes = [*args, *kwargs.values()]
        if len(shapes) == 1 and _is_shape(shapes[0]):
            try:
                Layer.build(self, shapes[0])
            except Exception:
                # Only the shape of the result is not known: models ask for it, and then say why.
                self._output_shape = None

    def _build_freely(self: Any, build: Any) -> None:
        around = _call_context.path()
        self._built_path = f"{around}/{self.name}" if around else self.name
        self._building = True
        try:
            build()
        except BaseException:
            self._forget_weights()
            raise
        finally:
            self._building = False
        self._is_built = True

    def _build_at_init(self) -> None:
        """Say that all weights are there."""
        self._is_built = True
        self._tracker.lock()

    def _build_for(self: Any, spec: CallSpec) -> None:
        """Build for what a call is given."""
        own = getattr(type(self).build, "__wrapped__", None)
        if own is not None:
            shapes = spec.shapes(self, own)
            self._build_freely(lambda: own(self, **shapes))
        else:
            self._build_freely(lambda: None)

    # --- calling ------------------------------------------------------------------------------

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what ``call`` gives, for arrays or for tensors of an ``Input``."""
        if own_call(type(self)) is None or _has_backward(self):
            return super().__call__(*args, **kwargs)  # type: ignore[misc]
        alone = len(args) == 1 and not set(kwargs) - {"training"} and not self._gives_several
        # Tensors, and arrays that remember how they were computed.
        if alone and _is_one_recorded(args[0]):
            try:
                return super().__call__(*args, **kwargs)  # type: ignore[misc]
            except SeveralResultsError:
                self._gives_several = True
        taken = parameters(type(self).call)
        many = any(p.kind is p.VAR_KEYWORD for p in taken.values())
        told = {name: kwargs.get(name) for name in self._told}
        if not many:
            kwargs = {n: v for n, v in kwargs.items() if n in taken or n not in self._told}
        if "inputs" in kwargs and "inputs" not in taken and not args and taken:
            args = (kwargs.pop("inputs"),)
        spec = CallSpec(self, args, kwargs)
        self._tell(spec, told)
        tensors = [
            leaf
            for value in spec.arguments.values()
            for leaf in leaves(value)
            if is_array(leaf) and not hasattr(leaf, "__array__")
        ]
        if tensors:
            return self._on_tensors(spec, told)
        return self._on_arrays(spec, told)

    _gives_several = False  # results, as far as is known

    def _tell(self: Any, spec: CallSpec, told: dict[str, Any]) -> None:
        """Give ``training`` and the like where the call has not: those of the calls around."""
        around = _call_context.arguments()
        for name in self._told:
            value = told[name] if told[name] is not None else around.get(name)
            parameter = spec.parameters.get(name)
            if parameter is not None and spec.arguments.get(name) is None:
                if value is not None:
                    spec.arguments[name] = value
                elif parameter.default is not parameter.empty:
                    value = parameter.default
            told[name] = value

    def _on_arrays(self: Any, spec: CallSpec, told: dict[str, Any]) -> Any:
        masks = {name: _masking.masks_of(value) for name, value in spec.arrays.items()}
        spec.convert(self._array)
        first = next(iter(masks), None)
        for name, mask in masks.items():
            argument = "mask" if name == first and "mask" in spec.parameters else f"{name}_mask"
            if argument in spec.parameters and spec.arguments.get(argument) is None:
                spec.arguments[argument] = mask
        mask = spec.arguments.get("mask")
        if mask is None:
            mask = masks.get(str(first))
        inputs = spec.first
        if not self.built:
            self._build_for(spec)
        self._was_called = True
        locked = self._tracker.locked
        self._losses.clear()
        self._activity_penalty = None
        with _call_context.within(self.path, told):
            self._tracker.lock()
            try:
                with self._watched(), self._weights_of_call(told.get("training")):
                    y = mapped(self._result, spec.run(self.call))
            finally:
                self._tracker.locked = locked
        if self.activity_regularizer is not None:
            self._activity_penalty = sum(map(self.activity_penalty, leaves(y)))
        if self.supports_masking:
            if all(leaf._keras_mask is not None for leaf in leaves(y) if is_array(leaf)):
                return y
            return _masking.set_masks(y, self.compute_mask(inputs, mask))
        if mask is not None:
            _masking.lost(self)
        return y

    def _watched(self: Any) -> Any:
        """Return a context in which the layer's own weights are known to the tape, if any."""
        recording = innermost()
        return nullcontext() if recording is None else self._watching(recording)

    def forward(self: Any, x: Any, training: bool, **options: Any) -> Any:
        """Return the layer's result in a model."""
        if own_call(type(self)) is None or before(type(self)).forward is not Own.forward:
            return super().forward(x, training, **options)  # type: ignore[misc]
        for layer in own_layers_within(self):
            layer._losses = []
        with _call_context.within(self.path, {"training": training}):
            return super().forward(x, training, **options)  # type: ignore[misc]

    def _array(self: Any, x: Any) -> Any:
        """Return an input as the call sees it."""
        if isinstance(x, Taped):
            return x
        mask = getattr(x, "_keras_mask", None)
        found = self.rounded_input(x)
        if isinstance(found, EagerArray) and found is x:
            return found
        made = eager(found)
        made._keras_mask = mask
        return made

    def _result(self: Any, y: Any) -> Any:
        """Return a part of the result; numbers of numpy's that grew to float64 are brought back."""
        if not hasattr(y, "__array__") or isinstance(y, Taped):
            return y
        if np.asarray(y).dtype == np.float64 and self.compute_dtype != "float64":
            return eager(as_type(y, self.compute_dtype))
        return y if isinstance(y, EagerArray) else eager(y)

    # --- losses -------------------------------------------------------------------------------

    def add_loss(self, loss: Any, inputs: Any = None) -> None:
        """Add numbers to the losses of this call; ``fit`` makes their sum smaller as well.

        What is computed of the tensors of several inputs is a loss of the model.
        """
        parts = leaves(loss)
        if any(isinstance(part, Tensor) for part in parts):
            if self._tensor_losses is None:
                # The layers of the call alone would leave it out.
                raise NotImplementedError("add_loss of what is computed of an Input")
            self._tensor_losses += parts
            return
        self._losses += parts

    _tensor_losses: list[Any] | None = None  # in a call on tensors

    @property
    def losses(self: Any) -> list[Any]:
        """The penalties and losses, here and of the layers within."""
        within = [loss for layer in self._layers for loss in layer.losses]
        return [*self._losses, *super().losses, *within]  # type: ignore[misc]

    @property
    def has_penalties(self: Any) -> bool:
        """Whether training adds something to the loss for the layer: its call may do so."""
        runs_call = own_call(type(self)) is not None and not _has_backward(self)
        return runs_call or super().has_penalties

    def penalties_in_training(self: Any) -> list[float]:
        """Return the penalties of the weights, and the losses that the last call added."""
        added = [loss for layer in own_layers_within(self) for loss in layer._losses]
        penalties: list[float] = super().penalties_in_training()
        return [*penalties, *(float(np.sum(unwrapped(loss))) for loss in added)]

    # --- what only Keras has ------------------------------------------------------------------

    def quantized_build(self: Any, input_shape: Any, mode: Any, config: Any = None) -> None:
        """Raise an error: there is none."""
        raise self._not_implemented("quantized_build")

    def quantize(self: Any, mode: Any = None, config: Any = None, **kwargs: Any) -> None:
        """Raise an error: a layer of one's own defines how it is quantized."""
        raise self._not_implemented("quantize")

    def _int8_call(self: Any, *args: Any, **kwargs: Any) -> None:
        raise self._not_implemented("_int8_call")

    def _float8_call(self: Any, *args: Any, **kwargs: Any) -> None:
        raise self._not_implemented("_float8_call")

    def _not_implemented(self: Any, method: str) -> NotImplementedError:
        return NotImplementedError(
            f"{self.label}: it does not have a `{method}` method implemented."
        )


class Spec:
    """The shape and the type of a result that is not computed."""

    def __init__(self, shape: Any, dtype: str) -> None:
        self.shape, self.dtype = tuple(shape), dtype


def _specs(shapes: Any, dtype: str) -> Any:
    """Return lists, tuples and dicts of shapes with a ``Spec`` in the place of each shape."""
    if isinstance(shapes, dict):
        return {key: _specs(value, dtype) for key, value in shapes.items()}
    if _is_shape(shapes):
        return Spec(shapes, dtype)
    return type(shapes)(_specs(value, dtype) for value in shapes)


def _is_one_recorded(x: Any) -> bool:
    if isinstance(x, (list, tuple, dict)):
        return False
    return isinstance(x, (Tensor, InputLayer)) or is_recorded(x)


def _is_shape(value: Any) -> bool:
    """Whether it is the shape of one array with a batch."""
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(n is None or isinstance(n, (int, np.integer)) for n in value)
    )


def _has_backward(layer: Any) -> bool:
    """Whether a layer is written for training: its ``forward`` or ``backward`` is the user's."""
    kind = before(type(layer))
    return (
        kind.backward not in (Layer.backward, OwnCall.backward) or kind.forward is not Own.forward
    )
