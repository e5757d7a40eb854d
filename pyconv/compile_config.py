"""The arguments of ``compile`` as JSON-able values, and back."""

import json
import types
import warnings
from collections.abc import Mapping
from typing import Any

from pyconv import losses, metrics, optimizers
from pyconv._registry import kind_of
from pyconv.custom_objects import get_registered_name, named
from pyconv.losses.crossentropy import Crossentropy
from pyconv.losses.loss import Loss
from pyconv.metrics.metric import Metric
from pyconv.optimizers.optimizer import Optimizer

KEYS = {"optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"}


def to_config(
    optimizer: Optimizer,
    loss: Loss | None,
    loss_weights: float | None,
    metrics: list[Any],
    weighted_metrics: list[Any],
) -> dict[str, Any]:
    """Return the arguments by name; what is the user's own code by its name, where it has one."""
    return {
        "optimizer": _serialized(optimizer, optimizers),
        "loss": None if loss is None else _serialized(loss, losses),
        "loss_weights": loss_weights,
        "metrics": _metrics(metrics),
        "weighted_metrics": _metrics(weighted_metrics),
    }


def from_config(config: Any) -> dict[str, Any]:
    """Return the arguments of ``compile``.

    Raises:
        TypeError: ``config`` is not a dict.
        ValueError: a key is not known.
    """
    if not isinstance(config, dict):
        raise TypeError(f"compile_from_config: config must be a dict, got {config!r:.80}")
    unknown = sorted(map(str, set(config) - KEYS))
    if unknown:
        raise ValueError(f"compile_from_config: unknown keys {unknown}; known are {sorted(KEYS)}")
    arguments = dict(config)
    if arguments.get("optimizer") is None:
        arguments.pop("optimizer", None)
    return arguments


def _serialized(instance: Any, module: Any) -> Any:
    # Loading looks classes up by name: a class of the user's own is not found, or worse, another.
    if isinstance(instance, Crossentropy):
        instance = instance._chosen or instance
    found = kind_of(instance)
    own = getattr(module, found.__name__, None) is not found
    described = _of_the_user(instance, own) if module is not optimizers else None
    if described is not None:
        return described
    if own or found in (losses.LossFunctionWrapper, metrics.MeanMetricWrapper):
        _warn(found.__name__ if own else instance.name)
        return None
    serialized: dict[str, Any] = module.serialize(instance)
    if isinstance(instance, Optimizer):
        config = serialized["config"]
        if "learning_rate" in config:
            config["learning_rate"] = _rate(instance, config["learning_rate"])
    return serialized


def _of_the_user(instance: Any, own: bool) -> Any:
    """Return the name of a function that is a loss or a metric, or a class with its config."""
    wrappers = losses.LossFunctionWrapper, metrics.MeanMetricWrapper
    if isinstance(instance, wrappers) and not own:
        function = getattr(instance, "fn", None) or getattr(instance, "_fn", None)
        return _name(function) if not instance._kwargs else None
    if not own:
        return None
    try:
        config = json.loads(json.dumps(instance.get_config()))
    except (NotImplementedError, TypeError, ValueError):
        return None
    return {"class_name": get_registered_name(kind_of(instance)), "config": config}


def _name(function: Any) -> str | None:
    """Return the name by which a function may be found again, None where it has none."""
    name = getattr(function, "__name__", "<lambda>")
    if not isinstance(function, types.FunctionType) or name == "<lambda>":
        return None
    return get_registered_name(function)


def known(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``compile`` that a file has, the user's own code among them.

    It is found by name among the custom objects.

    Raises:
        ValueError: a loss or a metric is not known.
    """
    result = dict(config)
    result["loss"] = _known(config.get("loss"), losses)
    for name in ("metrics", "weighted_metrics"):
        result[name] = _known(config.get(name), metrics)
    return result


def _known(tree: Any, module: Any) -> Any:
    if isinstance(tree, list):
        return [_known(part, module) for part in tree]
    if isinstance(tree, Mapping) and "class_name" not in tree:
        return {name: _known(part, module) for name, part in tree.items()}
    if tree is None or tree in ("accuracy", "acc", "crossentropy", "ce"):
        return tree
    try:
        found = module.get(dict(tree) if isinstance(tree, Mapping) else tree)
        # What is the user's own may not be found any more once the model is compiled.
        is_own = isinstance(tree, str) and named(tree) is not None
        return found if is_own or isinstance(tree, Mapping) else tree
    except (TypeError, ValueError) as error:
        raise ValueError(f"{error}; code of your own is to be given in custom_objects") from None


def _rate(optimizer: Optimizer, rate: Any) -> Any:
    """Return the learning rate as its config has it; of the user's own code, its present value."""
    known = vars(optimizers.schedules)
    if isinstance(rate, float) or (isinstance(rate, dict) and rate["class_name"] in known):
        return rate
    warnings.warn(
        "the learning rate's schedule is code of your own and is not saved, its present value is",
        stacklevel=7,
    )
    return float(optimizer.learning_rate)


def _metrics(identifiers: list[Any]) -> list[Any]:
    configs = []
    for identifier in identifiers:
        config: Any
        if isinstance(identifier, (str, dict)):
            config = identifier
        elif isinstance(identifier, Metric):
            config = _serialized(identifier, metrics)
        else:
            config = _function_name(identifier)
        if config is not None:
            configs.append(config)
    return configs


def described(value: Any, module: Any) -> Any:
    """Return a loss or a metric, of ``losses`` or ``metrics``, as plain data."""
    if isinstance(value, (Loss, Metric)):
        return _serialized(value, module)
    return _function_name(value)


def _function_name(function: Any) -> str | None:
    name = getattr(function, "__name__", repr(function))
    for module in (metrics, losses):
        if getattr(module, name, None) is function:
            try:
                metrics.get(name)
            except ValueError:
                break
            return str(name)
    found = _name(function)
    if found is None:
        _warn(name)
    return found


def _warn(name: str) -> None:
    warnings.warn(
        f"{name} is code of your own and is not saved; compile again after loading", stacklevel=6
    )
