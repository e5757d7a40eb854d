"""Models by subclassing ``keras.Model``."""

import functools
import inspect
import itertools
from typing import Any

import numpy as np

from pyconv.batches import is_stream
from pyconv.compat import _classes, _era
from pyconv.compat._auto_config import completed
from pyconv.compat._followed import NotFollowedError, followed, is_shape, shapes_of, starts_of
from pyconv.compat._functional import WiredCall, applied, connected, nodes_between
from pyconv.compat._graph_model import Functional
from pyconv.compat._model import _is_row
from pyconv.compat._model_parts import HoldsParts
from pyconv.compat._several import become_structured
from pyconv.compat._tensor import Tensor, tensor_of, tensors_of
from pyconv.compat._trees import leaves, mapped
from pyconv.compat._whole_call import SeveralResultsError, has_weights, whole_call
from pyconv.layers.graph import blocks
from pyconv.layers.input import InputLayer


class OwnModel(HoldsParts):
    """A model whose ``call`` says what its layers, attributes of it, do with the input.

    The call is followed once, with a tensor that stands for the input, when the model first sees
    data: what it does must not depend on the data, and must be done by layers.
    """

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        if name is None:
            count = _classes.old_name if _era.is_keras2() else _classes.auto_name
            name = count(type(self).__name__)
        super().__init__(None, trainable, name)
        if inputs is not None and outputs is not None:
            self._wire_own(inputs, outputs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have a ``build`` of the user's own end with what the base's does."""
        super().__init_subclass__(**kwargs)
        own = vars(cls).get("build")
        if own is not None and not cls.__module__.startswith("pyconv."):
            cls.build = _whole_build(own)  # type: ignore[method-assign]

    @property
    def built(self) -> bool:
        """Whether all layers have their weights."""
        return self._is_free or super().built

    @built.setter
    def built(self, value: bool) -> None:
        """Take what a ``build`` of one's own says at its end; a model knows by itself."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, where they are plain data and there is a ``call``."""
        if type(self).call is OwnModel.call:
            return super().get_config()
        named = {"name": self.name, "trainable": self.trainable}
        given = vars(self).get("_given_arguments")
        if given == {}:
            taken = inspect.signature(type(self)).parameters
            many = any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values())
            return {name: value for name, value in named.items() if many or name in taken}
        return completed(self, named) if given else named

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, weights: Any = None
    ) -> Any:
        """Return a new model of what ``get_config`` returned."""
        if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
            return cls(**config)
        network: Any = Functional.from_config(config, custom_objects, weights)
        more = {name: value for name, value in config.items() if name not in _OF_NETWORKS}
        if cls.__module__.startswith("pyconv."):
            return network
        made = cls(inputs=network.input, outputs=network.output, name=config.get("name"), **more)
        made.trainable = config.get("trainable", True)
        return made

    def build(self, input_shape: Any = None) -> None:
        """Follow the call for inputs of ``input_shape``, the batch (or None) first, and build.

        Args:
            input_shape: a shape, or a list, tuple or dict of them, as the call takes its inputs.
        """
        if not self._layers and input_shape is not None:
            self._follow(input_shape)
            return
        super().build(input_shape)

    def _follow(self, shapes: Any) -> None:
        """Be the network that the call is for inputs of these shapes; else run it as one layer."""
        starts = starts_of(self, shapes)
        reason: Exception | None = None
        try:
            if has_weights(self):
                raise NotFollowedError("it has weights of its own")
            ends = followed(self, starts)
        except NotFollowedError as error:
            reason = error
        losses, self._found_losses = self._found_losses or [], None
        if reason is not None:
            self._run_whole(shapes, reason)
            return
        self._wire_own(starts, ends)
        self._input_shapes_of_call = shapes
        if losses:
            self.add_loss(losses)
        if self._asked is not None:
            (_, *args), kwargs = self._asked
            OwnModel.compile(self, self.optimizer, *args, **kwargs)  # one of the user's has run

    def _wire_own(self, inputs: Any, outputs: Any) -> None:
        """Be the network between tensors."""
        inputs, outputs = mapped(tensor_of, inputs), mapped(tensor_of, outputs)
        if len(leaves(inputs)) > 1 or len(leaves(outputs)) > 1 or isinstance(outputs, dict):
            become_structured(self)
            self._wire(inputs, outputs)
        else:
            start = leaves(inputs)[0]
            self._take(start, connected(start, leaves(outputs)[0]))
        self._take_carried()

    def _run_whole(self, shapes: Any, reason: Exception) -> None:
        """Have one layer that runs the call."""
        if not is_shape(shapes):
            self._run_freely(shapes, reason)
            return
        whole = whole_call(self)
        whole.reason = str(reason)
        self._input, self._layers = InputLayer(batch_shape=tuple(shapes)), [whole]
        try:
            super().build(tuple(shapes))
        except BaseException as error:
            self._input, self._layers = None, []
            if not isinstance(error, SeveralResultsError):
                raise
            self._run_freely(shapes, reason)
        self._input_shapes_of_call = shapes

    # --- what is known once there are data ------------------------------------------------------

    _asked: Any = None  # arguments of ``compile``, for outputs that are not known yet
    _found_losses: list[Any] | None = None  # while the call is followed
    _input_shapes_of_call: Any = None

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Say how the model is to be trained; see ``pyconv.Sequential.compile``."""
        if self._layers or self._only_holds:
            self._asked = None
            super().compile(*args, **kwargs)
            return
        kwargs.setdefault("optimizer", "rmsprop")
        first = args[0] if args else kwargs.pop("optimizer")
        kwargs.pop("optimizer", None)
        self._asked = (first, *args[1:]), kwargs
        given = [*args[1:], *(kwargs.get(name) for name in _OF_OUTPUTS)]
        if any(isinstance(part, dict) or _has_parts(part) for part in given):
            kept = {name: value for name, value in kwargs.items() if name not in _OF_OUTPUTS}
            super().compile(first, **kept)
        else:
            super().compile(first, *args[1:], **kwargs)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add to what training makes small; see the functional model's.

        Within the ``call`` it is what is computed there.
        """
        whole = vars(self).get("_whole")
        if self._found_losses is not None:
            self._found_losses += leaves(losses)
        elif whole is not None and whole in self._layers:
            whole.add_loss(losses)
        else:
            super().add_loss(losses, inputs)

    def add_weight(self, *args: Any, **kwargs: Any) -> Any:
        """Add a weight of the model's own; see ``keras.layers.Layer.add_weight``."""
        weight = whole_call(self).add_weight(*args, **kwargs)
        weight._path = f"{self.name}/{weight.name}"
        return weight

    add_variable = add_weight

    def _meet(self, x: Any) -> Any:
        """Be built for what the model is given first, which says how many inputs there are."""
        if self._layers or self._only_holds or x is None:
            return x
        inputs = x
        if is_stream(x, None):
            first, x = _opened(x)
            inputs = first[0] if isinstance(first, tuple) else first
        if _is_row(inputs) and not hasattr(inputs, "shape"):
            inputs = np.asarray(inputs)
        shapes = shapes_of(inputs)
        if shapes is not None:
            self.build(shapes)
        return x

    def _take(self, start: Tensor, end: Tensor) -> None:
        """Be the network between two tensors."""
        assert isinstance(start.layer, InputLayer)
        self._input, self._layers = (
            start.layer,
            blocks(nodes_between(start, end), repeats_names=True),
        )
        self.build(start.sizes)
        self._take_links(start, end)

    def _ensure_built(self, input_shape: tuple[int, ...]) -> None:
        if "train" in self._own and (self._only_holds or self._takes_any_batch()):
            return
        if not self._layers:
            self.build((None, *input_shape))
        super()._ensure_built(input_shape)

    def _takes_any_batch(self) -> bool:
        """Whether a ``train_step`` of the user's own says what is done with a batch."""
        return self.built and type(self).train_step is not Functional.train_step

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the output for a batch; for what came of an ``Input``, the layers' tensor."""
        tensors = tensors_of(leaves(x))
        if tensors is None or hasattr(type(self), "_called_on"):
            x = self._meet(x)  # after which the class may be another one
            if self._is_free:
                return self._called_freely(x, training)
            return super().__call__(x, training)
        if not self._layers:
            self.build(mapped(lambda tensor: tensor_of(tensor).sizes, x))
            return self(x, training)
        return applied(self._layers, tensors[0], False, WiredCall(self, tensors[:1]))


# What the configuration of a functional model has, beside what a subclass adds.
_OF_NETWORKS = (
    "name", "trainable", "layers", "functional", "input_name", "input_layers", "output_layers",
    "build_input_shape",
)  # fmt: skip

# What ``compile`` is given for each output.
_OF_OUTPUTS = ("loss", "loss_weights", "metrics", "weighted_metrics")


def _has_parts(value: Any) -> bool:
    """Whether it may be one for each output."""
    return isinstance(value, (list, tuple)) and (
        len(value) > 1 or any(isinstance(part, (list, tuple, dict)) for part in value)
    )


def _opened(source: Any) -> tuple[Any, Any]:
    """Return the first batch of a source, and the source with all of them."""
    if iter(source) is not source if hasattr(source, "__iter__") else True:
        return (next(iter(source)) if hasattr(source, "__iter__") else source[0]), source
    first = next(source)
    return first, itertools.chain([first], source)


def _whole_build(own: Any) -> Any:
    """Return a ``build`` that does what a model's own does, and then what the base's does."""

    @functools.wraps(own)
    def build(self: Any, input_shape: Any = None) -> None:
        if vars(self).get("_builds"):
            own(self, input_shape)  # that of a class below
            return
        if self._layers:
            return
        self._builds = True
        try:
            own(self, input_shape)
        finally:
            self._builds = False
        if not self._layers and input_shape is not None:
            OwnModel.build(self, input_shape)

    return build


def _meeting(name: str) -> Any:
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            args = (self._meet(args[0]), *args[1:])
        elif "x" in kwargs:
            kwargs["x"] = self._meet(kwargs["x"])
        if self._is_free and _STEPS[name] not in self._own:
            return self._without_steps(name, *args, **kwargs)
        return getattr(super(OwnModel, self), name)(*args, **kwargs)

    run.__name__ = name
    run.__doc__ = getattr(Functional, name).__doc__
    return run


_STEPS = {
    "fit": "train",
    "evaluate": "test",
    "predict": "predict",
    "train_on_batch": "train",
    "test_on_batch": "test",
    "predict_on_batch": "predict",
}
for _name in _STEPS:
    setattr(OwnModel, _name, _meeting(_name))
