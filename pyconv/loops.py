"""The loops over batches and epochs: what fit, evaluate and predict do once all is checked."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pyconv._spans import span
from pyconv._types import Array
from pyconv.batches import ArrayBatches, Batch, StreamBatches
from pyconv.callbacks.callback_list import CallbackList
from pyconv.interrupts import Interrupts
from pyconv.progress import Progress
from pyconv.trainable import Trainable

Batches = ArrayBatches | StreamBatches


def train(
    model: Trainable,
    data: Batches,
    validation: Batches | None,
    validates: Callable[[int], bool],
    epochs: range,
    callbacks: CallbackList,
    progress: Progress,
) -> None:
    """Train for these epochs, or until ``model.stop_training``.

    However it ends, ``on_train_end`` is called, and model and history are as after a whole step.
    """
    model.stop_training = model.interrupted = False
    model.resumed_epoch = None
    logs: dict[str, float] = {}
    with Interrupts() as interrupts:
        try:
            callbacks.call("on_train_begin", None)
            if model.resumed_epoch is not None:
                epochs = range(model.resumed_epoch, epochs.stop)
            for epoch in epochs:
                progress.begin(data.steps, epoch, epochs.stop)
                callbacks.call("on_epoch_begin", epoch, None)
                with span(f"epoch {epoch + 1}"):
                    steps = _train_epoch(model, data, callbacks, progress, interrupts)
                if steps == 0:
                    _warn_of_end(0, data.steps)
                    break
                logs = model.objective.results()
                if validation is not None and validates(epoch):
                    with span("validation"):
                        measured = evaluate(model, validation, callbacks)
                    logs.update(("val_" + key, value) for key, value in measured.items())
                logs = model._logged(logs)
                # A callback that saves, or the history, is not to be cut off half-way.
                interrupts.begin_step()
                with span("callbacks"):
                    callbacks.call("on_epoch_end", epoch, logs)
                progress.finish(logs)
                interrupts.end_step()
                if model.stop_training:
                    break
                if data.steps is not None and steps < data.steps:
                    _warn_of_end(steps, data.steps)
                    break
        except BaseException:
            model.interrupted = True
            progress.close()
            interrupts.begin_step()
            try:
                callbacks.call_all("on_train_end", logs)
            except Exception as error:
                warnings.warn(f"a callback's on_train_end failed: {error!r}", stacklevel=3)
            raise
        progress.close()
        interrupts.begin_step()
        if model.optimizer is not None and epochs:
            model.optimizer.finalize_variable_values(model._params())
        callbacks.call_all("on_train_end", logs)
        interrupts.end_step()


def _train_epoch(
    model: Trainable,
    data: Iterable[Batch],
    callbacks: CallbackList,
    progress: Progress,
    interrupts: Interrupts,
) -> int:
    """Train one epoch; return the number of steps made."""
    begin = callbacks.listeners("on_train_batch_begin")
    end = callbacks.listeners("on_train_batch_end")
    objective = model.objective
    objective.reset()
    step = 0
    for batch in data:
        for listener in begin:
            listener(step, None)
        interrupts.begin_step()
        model._train_step(batch)
        interrupts.end_step()
        progress.update(len(batch.x), objective.results)
        if end:
            logs = model._logged(objective.results())
            with span("callbacks"):
                for listener in end:
                    listener(step, logs)
        step += 1
        if model.stop_training:
            break
    return step


def evaluate(
    model: Trainable,
    data: Batches,
    callbacks: CallbackList,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Return loss and metrics over the data."""
    progress = progress or Progress(0)
    begin = callbacks.listeners("on_test_batch_begin")
    end = callbacks.listeners("on_test_batch_end")
    progress.begin(data.steps)
    callbacks.call("on_test_begin", None)
    step = 0
    try:
        for step, batch in enumerate(data, 1):
            if step == 1:
                model.objective.reset()
            for listener in begin:
                listener(step - 1, None)
            model._test_step(batch)
            progress.update(len(batch.x), model.objective.results)
            for listener in end:
                listener(step - 1, model._logged(model.objective.results()))
        if step == 0:
            raise ValueError("evaluate: there are no batches to evaluate on")
        results = model.objective.results()
        callbacks.call("on_test_end", model._logged(results))
        progress.finish(results)
    finally:
        progress.close()
    return results


def predict(model: Trainable, data: Batches, callbacks: CallbackList, progress: Progress) -> Array:
    """Return the outputs of all rows, in an array of its own."""
    begin = callbacks.listeners("on_predict_batch_begin")
    end = callbacks.listeners("on_predict_batch_end")
    collected: Any = None
    parts: list[Array] = []
    at = 0
    progress.begin(data.steps)
    callbacks.call("on_predict_begin", None)
    try:
        for step, batch in enumerate(data):
            for listener in begin:
                listener(step, None)
            with span("predict step"):
                output = model._predicted(batch.x)
            if isinstance(data, ArrayBatches):
                if collected is None:
                    rows = min(data.samples, data.steps * len(output))
                    one = rows == len(output)
                    collected = output if one else np.empty((rows, *output.shape[1:]), np.float32)
                if collected is not output:
                    collected[at : at + len(output)] = output
                at += len(output)
            else:
                parts.append(output)
            progress.update(len(batch.x), dict)
            for listener in end:
                listener(step, {"outputs": output})
        callbacks.call("on_predict_end", None)
        progress.finish({})
    finally:
        progress.close()
    if collected is None:
        if not parts:
            raise ValueError("predict: there are no batches to predict")
        collected = np.concatenate(parts)
    return collected  # type: ignore[no-any-return]


def _warn_of_end(steps: int, wanted: int | None) -> None:
    warnings.warn(
        "Your input ran out of data; interrupting training. Make sure that it gives "
        f"{'a batch' if wanted is None else f'{wanted} batches'} in each epoch, got {steps}.",
        stacklevel=4,
    )
