"""The loops over batches and epochs: what fit, evaluate and predict do once all is checked."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pyconv._spans import span
from pyconv._step_runs import NO_RUN, StepRuns
from pyconv._types import Array
from pyconv.batches import ArrayBatches, StreamBatches
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
            callbacks.call("on_train_begin", {})
            if model.resumed_epoch is not None:
                epochs = range(model.resumed_epoch, epochs.stop)
            for epoch in epochs:
                progress.begin(data.steps, epoch, epochs.stop)
                callbacks.call("on_epoch_begin", epoch, {})
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
                    if not data.ends_with_pass:
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
    data: Batches,
    callbacks: CallbackList,
    progress: Progress,
    interrupts: Interrupts,
) -> int:
    """Train one epoch; return the number of steps made."""
    calls = _BatchCalls(model, callbacks, "train")
    objective = model.objective
    objective.reset()
    batches = iter(data)
    runs = StepRuns(model, batches, data.are_native and calls.are_none)
    step, batch = 0, None
    while True:
        interrupts.begin_step()
        run = runs.make() if batch is None else NO_RUN
        interrupts.end_step()
        if run.steps:
            progress.update(run.images, objective.results, run.steps)
            step, batch = step + run.steps, run.left
        else:
            batch = batch or run.left or next(batches, None)
            if batch is None:
                break
            calls.begin(step)
            interrupts.begin_step()
            model._train_step(batch)
            interrupts.end_step()
            progress.update(len(batch.x), objective.results)
            calls.end(step)
            step, batch = step + 1, None
        if model.stop_training:
            break
    calls.close(step)
    return step


class _BatchCalls:
    """The calls of callbacks before and after a batch, or after ``steps_per_execution`` of them."""

    def __init__(self, model: Trainable, callbacks: CallbackList, phase: str) -> None:
        self._model = model
        self._begin = callbacks.listeners(f"on_{phase}_batch_begin")
        self._end = callbacks.listeners(f"on_{phase}_batch_end")
        self._every = model.steps_per_execution

    @property
    def are_none(self) -> bool:
        """Whether nothing is to be called."""
        return not self._begin and not self._end

    def begin(self, step: int) -> None:
        """Call what is to be called before the step."""
        if self._begin and step % self._every == 0:
            for listener in self._begin:
                listener(step, {})

    def end(self, step: int) -> None:
        """Call what is to be called after the step."""
        if self._end and (step + 1) % self._every == 0:
            logs = self._model._logged(self._model.objective.results())
            with span("callbacks"):
                for listener in self._end:
                    listener(step, logs)

    def close(self, steps: int) -> None:
        """Call what is to be called where the last steps are fewer."""
        left = steps % self._every
        if self._end and left:
            self.end(steps - left + self._every - 1)


def evaluate(
    model: Trainable,
    data: Batches,
    callbacks: CallbackList,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Return loss and metrics over the data."""
    progress = progress or Progress(0)
    calls = _BatchCalls(model, callbacks, "test")
    progress.begin(data.steps)
    model.stop_evaluating = False
    callbacks.call("on_test_begin", {})
    step = 0
    try:
        for step, batch in enumerate(data, 1):
            if step == 1:
                model.objective.reset()
            calls.begin(step - 1)
            model._test_step(batch)
            progress.update(len(batch.x), model.objective.results)
            calls.end(step - 1)
            if model.stop_evaluating:
                break
        calls.close(step)
        if step == 0:
            raise ValueError("evaluate: there are no batches to evaluate on")
        results = model.objective.results()
        callbacks.call("on_test_end", model._logged(results))
        progress.finish(results)
    finally:
        progress.close()
    return results


class _PredictCalls(_BatchCalls):
    """The same with the outputs of the batches, together where there are several."""

    def __init__(self, model: Trainable, callbacks: CallbackList) -> None:
        super().__init__(model, callbacks, "predict")
        self._outputs: list[Array] = []
        self._last = 0

    def take(self, step: int, output: Array) -> None:
        """Call what is to be called after the step."""
        if self._end:
            self._outputs.append(output)
            self._last = step // self._every * self._every + self._every - 1
            if step == self._last:
                self.finish()

    def finish(self) -> None:
        """Call what is to be called for the outputs that it has not been called for."""
        if not self._outputs:
            return
        one = len(self._outputs) == 1
        logs = {"outputs": self._outputs[0] if one else np.concatenate(self._outputs)}
        self._outputs = []
        for listener in self._end:
            listener(self._last, logs)


def predict(model: Trainable, data: Batches, callbacks: CallbackList, progress: Progress) -> Array:
    """Return the outputs of all rows, in an array of its own."""
    calls = _PredictCalls(model, callbacks)
    collected: Any = None
    parts: list[Array] = []
    at = 0
    progress.begin(data.steps)
    model.stop_predicting = False
    callbacks.call("on_predict_begin", {})
    try:
        for step, batch in enumerate(data):
            calls.begin(step)
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
            calls.take(step, output)
            if model.stop_predicting:
                break
        calls.finish()
        callbacks.call("on_predict_end", {})
        progress.finish({})
    finally:
        progress.close()
    if collected is None:
        if not parts:
            raise ValueError("predict: there are no batches to predict")
        collected = np.concatenate(parts)
    elif 0 < at < len(collected):
        collected = collected[:at].copy()  # a callback ended it
    return collected  # type: ignore[no-any-return]


def _warn_of_end(steps: int, wanted: int | None) -> None:
    warnings.warn(
        "Your input ran out of data; interrupting training. Make sure that it gives "
        f"{'a batch' if wanted is None else f'{wanted} batches'} in each epoch, got {steps}.",
        stacklevel=4,
    )
