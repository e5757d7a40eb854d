"""From the arguments of fit, evaluate and predict to batches, with every check on the way."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _convert, _targets, batches
from pyconv._args import float_arg, int_arg
from pyconv._types import Array
from pyconv.batches import ArrayBatches, Batch, StreamBatches
from pyconv.flows import FlowBatches, takes_flow
from pyconv.trainable import Trainable

Triple = tuple[Any, Any, Any]  # inputs, targets, sample weights
Arrays = tuple[NDArray[Any], NDArray[Any], Array | None]
Batches = ArrayBatches | StreamBatches


def training(
    model: Trainable,
    given: Triple,
    class_weight: Any,
    size: int,
    shuffle: bool | str,
    steps_per_epoch: int | None,
    validation_split: float,
    validation_data: Any,
    validation_size: int,
    validation_steps: int | None,
) -> tuple[Batches, Batches | None]:
    """Return the batches of training and of validation."""
    in_order = isinstance(shuffle, (bool, np.bool_))
    if not in_order and not (isinstance(shuffle, str) and shuffle == "batch"):
        raise ValueError(f"fit: shuffle must be True, False or 'batch', got {shuffle!r}")
    if class_weight is not None and given[2] is not None:
        raise ValueError("fit: only one of class_weight and sample_weight may be given")
    fraction = float_arg("fit", "validation_split", validation_split, 0.0, 1.0)
    continues = steps_per_epoch is not None
    last: Triple | None = None
    data: Batches
    if batches.is_stream(given[0], given[1]):
        if fraction and validation_data is None:
            raise ValueError(
                "fit: validation_split needs arrays, got an iterable; give validation_data"
            )
        mixed = bool(shuffle)
        data = _stream(
            model,
            "fit",
            given,
            class_weight,
            steps_per_epoch,
            continues,
            mixed,
            model.ends_epoch_with_pass,
        )
    else:
        checked = _checked(model, "fit", given)
        if fraction and validation_data is None:
            checked, last = batches.split("fit", checked, fraction)
        # After the split: validation is not weighted by class.
        weighted = _class_weighted(model, "fit", checked, class_weight)
        mode = bool(shuffle) if in_order else shuffle
        host = model._begins_on_host
        first = model._leading_augmentation(weighted[0].shape)
        data = ArrayBatches(
            weighted,
            size,
            mode,
            steps_per_epoch,
            continues,
            host,
            first,
            ends_with_pass=model.ends_epoch_with_pass,
            in_buffers=True,
        )
    if validation_data is not None:
        return data, _validation(model, validation_data, validation_size, validation_steps)
    if last is not None:
        return data, ArrayBatches(last, validation_size, steps=validation_steps, on_host=host)
    return data, None


def evaluation(
    model: Trainable, owner: str, given: Triple, size: int, steps: int | None
) -> Batches:
    """Return the batches to evaluate on, in order."""
    if batches.is_stream(given[0], given[1]):
        return _stream(model, owner, given, None, steps, False)
    arrays = _checked(model, owner, given)
    return ArrayBatches(arrays, size, steps=steps, on_host=model._begins_on_host)


def prediction(model: Trainable, x: Any, size: int, steps: int | None) -> Batches:
    """Return the batches to predict, in order."""
    if batches.is_stream(x, None):

        def prepared(item: Any) -> Batch:
            inputs = item[0] if isinstance(item, (tuple, list)) else item
            return Batch(input_batch(model, "predict", inputs), None, None)

        return StreamBatches(x, prepared, steps)
    array = batches.inputs("predict", _of_one_input(model, x), model.input_rank)
    model._ensure_built(array.shape[1:])
    return ArrayBatches((array, None, None), size, steps=steps, on_host=model._begins_on_host)


def input_batch(model: Trainable, owner: str, x: Any) -> Array:
    """Return the inputs of one batch, checked."""
    x = _of_one_input(model, x)
    inputs = _convert.float32_array(owner, "x", batches.inputs(owner, x, model.input_rank))
    model._ensure_built(inputs.shape[1:])
    return model._brought(inputs)


def batch(model: Trainable, owner: str, given: Triple, class_weight: Any) -> Batch:
    """Return one batch, checked."""
    if class_weight is not None and given[2] is not None:
        raise ValueError(f"{owner}: only one of class_weight and sample_weight may be given")
    checked = _checked(model, owner, given)
    x, y, weight = _class_weighted(model, owner, checked, class_weight)
    if y.dtype != np.int64 or y.ndim == len(model.output_shape):
        y = _convert.float32_array(owner, "y", y)
    return Batch(model._brought(_convert.float32_array(owner, "x", x)), y, weight)


def batch_size(owner: str, value: Any, name: str = "batch_size") -> int:
    """Return the size of a batch, 32 for None."""
    return 32 if value is None else int_arg(owner, name, value)


def steps(owner: str, name: str, value: Any) -> int | None:
    """Return a number of steps, or None."""
    return None if value is None else int_arg(owner, name, value)


def validation_epochs(freq: Any) -> Callable[[int], bool]:
    """Return whether to validate in an epoch (from 0), from a number or a list of epochs."""
    if isinstance(freq, (list, tuple, set, range)):
        wanted = {int_arg("fit", "validation_freq", epoch) for epoch in freq}
        return lambda epoch: epoch + 1 in wanted
    every = int_arg("fit", "validation_freq", freq)
    return lambda epoch: (epoch + 1) % every == 0


def _checked(model: Trainable, owner: str, given: Triple) -> Arrays:
    x, y, weight = given
    if x is None:
        raise ValueError(f"{owner}: x must be given")
    if y is None and not model._takes_no_targets():
        raise ValueError(
            f"{owner}: y must be given; an iterable of batches must give tuples (x, y)"
        )
    x, y, weight = model._arranged_batch(owner, x, y, weight)
    inputs = batches.inputs(owner, _of_one_input(model, x), model.input_rank)
    targets = _targets.numeric(owner, "y", _of_one_output(y, len(inputs)))
    if len(inputs) == 0:
        raise ValueError(f"{owner}: x must hold at least one sample, got shape {inputs.shape}")
    if weight is not None:
        weight = _targets.numeric(owner, "sample_weight", weight)
    for name, array in (("y", targets), ("sample_weight", weight)):
        if array is not None and array.shape[:1] != inputs.shape[:1]:
            raise ValueError(
                f"{owner}: x and {name} must have the same number of samples, got {len(inputs)} "
                f"and {len(array) if array.ndim else 'a single number'}"
            )
    model._ensure_built(inputs.shape[1:])
    # Not model.output_shape, which has None where a size of the image is left open.
    output = model.compute_output_shape(inputs.shape)
    targets = model.objective.loss.check_targets(targets, output, owner)
    if weight is not None:
        weight = _targets.sample_weights(owner, weight, model.objective.loss.rows_shape(output))
    model.objective.resolve(targets, output)
    return inputs, targets, weight


def _of_one_input(model: Trainable, x: Any) -> Any:
    """Return the inputs, which may be in a list or a dict of one, as for models of several."""
    if isinstance(x, dict) and len(x) == 1:
        x = next(iter(x.values()))
    # A list of one array that lacks the axis of samples is one sample.
    if isinstance(x, (list, tuple)) and len(x) == 1 and hasattr(x[0], "__array__"):
        rank = model.input_rank
        x = x[0] if rank is not None and np.ndim(x[0]) == rank else x
    return model._arranged(x)


def _of_one_output(y: Any, samples: int) -> Any:
    if isinstance(y, dict) and len(y) == 1:
        return next(iter(y.values()))
    if isinstance(y, (list, tuple)) and len(y) == 1 and hasattr(y[0], "__array__"):
        return y[0] if np.ndim(y[0]) and len(y[0]) == samples != 1 else y
    return y


def _class_weighted(model: Trainable, owner: str, checked: Arrays, class_weight: Any) -> Arrays:
    if class_weight is None:
        return checked
    x, y, _ = checked
    return x, y, batches.class_weights(owner, class_weight, y, model.output_shape[-1])


def _stream(
    model: Trainable,
    owner: str,
    given: Triple,
    class_weight: Any,
    limit: int | None,
    continues: bool,
    shuffle: bool = False,
    ends_with_pass: bool = False,
) -> StreamBatches:
    source, y, weight = given
    for name, value in (("y", y), ("sample_weight", weight)):
        if value is not None:
            raise ValueError(
                f"{owner}: {name} must not be given where x is an iterable of batches, which "
                "gives tuples (x, y, sample_weight)"
            )

    if takes_flow(source):
        # Labels and weights are checked once.
        checked = _checked(model, owner, (source.x, source.y, source.sample_weight))
        if checked[0].shape == source.x.shape:
            _, targets, weights = _class_weighted(model, owner, checked, class_weight)
            flow = FlowBatches(source, targets, weights, model._brought)
            return StreamBatches(flow, flow.batch, limit, continues, shuffle)

    def prepared(item: Any) -> Batch:
        if model._takes_no_targets() and (not isinstance(item, tuple) or len(item) == 1):
            item = (item[0] if isinstance(item, tuple) else item, None)
        if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
            raise ValueError(
                f"{owner}: the iterable must give tuples (x, y) or (x, y, sample_weight), got "
                f"{type(item).__name__}"
            )
        return batch(model, owner, (*item, None)[:3], class_weight)

    return StreamBatches(source, prepared, limit, continues, shuffle, ends_with_pass)


def _validation(model: Trainable, given: Any, size: int, steps_: int | None) -> Batches:
    if isinstance(given, (tuple, list)) and not batches.is_stream(given, None):
        if len(given) not in (2, 3):
            raise ValueError(
                "fit: validation_data must be (x, y) or (x, y, sample_weight), got "
                f"{len(given)} values"
            )
        return evaluation(model, "fit: validation_data", (*given, None)[:3], size, steps_)
    if not batches.is_stream(given, None):
        raise TypeError(
            "fit: validation_data must be (x, y) or (x, y, sample_weight), got "
            f"{type(given).__name__}"
        )
    return evaluation(model, "fit: validation_data", (given, None, None), size, steps_)
