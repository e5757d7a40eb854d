"""The Sequential model with the methods and arguments of Keras 1 and 2."""

import inspect
import warnings
from typing import Any

import numpy as np

import pyconv
from pyconv._own_state import is_own
from pyconv._types import Shape
from pyconv.compat import (
    _classes,
    _era,
    _file_arguments,
    _folders,
    _own_class,
)
from pyconv.compat._call_over import run_call_over
from pyconv.compat._compiled_flags import CompiledFlags
from pyconv.compat._eager import eager
from pyconv.compat._functional import WiredCall, applied
from pyconv.compat._generators import Generators
from pyconv.compat._masking import set_masks
from pyconv.compat._older_fit import OlderFit
from pyconv.compat._put_together import PutTogether
from pyconv.compat._recording import (
    Call,
    is_open,
    is_recorded,
    model_call,
    watched_parameters,
)
from pyconv.compat._state_tree import StateTree
from pyconv.compat._summary import summary_lines
from pyconv.compat._tensor import Tensor, tensors_of
from pyconv.compat._traced import is_composed, with_parts
from pyconv.compat._tracked import as_weight
from pyconv.formats import keras_arguments as _arguments
from pyconv.layers.graph import flat

_NOT_HERE = {
    "add_loss": "of a Sequential; a keras.Model(inputs, outputs) has it, or layers have an "
    "activity_regularizer",
    "add_metric": "give compile metrics",
    "export": "save writes the model to a file that Keras opens too",
    "make_train_function": "train_on_batch makes one step",
    "quantize": "pyconv computes in float32",
}


class Sequential(OlderFit, StateTree, CompiledFlags, PutTogether, Generators):
    """A stack of layers, as ``pyconv.Sequential``, with the methods of Keras 1 and 2 as well.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> model = keras.models.Sequential()
        >>> model.add(keras.layers.Dense(output_dim=2, input_dim=4, init="uniform"))
        >>> model.count_params()
        10
    """

    _keras2 = False

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        self._keras2 = _era.is_keras2()
        if name is None and self._keras2:
            name = _classes.old_name("Sequential")
        super().__init__(layers, trainable, name)

    @property
    def _name(self) -> str:
        """The name, which programs for TensorFlow 2 change by this attribute."""
        return self.name

    @_name.setter
    def _name(self, value: str) -> None:
        self.name = value

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the output for a batch; for what came of an ``Input``, the layers' tensor."""
        x = self._of_name(x)
        tensors = tensors_of(x)
        if tensors is None:
            x = self._arranged(x)
            recorded = is_recorded(x)
            y = model_call(self, x, bool(training)) if recorded else super().__call__(x, training)
            masks = self._output_mask()
            return y if recorded and masks is None else set_masks(eager(y), masks)
        call = WiredCall(self, tensors[:1], training or None)
        return applied(self._layers, tensors[0], False, call)

    _last_call: Call | None = None

    @property
    def losses(self) -> list[Any]:
        """The penalties of the regularizers; where calls are recorded with their gradients."""
        if self._last_call is None or not is_open():
            return super().losses
        return self._last_call.penalties()

    @property
    def trainable_weights(self) -> list[Any]:
        """The weights that training changes; under a tape what is computed of them is recorded."""
        return watched_parameters(self._params()) if is_open() else self._params()

    trainable_variables = trainable_weights

    def build(self, input_shape: Any = None) -> None:
        """Create the weights; see ``pyconv.Sequential.build``.

        Layers of one's own that are made of layers are replaced by these.
        """
        shape = self._declared_shape() if input_shape is None else input_shape
        if shape is not None and any(is_composed(layer) for layer in self._layers):
            self._layers = with_parts(self._layers, tuple(shape))
        for layer in flat(self._layers):
            run_call_over(layer)
        super().build(input_shape)

    @classmethod
    def adopted(cls, model: Any) -> "Sequential":
        """Return a model that was read as one of Keras's."""
        return adopt(model)

    def class_description(self) -> dict[str, Any] | None:
        """Return the class and the configuration of a model of the user's own class; else None."""
        return _own_class.described(self)

    def _arranged(self, x: Any) -> Any:
        """Return inputs with the last axis that numbers and grey images lack, or without one."""
        x = self._of_name(x)
        rank = self.input_rank
        if rank in (None, 2) and _is_row(x):
            column = np.asarray(x)[:, np.newaxis]
            return column if rank is None or self.input_shape[-1] in (None, 1) else x
        if rank is None or not isinstance(x, np.ndarray):
            return x
        return of_rank(x, self.input_shape)

    def _of_name(self, x: Any) -> Any:
        """Return what a dict has for the one input; another structure than it has is a warning."""
        if not isinstance(x, dict) or not x:
            return x
        name = None if self._input is None else self._input.name
        if len(x) > 1 and name in x:
            if isinstance(x[name], Tensor):
                return x[name]
            warnings.warn(
                "The structure of `inputs` doesn't match the expected structure. Expected: "
                f"{name!r}, got {sorted(map(str, x))}",
                stacklevel=3,
            )
            return x[name]
        return next(iter(x.values())) if len(x) == 1 else x

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, weights: Any = None
    ) -> Any:
        """Return a new model of what ``get_config`` returned; see ``pyconv.Sequential``."""
        from pyconv.compat.keras import layers

        classes = {**layers.CLASSES, **(custom_objects or {})}
        return adopt(super().from_config(config, classes, weights))

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; the layers are none that can be set."""
        if name == "layers":
            raise AttributeError(
                "`Model.layers` attribute is reserved and should not be used. Use `add()` and "
                "`pop()` to change the layers of a Sequential; give a list of your own another name"
            )
        super().__setattr__(name, as_weight(value))

    def __getattr__(self, name: str) -> Any:
        """Say what there is instead of a method of Keras's that is not here."""
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # a property's own error
        instead = _NOT_HERE.get(name)
        hint = "" if instead is None else f": not in pyconv; {instead}"
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")

    # --- what differs in numerics and texts -------------------------------------------------

    def compile(self, optimizer: Any = "rmsprop", *args: Any, **kwargs: Any) -> None:
        """Say how the model is to be trained; see ``pyconv.Sequential.compile``.

        Under Keras 2, accuracy is called 'acc' in lines and histories; either name finds it.
        """
        from pyconv.compat.keras import optimizers

        _arguments.drop(kwargs, "sample_weight_mode", "target_tensors", "class_mode")
        if len(args) > 1 and _are_metrics(args[1]):
            # By place Keras 1 and 2 have metrics before the weight of the loss.
            kwargs["metrics"] = args[1]
            args = (args[0], *args[2:3])
        if isinstance(kwargs.get("metrics"), str):
            kwargs["metrics"] = [kwargs["metrics"]]
        if self._keras2 and isinstance(kwargs.get("metrics"), (list, tuple)):
            kwargs["metrics"] = ["acc" if m == "accuracy" else m for m in kwargs["metrics"]]
        loss = kwargs.pop("loss", None) if not args else args[0]
        super().compile(optimizers.get(optimizer), _differentiable(loss), *args[1:], **kwargs)
        self._loss = loss

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as ``get_compile_config`` said; a ``compile`` of the user's own is not called.

        What it takes is not known, as in Keras: there is a warning then.
        """
        if is_own(self, "compile") and not is_own(self, "compile_from_config"):
            warnings.warn(
                "`compile()` was not called as part of model loading because the model's "
                "`compile()` method is custom. All subclassed Models that have `compile()` "
                "overridden should also override `get_compile_config()` and "
                "`compile_from_config(config)`. Alternatively, call `compile()` by hand after "
                "loading.",
                stacklevel=2,
            )
            return
        super().compile_from_config(config)

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Print the table of layers, 65 wide under Keras 2; see ``pyconv.Sequential.summary``."""
        if not self._keras2 or kwargs.get("profile"):
            super().summary(*args, **kwargs)
            return
        given = dict(zip(("line_length", "positions", "print_fn"), args, strict=False), **kwargs)
        for line in summary_lines(self, given.get("line_length"), given.get("positions")):
            (given.get("print_fn") or print)(line)

    # --- files ------------------------------------------------------------------------------------

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """Return none: layers renew their means themselves, where they are called in training."""
        return []

    def to_yaml(self, **kwargs: Any) -> str:
        """Return the architecture as YAML, as Keras 1 did: as JSON, which is YAML too."""
        return self.to_json(**kwargs)

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        include_optimizer: bool = True,
        zipped: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write the model to one file; see ``pyconv.Sequential.save``."""
        _file_arguments.check_save(filepath, kwargs, zipped)
        if zipped and not hasattr(filepath, "write"):
            filepath = _folders.to_write(filepath)
        super().save(filepath, overwrite, include_optimizer, zipped)

    def save_weights(
        self,
        filepath: Any,
        overwrite: bool = True,
        max_shard_size: float | None = None,
        objects_to_skip: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write the weights to one file; see ``pyconv.Sequential.save_weights``."""
        _arguments.drop(kwargs, "save_format")
        place = _folders.to_write(filepath)
        super().save_weights(place, overwrite, max_shard_size, objects_to_skip, **kwargs)

    def load_weights(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Read the weights of a file; see ``pyconv.Sequential.load_weights``."""
        _file_arguments.check_weights(filepath)
        super().load_weights(_folders.to_read(filepath), *args, **kwargs)


def _differentiable(loss: Any) -> Any:
    """Return a loss that is a function of the user's own as one whose gradient is derived."""
    from pyconv.compat.keras import losses

    if inspect.isfunction(loss) and getattr(losses, loss.__name__, None) is not loss:
        return losses.LossFunctionWrapper(loss)
    if isinstance(loss, losses.Loss) and _calls_itself(type(loss)):
        return losses.LossFunctionWrapper(loss.__call__, name=loss.name)
    return loss


def _calls_itself(kind: type) -> bool:
    """Whether a class of losses defines ``__call__``, which returns the whole loss, and no call."""
    call = next(one for one in kind.__mro__ if "__call__" in vars(one))
    rows = next(one for one in kind.__mro__ if "call" in vars(one))
    return kind.__mro__.index(call) < kind.__mro__.index(rows) and call.__module__ != _LOSSES


_LOSSES = "pyconv.compat.keras.losses"


def _is_row(x: Any) -> bool:
    """Whether inputs are one number a sample."""
    if hasattr(x, "__array__"):
        return getattr(x, "ndim", 0) == 1
    numbers = (int, float, np.number)
    return isinstance(x, (list, tuple)) and bool(x) and all(isinstance(v, numbers) for v in x)


def _are_metrics(value: Any) -> bool:
    """Whether the third argument of ``compile`` is a list of metrics."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    return bool(parts) and not any(isinstance(part, (int, float, type(None))) for part in parts)


def adopt(model: Any) -> "Sequential":
    """Return a model of pyconv as one of this module, its layers and optimizer too."""
    from pyconv.compat._graph_model import Functional, has_branches
    from pyconv.compat.keras import layers, optimizers

    adopted: Sequential = model
    if type(model) is pyconv.Sequential:
        is_functional = model.is_functional or has_branches(model._layers)
        model.__class__ = Functional if is_functional else Sequential
        adopted._keras2 = _era.is_keras2()
    for layer in [*([model._input] if model._input else []), *flat(model._layers)]:
        _classes.adopt(layer, layers.CLASSES)
    if model.optimizer is not None:
        _classes.adopt(model.optimizer, optimizers.CLASSES)
        model.optimizer._keras2 = _era.is_keras2()
    return adopted


def of_rank(x: Any, shape: Shape) -> Any:
    """Return x with the last axis of 1 that a shape has and x lacks, or without one more."""
    rank = len(x.shape)
    if rank == len(shape) - 1 and rank > 1 and shape[-1] == 1:
        return x[..., None]
    return x[..., 0] if rank == len(shape) + 1 and x.shape[-1] == 1 else x
