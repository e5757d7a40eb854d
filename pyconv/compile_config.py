"""The arguments of ``compile`` as JSON-able values, and back."""

import warnings
from typing import Any

from pyconv import losses, metrics, optimizers
from pyconv._registry import kind_of
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
    """Return the arguments by name; what is the user's own code is left out with a warning."""
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


def _serialized(instance: Any, module: Any) -> dict[str, Any] | None:
    # Loading looks classes up by name: a class of the user's own is not found, or worse, another.
    if isinstance(instance, Crossentropy):
        instance = instance._chosen or instance
    found = kind_of(instance)
    own = getattr(module, found.__name__, None) is not found
    if own or found in (losses.LossFunctionWrapper, metrics.MeanMetricWrapper):
        _warn(found.__name__ if own else instance.name)
        return None
    serialized: dict[str, Any] = module.serialize(instance)
    if isinstance(instance, Optimizer):
        config = serialized["config"]
        if "learning_rate" in config:
            config["learning_rate"] = _rate(instance, config["learning_rate"])
    return serialized


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
    _warn(name)
    return None


def _warn(name: str) -> None:
    warnings.warn(
        f"{name} is code of your own and is not saved; compile again after loading", stacklevel=6
    )
