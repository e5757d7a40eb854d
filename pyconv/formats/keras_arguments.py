"""The arguments of Keras 1 and 2 in terms of those of Keras 3."""

import warnings
from collections.abc import Mapping
from typing import Any

from pyconv._args import is_one_of

Arguments = tuple[tuple[Any, ...], dict[str, Any]]

_KERNEL = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}
_IMAGE = {"dim_ordering": "data_format"}
_WINDOW = {
    **_IMAGE,
    "border_mode": "padding",
    "subsample": "strides",
    "stride": "strides",
}
_CONV = {**_KERNEL, **_WINDOW, "nb_filter": "filters", "atrous_rate": "dilation_rate"}
_RENAMED: dict[str, dict[str, str]] = {
    "Conv1D": {**_CONV, "filter_length": "kernel_size", "subsample_length": "strides"},
    "Conv2D": _CONV,
    "Conv3D": _CONV,
    "Conv2DTranspose": _CONV,
    "SeparableConv2D": {
        **_CONV,
        "depthwise_init": "depthwise_initializer",
        "pointwise_init": "pointwise_initializer",
    },
    "DepthwiseConv2D": {**_WINDOW, "init": "depthwise_initializer", "bias": "use_bias"},
    "Dense": {**_KERNEL, "output_dim": "units"},
    "Embedding": {"init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer"},
    "MaxPooling2D": _WINDOW,
    "AveragePooling2D": _WINDOW,
    "GlobalMaxPooling2D": _IMAGE,
    "GlobalAveragePooling2D": _IMAGE,
    "ZeroPadding2D": _IMAGE,
    "UpSampling2D": _IMAGE,
    "Cropping2D": _IMAGE,
    "Dropout": {"p": "rate"},
    "SpatialDropout2D": {"p": "rate", **_IMAGE},
    "GaussianDropout": {"p": "rate"},
    "GaussianNoise": {"sigma": "stddev"},
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "LeakyReLU": {"alpha": "negative_slope"},
}
# Convolutions that Keras 1 gave the height and the width of the filter one by one.
_ROWS_AND_COLUMNS = ("Conv2D", "SeparableConv2D", "Conv2DTranspose")
_ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": None}


def layer(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], keras2: bool) -> Arguments:
    """Return the arguments of a layer of the class ``name``, old ones under their new names.

    Raises:
        ValueError: an argument is given under both names, or the filter's size is incomplete.
    """
    given = dict(kwargs)
    if "stride" in given and name in _RENAMED:
        warnings.warn(f"{name}: stride is called strides", stacklevel=4)
    for old, new in _RENAMED.get(name, {}).items():
        rename(name, given, old, new)
    if is_one_of(given.get("data_format"), _ORDERINGS):
        given["data_format"] = _ORDERINGS[given["data_format"]]
    if "batch_input_shape" in given:
        given["input_shape"] = tuple(given.pop("batch_input_shape")[1:])
    given.pop("input_dtype", None)
    if name in _ROWS_AND_COLUMNS:
        args = _kernel_size(name, args, given, keras2)
    return args, given


def rename(owner: str, kwargs: dict[str, Any], old: str, new: str) -> None:
    """Move an argument to its new name; ValueError where both are given."""
    if old not in kwargs:
        return
    if new in kwargs:
        raise ValueError(f"{owner}: {old} is the old name of {new}; give one of them")
    kwargs[new] = kwargs.pop(old)


def drop(kwargs: dict[str, Any], *names: str) -> None:
    """Take arguments away that have no effect here."""
    for name in names:
        kwargs.pop(name, None)


def _kernel_size(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], keras2: bool
) -> tuple[Any, ...]:
    rows, columns = kwargs.pop("nb_row", None), kwargs.pop("nb_col", None)
    if (rows is None) != (columns is None):
        raise ValueError(f"{name}: nb_row and nb_col must be given together; or kernel_size")
    if rows is not None:
        if "kernel_size" in kwargs:
            raise ValueError(f"{name}: nb_row and nb_col are kernel_size; give one of them")
        kwargs["kernel_size"] = (rows, columns)
    if not keras2:
        return args
    # As Keras 2 reads it: (filters, rows, columns) where both are integers.
    if len(args) == 3 and all(isinstance(size, int) for size in args[1:]):
        if "kernel_size" in kwargs:
            raise ValueError(f"{name}: kernel_size is given twice, as {args[1:]} and by its name")
        return args[0], args[1:]
    if len(args) > 3:
        raise ValueError(
            f"{name}: only (filters, kernel_size) or (filters, rows, columns) may be given by "
            f"place, got {args!r:.80}; name the others: strides=, padding=, activation=, "
            "input_shape="
        )
    return args
