"""The gradient of a class's score, or of the loss, by a model's input."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets, backend, batches, sources
from pyconv._args import bool_arg, shown
from pyconv._convert import float32_array
from pyconv._types import Array

if TYPE_CHECKING:
    from pyconv.model import Sequential

_OWNER = "input_gradient"

# (outputs of some rows, the first row) to the gradient by these outputs.
OutputGradient = Callable[[Array, int], Array]


def input_gradient(
    model: "Sequential",
    x: Any,
    y: Any,
    class_index: Any,
    before_softmax: bool,
    batch_size: int | None,
) -> Array:
    """See ``Sequential.input_gradient``."""
    if y is not None and class_index is not None:
        raise ValueError(f"{_OWNER}: only one of y and class_index may be given")
    if y is not None and not (model.compiled and model.loss is not None):
        raise ValueError(
            f"{_OWNER}: y is for the gradient of the loss, and the model has none; call "
            "compile(optimizer, loss) first, or give class_index for that of a class's score"
        )
    size = sources.batch_size(_OWNER, batch_size)
    inputs = batches.inputs(_OWNER, x)
    model._ensure_built(inputs.shape[1:])
    shape = model.compute_output_shape(inputs.shape)
    if y is None:
        at_scores = bool_arg(_OWNER, "before_softmax", before_softmax)
        logits = at_scores and model._ends_in_softmax
        slope = _of_score(class_index, shape)
    else:
        logits = model.objective.takes_logits(model._ends_in_softmax)
        slope = _of_loss(model, y, shape, logits)
    result = np.empty(inputs.shape, np.float32)
    with _frozen(model):
        for at in range(0, len(inputs), size):
            rows = float32_array(_OWNER, "x", inputs[at : at + size])
            result[at : at + size] = _passed(model, rows, at, slope, logits)
    return result


@contextmanager
def _frozen(model: "Sequential") -> Iterator[None]:
    """Have no layer train, so that gradients of weights are not computed."""
    leaves = [leaf for layer in model._layers for leaf in layer.leaves() if leaf.trainable]
    try:
        for leaf in leaves:
            leaf.trainable = False
        yield
    finally:
        for leaf in leaves:
            leaf.trainable = True


def _passed(
    model: "Sequential", rows: Array, at: int, slope: OutputGradient, logits: bool
) -> Array:
    """Go forward through the layers and back, one by one: joined ones keep too little for it."""
    layers = model._layers
    options: list[dict[str, bool]] = [{} for _ in layers]
    if logits:
        options[-1] = {"logits": True}
    values = backend.on_device(rows)
    for layer, option in zip(layers, options, strict=True):
        layer.move()
        values = layer.forward(values, False, **option)
    grad: Any = backend.on_device(slope(np.asarray(values), at))
    for layer, option in zip(reversed(layers), reversed(options), strict=True):
        grad = layer.backward(grad, True, **option)
        if grad is None:
            raise ValueError(f"{_OWNER}: {layer.label} gives no gradient of its input")
    return np.asarray(grad)


def _of_score(class_index: Any, shape: tuple[int | None, ...]) -> OutputGradient:
    if len(shape) != 2:
        raise ValueError(
            f"{_OWNER}: a class's score needs outputs (N, classes), got {shape}; give y, for the "
            "gradient of the loss"
        )
    count, classes = shape
    given: NDArray[Any] | None = None
    if class_index is not None:
        if np.ndim(class_index) == 0:
            class_index = np.full(count or 0, class_index)
        given = _targets.class_numbers(_OWNER, class_index, (count, classes), "class_index")

    def slope(scores: Array, at: int) -> Array:
        chosen = scores.argmax(axis=1) if given is None else given[at : at + len(scores)]
        grad = np.zeros(scores.shape, np.float32)
        grad[np.arange(len(scores)), chosen] = 1
        return grad

    return slope


def _of_loss(
    model: "Sequential", y: Any, shape: tuple[int | None, ...], logits: bool
) -> OutputGradient:
    from pyconv.objective import counted_rows

    objective = model.objective
    targets = _targets.numeric(_OWNER, "y", y)
    if targets.shape[:1] != shape[:1]:
        raise ValueError(
            f"{_OWNER}: x and y must have the same number of samples, got {shape[0]} and "
            f"{len(targets) if targets.ndim else shown(y)}"
        )
    targets = objective.loss.check_targets(targets, shape, _OWNER)
    on_logits = objective.loss.on_logits() if logits else None
    loss = on_logits or objective.loss

    def slope(outputs: Array, at: int) -> Array:
        grad = np.empty(outputs.shape, np.float32)
        masks, several = model._output_mask(), None
        if isinstance(masks, list):
            masks, several = None, masks
        # Sample by sample, so that no loss takes a mean over the batch.
        for i in range(len(outputs)):
            label, output = targets[at + i : at + i + 1], outputs[i : i + 1]
            rows = loss.rows_shape(output.shape)
            mask = masks[i : i + 1] if masks is not None else None
            if several is not None:
                loss.take_masks([m if m is None else m[i : i + 1] for m in several])
            scale = loss.row_scale(rows, None, counted_rows(loss, label, rows, mask))
            scale *= np.float32(objective.loss_weight)
            grad[i : i + 1] = loss.call_with_gradient(label, output, scale)[1]
        return grad

    return slope
