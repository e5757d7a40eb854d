"""What ``compile`` and ``fit`` are given for several outputs, one by one."""

from collections.abc import Sequence
from typing import Any

from pyconv import losses
from pyconv._args import float_arg
from pyconv.compat._trees import leaves
from pyconv.losses.loss import Loss


def loss_of_each(given: Any, names: Sequence[str], by_key: bool) -> list[Loss | None]:
    """Return the loss of each output, None where it has none.

    Args:
        given: one loss for all, a list of one for each output, or a dict by name of the output.
        names: the outputs' names.
        by_key: whether the model gives its outputs as a dict.

    Raises:
        KeyError, ValueError: a name is that of no output.
        NotImplementedError: losses of several outputs together, or several losses of one.
        TypeError, ValueError: something is no loss.
    """
    flat = _of_nested(given)
    if len(flat) == len(names):
        found = flat
    elif isinstance(given, dict) and "class_name" not in given:
        unknown = sorted(set(map(str, given)) - set(names))
        if unknown and by_key:
            raise KeyError(
                f"compile: keys {unknown} in the `loss` argument, can't be found in either the "
                f"model's output names or its keys, {list(names)}"
            )
        if unknown:
            raise ValueError(
                f"compile: loss has losses of {unknown}. Expected keys {list(names)}, the names of "
                "the outputs"
            )
        found = [given.get(name) for name in names]
    else:
        found = _each("loss", given, names)
    return [_loss(one, name) for one, name in zip(found, names, strict=True)]


def _of_nested(given: Any) -> list[Any]:
    """Return the losses in lists and dicts of lists and dicts, as the outputs are; else none."""
    if not isinstance(given, (list, tuple, dict)):
        return []
    parts = list(given.values()) if isinstance(given, dict) else list(given)
    nested = any(
        isinstance(part, (list, tuple)) or (isinstance(part, dict) and "class_name" not in part)
        for part in parts
    )
    return leaves(given) if nested and "class_name" not in given else []


def weight_of_each(given: Any, names: Sequence[str]) -> list[float]:
    """Return the factor of each output's loss.

    Raises:
        TypeError, ValueError: something is no number, or there are too few or too many.
    """
    if isinstance(given, dict):
        _check_keys("loss_weights", given, names)
        found = [given.get(name, 1.0) for name in names]
    else:
        found = _each("loss_weights", given, names)
    return [1.0 if w is None else float_arg("compile", "loss_weights", w) for w in found]


def metrics_of_each(argument: str, given: Any, names: Sequence[str]) -> list[list[Any]]:
    """Return the metrics of each output.

    Args:
        argument: 'metrics' or 'weighted_metrics'.
        given: None, a list of a metric or a list for each output, a list of metrics for each of
            them, or a dict by name of the output.
        names: the outputs' names.

    Raises:
        ValueError: a name is that of no output, or there are too few or too many.
    """
    if given is None:
        return [[] for _ in names]
    if isinstance(given, dict):
        _check_keys(argument, given, names)
        return [_as_list(given.get(name)) for name in names]
    parts = _as_list(given)
    if len(parts) == len(names):
        return [_as_list(part) for part in parts]
    if any(isinstance(part, (list, tuple, dict)) for part in parts):
        raise ValueError(
            f"compile: Invalid `{argument}`: a list must have as many entries as there are "
            f"outputs, {len(names)}: {list(names)}, got {len(parts)}"
        )
    return [list(parts) for _ in names]


def arrays_of_each(
    owner: str, argument: str, given: Any, names: Sequence[str], form: Any = None
) -> list[Any]:
    """Return an array for each input or output, of a list or a dict of them.

    Args:
        owner, argument: what errors name.
        given: the list or dict.
        names: the names of a dict.
        form: lists, tuples and dicts as the model was made with, which may be given as well.

    Raises:
        ValueError: there are too few or too many, or a name is missing.
    """
    if isinstance(given, dict) and isinstance(form, dict) and set(form) == set(given):
        return leaves(given)
    if isinstance(given, dict) and set(names) <= set(given):
        return [given[name] for name in names]
    found = leaves(given) if isinstance(given, (list, tuple, dict)) else [given]
    if len(found) != len(names) or (isinstance(given, dict) and set(given) - set(names)):
        got = f"keys {sorted(map(str, given))}" if isinstance(given, dict) else f"{len(found)}"
        raise ValueError(
            f"{owner}: {argument} must be a list of {len(names)} arrays or a dict of them by name, "
            f"{list(names)}, got {got}"
        )
    return found


def _each(argument: str, given: Any, names: Sequence[str]) -> list[Any]:
    """Return one for each output, of a list or of one for all."""
    if not isinstance(given, (list, tuple)):
        return [given] * len(names)
    if len(given) == 1:
        return _each(argument, given[0], names) if len(names) > 1 else list(given)
    if len(given) != len(names):
        raise ValueError(
            f"compile: {argument} must have one for each of the {len(names)} outputs, "
            f"{list(names)}, got {len(given)}"
        )
    return list(given)


def _loss(given: Any, name: str) -> Loss | None:
    while isinstance(given, (list, tuple)) and len(given) == 1:
        given = given[0]
    if given is None:
        return None
    if isinstance(given, (list, tuple)) or (isinstance(given, dict) and "class_name" not in given):
        raise NotImplementedError(
            f"compile: the loss of output {name!r} must be one loss; losses of several outputs "
            f"together, or several of one, are not supported: write one function, got {given!r:.60}"
        )
    loss = losses.as_loss(given)
    if loss.reduction == "none":
        raise ValueError(
            f"compile: the loss of output {name!r} must be one number, got {loss.name} with "
            "reduction='none'; use 'sum_over_batch_size' or 'sum'"
        )
    return loss


def _check_keys(argument: str, given: dict[Any, Any], names: Sequence[str]) -> None:
    unknown = sorted(set(map(str, given)) - set(names))
    if unknown:
        raise ValueError(
            f"compile: Invalid `{argument}`: keys {unknown} are names of no output; they are "
            f"{list(names)}"
        )


def _as_list(given: Any) -> list[Any]:
    return [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
