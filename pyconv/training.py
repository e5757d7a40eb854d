"""Training, evaluation and prediction: what ``Sequential`` has of Keras's ``Model``."""

import sys
from typing import TYPE_CHECKING, Any, cast

from pyconv import _targets, loops, sources
from pyconv._args import bool_arg, int_arg
from pyconv._types import Array
from pyconv.callbacks.callback_list import CallbackList
from pyconv.callbacks.history import History
from pyconv.callbacks.progbar_logger import ProgbarLogger
from pyconv.callbacks.terminate_on_nan import TerminateOnNaN
from pyconv.progress import Progress, verbosity
from pyconv.trainable import Trainable

if TYPE_CHECKING:
    from pyconv.model import Sequential


class Trainer(Trainable):
    """The part of a model that trains it, evaluates it and predicts with it."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train the model.

        Ctrl-C ends it between two steps: KeyboardInterrupt passes out, and ``model.history``
        has the epochs so far.

        Args:
            x: inputs (N, ...), of any type of numbers, converted batch by batch; or an iterable
                of batches ``(x, y)`` or ``(x, y, sample_weight)``.
            y: targets (N, ...), as the loss takes them.
            batch_size: rows of a step; None for 32. The last batch may be smaller.
            epochs: number of the last epoch: with ``initial_epoch`` 2, ``epochs=5`` trains 3.
            verbose: 0 nothing, 1 (or 'auto') a progress bar, 2 a line an epoch.
            callbacks: a list of ``Callback`` objects.
            validation_split: share of the samples, the last ones, to validate on.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, or an iterable of batches;
                goes before ``validation_split``.
            shuffle: True for a new order of the samples in each epoch, 'batch' for one within
                each batch, or False.
            class_weight: weight of each class in the loss; 1 for a class that is not named.
            sample_weight: weight of each sample in the loss, (N,).
            initial_epoch: the epoch, from 0, to begin with.
            steps_per_epoch: steps of an epoch, None for one pass over the data. The next epoch
                goes on where the last one stopped.
            validation_steps: batches to validate on, None for all.
            validation_batch_size: rows of a batch of validation; None for ``batch_size``.
            validation_freq: validate every so many epochs, or in the epochs (from 1) of a list.

        Returns:
            A ``History``: its ``history`` has the values of each epoch by metric.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the model is not compiled, or shapes, labels, weights or an option are
                wrong.

        Example:
            >>> import numpy as np, pyconv
            >>> model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> x = np.array([[0.0, 1.0], [1.0, 0.0]])
            >>> history = model.fit(x, [1.0, 2.0], epochs=3, verbose=0)
            >>> len(history.history["loss"])
            3
        """
        self._require_compiled("fit")
        level = verbosity("fit", verbose)
        last = int_arg("fit", "epochs", epochs, 0)
        first = int_arg("fit", "initial_epoch", initial_epoch, 0)
        size = sources.batch_size("fit", batch_size)
        validation_size = size
        if validation_batch_size is not None:
            validation_size = sources.batch_size(
                "fit", validation_batch_size, "validation_batch_size"
            )
        validates = sources.validation_epochs(validation_freq)
        given = CallbackList(callbacks).callbacks
        # Its user wants to find such targets by their loss.
        stops = any(isinstance(callback, TerminateOnNaN) for callback in given)
        with _targets.non_finite_allowed(stops):
            data, validation = sources.training(
                self,
                (x, y, sample_weight),
                class_weight,
                size,
                shuffle,
                sources.steps("fit", "steps_per_epoch", steps_per_epoch),
                validation_split,
                validation_data,
                validation_size,
                sources.steps("fit", "validation_steps", validation_steps),
            )
            params = {
                "epochs": last,
                "steps": data.steps,
                "verbose": level,
                "do_validation": validation is not None,
            }
            history = next((c for c in given if isinstance(c, History)), None)
            if history is None:
                history = History()
                given = [*given, history]
            called = self._callbacks(given, params)
            own_progress = any(isinstance(c, ProgbarLogger) for c in given)
            loops.train(
                self,
                data,
                validation,
                validates,
                range(first, last),
                called,
                self._progress(0 if own_progress else level, data, validation),
            )
        return history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and the metrics over the data.

        Args:
            x: inputs (N, ...), or an iterable of batches, as for ``fit``.
            y: targets.
            batch_size: rows of a batch; None for 32.
            verbose: 0 nothing, 1 (or 'auto') a progress bar, 2 one line.
            sample_weight: weight of each sample, (N,).
            steps: batches to evaluate on, None for all.
            callbacks: a list of ``Callback`` objects.
            return_dict: whether to return a dict.

        Returns:
            The loss, a float; with metrics a list, the loss first; or a dict by name.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the model is not compiled, or shapes, labels or weights are wrong.

        Example:
            >>> import numpy as np, pyconv
            >>> model = pyconv.Sequential(
            ...     [pyconv.Input((2,)), pyconv.layers.Dense(1, kernel_initializer="zeros")]
            ... )
            >>> model.compile(loss="mse")
            >>> model.evaluate(np.ones((4, 2)), np.full((4, 1), 3.0), verbose=0)
            9.0
        """
        self._require_compiled("evaluate")
        as_dict = bool_arg("evaluate", "return_dict", return_dict)
        level = verbosity("evaluate", verbose)
        data = sources.evaluation(
            self,
            "evaluate",
            (x, y, sample_weight),
            sources.batch_size("evaluate", batch_size),
            sources.steps("evaluate", "steps", steps),
        )
        called = self._callbacks(callbacks, {"steps": data.steps, "verbose": level})
        return _packed(loops.evaluate(self, data, called, self._progress(level, data)), as_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        upto: Any = None,
    ) -> Array:
        """Return the outputs (N, ...), or those of a layer inside, in a new float32 array.

        Args:
            x: inputs (N, ...), of any type of numbers, or an iterable of batches.
            batch_size: rows of a batch; None for 32.
            verbose: 0 nothing, 1 (or 'auto') a progress bar, 2 one line.
            steps: batches to predict, None for all.
            callbacks: a list of ``Callback`` objects.
            upto: a layer of the model, its name or its index: what that layer gives is
                returned, and the layers behind it are left out.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the inputs do not fit the model, or it has no such layer.

        Example:
            >>> import numpy as np, pyconv
            >>> model = pyconv.Sequential(
            ...     [pyconv.Input((2,)), pyconv.layers.Dense(5), pyconv.layers.Dense(3)]
            ... )
            >>> model.predict(np.ones((4, 2)), verbose=0).shape
            (4, 3)
            >>> model.predict(np.ones((4, 2)), verbose=0, upto=0).shape
            (4, 5)
        """
        plain = upto is None and steps is None and callbacks is None
        if plain and type(verbose) is int and verbose == 0:
            # What is checked and prepared for batches takes as long as the kernels of one image.
            result = self._predicted_again(x, 32 if batch_size is None else batch_size)
            if result is not None:
                return result
        part: Trainable = self
        if upto is not None:
            from pyconv._features import model_upto

            part = model_upto(cast("Sequential", self), "predict", upto)
        level = verbosity("predict", verbose)
        size = sources.batch_size("predict", batch_size)
        data = sources.prediction(self, x, size, sources.steps("predict", "steps", steps))
        called = self._callbacks(callbacks, {"steps": data.steps, "verbose": level})
        return loops.predict(part, data, called, self._progress(level, data))

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Make one step on one batch; return its loss and metrics as ``evaluate`` does.

        Args:
            x, y, sample_weight, class_weight: as for ``fit``.
            return_dict: whether to return a dict.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the model is not compiled, or shapes, labels or weights are wrong.

        Example:
            >>> import numpy as np, pyconv
            >>> model = pyconv.Sequential(
            ...     [pyconv.Input((2,)), pyconv.layers.Dense(1, kernel_initializer="zeros")]
            ... )
            >>> model.compile("sgd", "mse")
            >>> model.train_on_batch(np.ones((4, 2)), np.full((4, 1), 3.0))
            9.0
        """
        self._require_compiled("train_on_batch")
        as_dict = bool_arg("train_on_batch", "return_dict", return_dict)
        batch = sources.batch(self, "train_on_batch", (x, y, sample_weight), class_weight)
        self.objective.reset()
        self._train_step(batch)
        return _packed(self.objective.results(), as_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return loss and metrics of one batch as ``evaluate`` does.

        Args:
            x, y, sample_weight: as for ``fit``.
            return_dict: whether to return a dict.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the model is not compiled, or shapes, labels or weights are wrong.

        Example:
            >>> import numpy as np, pyconv
            >>> model = pyconv.Sequential(
            ...     [pyconv.Input((2,)), pyconv.layers.Dense(1, kernel_initializer="zeros")]
            ... )
            >>> model.compile(loss="mse")
            >>> model.test_on_batch(np.ones((4, 2)), np.full((4, 1), 3.0))
            9.0
        """
        self._require_compiled("test_on_batch")
        as_dict = bool_arg("test_on_batch", "return_dict", return_dict)
        batch = sources.batch(self, "test_on_batch", (x, y, sample_weight), None)
        self.objective.reset()
        self._test_step(batch)
        return _packed(self.objective.results(), as_dict)

    def predict_on_batch(self, x: Any) -> Array:
        """Return the outputs of one batch, in a new float32 array.

        Args:
            x: inputs (N, ...), of any type of numbers.

        Raises:
            TypeError: ``x`` does not hold numbers.
            ValueError: it does not fit the model.

        Example:
            >>> import numpy as np, pyconv
            >>> model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(3)])
            >>> model.predict_on_batch(np.ones((4, 2))).shape
            (4, 3)
        """
        result = self._predicted_again(x, sys.maxsize)
        if result is not None:
            return result
        return self._predicted(sources.input_batch(self, "predict_on_batch", x))

    def _progress(
        self, level: int, data: loops.Batches, validation: loops.Batches | None = None
    ) -> Progress:
        """Return what prints the lines of a run over ``data``."""
        return Progress(level)

    def _callbacks(self, callbacks: Any, params: dict[str, Any]) -> CallbackList:
        # Callbacks see the whole model, which is more than this part of it.
        return CallbackList(callbacks, model=cast("Sequential", self), **params)


def _packed(results: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return results
    values = list(results.values())
    return values if len(values) > 1 else values[0]
