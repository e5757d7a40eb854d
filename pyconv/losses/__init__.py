"""Losses: what training makes small."""

from collections.abc import Mapping
from typing import Any

from pyconv import _registry
from pyconv.custom_objects import named
from pyconv.losses.categorical_crossentropy import (
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from pyconv.losses.circle import Circle, circle
from pyconv.losses.crossentropy import Crossentropy
from pyconv.losses.divergence import (
    CosineSimilarity,
    KLDivergence,
    cosine_similarity,
    kl_divergence,
)
from pyconv.losses.elementwise import BinaryCrossentropy, MeanAbsoluteError, MeanSquaredError
from pyconv.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
)
from pyconv.losses.functional import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from pyconv.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from pyconv.losses.loss import Loss
from pyconv.losses.overlap import Dice, Tversky, dice, tversky
from pyconv.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Poisson,
    huber,
    log_cosh,
    mean_absolute_percentage_error,
    mean_squared_logarithmic_error,
    poisson,
)
from pyconv.losses.wrapper import LossFunctionWrapper

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "as_loss",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]

_CLASS_OF: dict[Any, type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    categorical_hinge: CategoricalHinge,
    circle: Circle,
    cosine_similarity: CosineSimilarity,
    dice: Dice,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
    tversky: Tversky,
}
_SHORT = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "logcosh": log_cosh,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
_FUNCTIONS = {**_SHORT, **{function.__name__: function for function in _CLASS_OF}}
_CLASSES: dict[str, type[Loss]] = {
    **{name: _CLASS_OF[function] for name, function in _FUNCTIONS.items()},
    **{found.__name__.lower(): found for found in _CLASS_OF.values()},
}


def get(identifier: Any) -> Any:
    """Return the loss of a name, a config or a class; None, a function and a ``Loss`` themselves.

    Args:
        identifier: such as 'categorical_crossentropy' or 'mse' (its function is returned),
            'CategoricalCrossentropy' or a class (an instance), what ``serialize`` gave, a
            function, a ``Loss`` or None.

    Raises:
        ValueError: it is none of these, or the name or the config is not known.

    Example:
        >>> import pyconv
        >>> pyconv.losses.get("mse").__name__
        'mean_squared_error'
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        if identifier.lower() in _FUNCTIONS and named(identifier) is None:
            return _FUNCTIONS[identifier.lower()]
        return _registry.made(_registry.find_class("losses.get", "loss", identifier, _CLASSES))
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(
        "losses.get: Could not interpret loss identifier; it must be a name such as "
        f"'categorical_crossentropy', a config, a function or a Loss, got {identifier!r}"
    )


def as_loss(identifier: Any) -> Loss:
    """Return the ``Loss`` that ``compile`` makes of a loss.

    Args:
        identifier: what ``get`` takes, but None; or 'crossentropy', which labels and output tell.

    Raises:
        ValueError: it is none of these.

    Example:
        >>> import pyconv
        >>> type(pyconv.losses.as_loss("mse")).__name__
        'MeanSquaredError'
    """
    if isinstance(identifier, str) and identifier in ("crossentropy", "ce"):
        return Crossentropy()
    found = get(identifier)
    if found is None:
        raise ValueError("as_loss: identifier must be a loss, got None")
    if isinstance(found, Loss):
        return found
    found = getattr(found, "stands_for", found)
    try:
        known = _CLASS_OF.get(found)
    except TypeError:  # a callable object that cannot be hashed
        known = None
    return LossFunctionWrapper(found) if known is None else known()


def serialize(loss: Any) -> Any:
    """Return ``{"class_name": ..., "config": {...}}`` of a ``Loss``, the name of a function.

    Example:
        >>> import pyconv
        >>> pyconv.losses.serialize(pyconv.losses.MeanSquaredError())["class_name"]
        'MeanSquaredError'
    """
    if isinstance(loss, Loss):
        return _registry.to_config(loss)
    if not hasattr(loss, "__name__"):
        raise TypeError(
            f"losses.serialize: loss must be a Loss or a function, got a {type(loss).__name__}"
        )
    return loss.__name__


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Make the loss that ``serialize`` described, or return the function of a name.

    Args:
        name: what ``serialize`` gave.
        custom_objects: your own classes and functions by name.

    Raises:
        ValueError: the class is not in pyconv's table, or an argument is wrong.

    Example:
        >>> import pyconv
        >>> pyconv.losses.deserialize({"class_name": "MeanSquaredError"}).reduction
        'sum_over_batch_size'
    """
    _registry.check_custom(custom_objects)
    if isinstance(name, str):
        return (custom_objects or {}).get(name) or get(name)
    found, arguments = _registry.find_config(
        "losses.deserialize", "loss", name, _registry.with_custom(_CLASSES, custom_objects)
    )
    return _registry.construct("losses.deserialize", found, arguments)
