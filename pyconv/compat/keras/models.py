"""``keras.models``: Sequential, what the functional API makes, and models from files."""

import functools
import importlib
import inspect
import json
from collections.abc import Callable
from typing import Any

from pyconv import models
from pyconv._derived import before
from pyconv._stack import Stack
from pyconv.compat import _era, _file_arguments, _folders, _unsupported
from pyconv.compat._auto_config import arguments_of
from pyconv.compat._graph_model import cloned, functional
from pyconv.compat._model import Sequential as Sequential
from pyconv.compat._model import adopt
from pyconv.compat._own_model import OwnModel
from pyconv.compat._tensor import Tensor
from pyconv.compat.keras import layers
from pyconv.custom_objects import custom_object_scope, in_scope
from pyconv.formats import keras_arguments as _arguments


class Model(OwnModel):
    """``Model(inputs, outputs)`` is the network of the layers that were called one on the other.

    Where they branch, ``Add``, ``Concatenate`` and the like bring them together again. A layer or a
    model that is called several times has one set of weights, whose gradients add up. A subclass
    has a ``call`` that calls layers.

    Args:
        inputs: an ``Input``, or a list, tuple or dict of them. Keras 1 called it ``input``.
        outputs: what the last layer's call gave, or several likewise: ``compile`` then takes a
            loss for each, and ``fit`` targets. Keras 1 called it ``output``.
        name: the model's name.

    Raises:
        NotImplementedError: a layer is used twice and cannot be copied for that; or the ``call``
            of a subclass is not made of layers.
        ValueError: an output is not made of the inputs.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> inputs = keras.Input((8,))
        >>> hidden = keras.layers.Dense(8, activation="relu")(inputs)
        >>> both = keras.layers.add([inputs, hidden])
        >>> keras.Model(inputs, keras.layers.Dense(2)(both)).count_params()
        90
        >>> heads = [keras.layers.Dense(n, name=name)(hidden) for n, name in [(2, "a"), (1, "b")]]
        >>> model = keras.Model(inputs, heads)
        >>> model.compile("adam", ["sparse_categorical_crossentropy", "mse"])
        >>> model.output_names
        ['a', 'b']
        >>> class Net(keras.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.head = keras.layers.Dense(2)
        ...     def call(self, x):
        ...         return self.head(x)
        >>> net = Net()
        >>> net.build((None, 8))
        >>> net.count_params()
        18
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return the model."""
        if cls is Model:
            return _functional(*args, **kwargs)
        model: Any = super().__new__(cls)
        vars(model)["_given_arguments"] = arguments_of(cls, args, kwargs)
        return model

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        """Whether the other class is one of models: a ``Sequential`` is a ``Model`` in Keras."""
        return Sequential in other.__mro__ if cls is Model else NotImplemented


def _functional(
    inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any
) -> Any:
    given = {"inputs": inputs, "outputs": outputs}
    for old, new in (("input", "inputs"), ("output", "outputs")):
        if old in kwargs:
            given[new] = kwargs.pop(old)
    trainable = kwargs.pop("trainable", True)
    if kwargs:
        raise TypeError(f"Model: unknown arguments {sorted(kwargs)}")
    made = functional(**given, name=name)
    if not trainable:
        made.trainable = trainable
    return made


def _adopting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes a model, which then has the older methods too."""

    takes_classes = "custom_objects" in inspect.signature(function).parameters

    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Any:
        _arguments.drop(kwargs, "safe_mode", "save_format")
        if function is models.load_model:
            if args:
                _file_arguments.check_load(args[0])
            args = tuple(map(_folders.to_read, args[:1])) + args[1:]
        if isinstance(kwargs.get("input_tensors"), Tensor):
            kwargs["input_tensors"] = kwargs["input_tensors"].layer
        if takes_classes:
            given = kwargs.pop("custom_objects", None) if len(args) < 2 else args[1]
            kwargs["custom_objects"] = {**layers.CLASSES, **(given or {})}
            args = (*args[:1], *args[2:])
            # Functions too: of activations, losses and metrics.
            with custom_object_scope({**in_scope(), **(given or {})}):
                made = function(*args, **kwargs)
        else:
            made = function(*args, **kwargs)
        return made if made is None else adopt(made)

    make.__module__ = __name__
    return make


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    include_optimizer: bool = True,
    zipped: bool = True,
    **kwargs: Any,
) -> None:
    """Write a model to one file; see ``pyconv.Sequential.save``.

    Args:
        model: the model.
        filepath: the file, or one that is open for writing bytes.
        overwrite: False raises an error where the file exists.
        include_optimizer: False leaves the compile arguments and the optimizer out.
        zipped: False writes a folder, as Keras 3 does.
        **kwargs: ``save_format`` of Keras 2: the file's ending says it.

    Example:
        >>> import os, tempfile, pyconv.compat.keras as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
        >>> keras.models.save_model(model, path)
        >>> keras.models.load_model(path).count_params()
        10
    """
    _file_arguments.check_save(filepath, kwargs, zipped)
    plain = hasattr(filepath, "write") or not zipped
    place = filepath if plain else _folders.to_write(filepath)
    models.save_model(model, place, overwrite, include_optimizer, zipped)


_OWN = ("Sequential", "clone_model", "save_model")
_names = {name: _adopting(getattr(models, name)) for name in models.__all__ if name not in _OWN}
_names["clone_model"] = _adopting(models.clone_model)


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """Return a model of the same architecture with weights of its own, initialized anew.

    Args:
        model: the model; it is left as it is.
        input_tensors: None, or an ``Input`` to begin with in place of the model's.
        clone_function: returns the new layer for a layer; by default one of its configuration.
        call_function: calls a new layer, ``call_function(layer, inputs)``, and may put others
            behind it; for models that are built.
        recursive: whether the two functions are also given the layers of models within, and not
            these models.

    Raises:
        TypeError: an argument has the wrong type.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> twice = keras.models.clone_model(
        ...     model, call_function=lambda layer, x: keras.layers.Dropout(0.5)(layer(x))
        ... )
        >>> [type(layer).__name__ for layer in twice.layers]
        ['InputLayer', 'Dense', 'Dropout']
    """
    # Not by isinstance: a Sequential counts as a Model.
    made = _cloned(model, input_tensors, clone_function, call_function, recursive)
    if _is_recompiled(model) and not made.compiled:
        made.compile_from_config(model.get_compile_config())
    return made


def _is_recompiled(model: Any) -> bool:
    """Whether a clone is compiled as the model is: in Keras 3."""
    return bool(model.compiled) and not _era.is_keras2()


def _cloned(
    model: Any, input_tensors: Any, clone_function: Any, call_function: Any, recursive: bool
) -> Any:
    wired = hasattr(type(model), "_is_wired") and model._is_wired()
    plain = call_function is None and clone_function is None and input_tensors is None
    kind = before(type(model))
    if plain and getattr(kind, "call", OwnModel.call) is not OwnModel.call:
        return kind.from_config(model.get_config())

    def clone(member: Any) -> Any:
        if isinstance(member, Stack) and (recursive or clone_function is None):
            if not recursive:
                return _cloned(member, None, None, None, False)
            return _cloned(member, None, clone_function, call_function, True)
        if clone_function is not None:
            return clone_function(member)
        return type(member).from_config(member.get_config())

    nested = isinstance(model, Sequential) and model._is_nested()
    if nested and not wired and call_function is None:
        first = [] if model._input is None else [input_tensors or clone(model._input)]
        return Sequential([*first, *map(clone, model._members())], name=model.name)
    if call_function is None and not wired:
        return _names["clone_model"](
            model, input_tensors=input_tensors, clone_function=clone_function
        )
    if call_function is None:
        call_function = _called
    if not callable(call_function):
        raise TypeError(f"clone_model: call_function must be callable, got {call_function!r:.60}")
    given = input_tensors
    while isinstance(given, (list, tuple)) and len(given) == 1:
        given = given[0]
    return cloned(model, given, clone, call_function)


def _called(layer: Any, inputs: Any) -> Any:
    return layer(inputs)


def model_from_yaml(yaml_string: str, custom_objects: Any = None) -> Any:
    """Return a new model of the architecture that ``to_yaml`` wrote; of Keras's, by PyYAML.

    Args:
        yaml_string: the YAML.
        custom_objects: your own layer classes by name.

    Raises:
        ImportError: it is not JSON, and PyYAML is not installed.
        ValueError: it is not that of a Sequential, or holds more than plain data.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> keras.models.model_from_yaml(model.to_yaml()).count_params()
        10
    """
    try:
        json.loads(yaml_string)
    except ValueError:
        yaml = importlib.import_module("yaml")
        try:
            yaml_string = json.dumps(yaml.safe_load(yaml_string))
        except yaml.YAMLError as error:
            raise ValueError(f"model_from_yaml: {error}") from None
    return _names["model_from_json"](yaml_string, custom_objects=custom_objects)


globals().update({name: found for name, found in _names.items() if name != "clone_model"})
__all__ = sorted([*_names, "Model", "Sequential", "model_from_yaml", "save_model"])
Input = layers.Input  # scripts import it from here too
__getattr__ = _unsupported.getter(__name__, models)
