"""The methods of models that Keras 3 has no longer."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv._args import int_arg
from pyconv._types import Array
from pyconv.callbacks import History
from pyconv.formats import keras_arguments as _arguments
from pyconv.model import Sequential

# What Keras 1 and 2 said of threads that fetch batches.
QUEUE = (
    "max_q_size",
    "max_queue_size",
    "nb_worker",
    "workers",
    "pickle_safe",
    "use_multiprocessing",
)


class Generators(Sequential):
    """A model that takes generators by methods of their own, and predicts classes."""

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
        **kwargs: Any,
    ) -> History:
        """Train on the batches of a generator, which may go on for ever.

        Args:
            generator: gives ``(x, y)`` or ``(x, y, sample_weight)``.
            steps_per_epoch: batches of an epoch. Keras 1's ``samples_per_epoch`` counts samples.
            epochs, verbose, callbacks, class_weight, initial_epoch: as for ``fit``.
            validation_data: arrays or a generator.
            validation_steps: batches of a validation; Keras 1's ``nb_val_samples``, samples.
            max_queue_size, workers, use_multiprocessing, shuffle: have no effect.
            **kwargs: Keras 1's names of these.

        Raises:
            TypeError, ValueError: as ``fit`` does.
        """
        owner = "fit_generator"
        given: dict[str, Any] = {"epochs": epochs}
        if "nb_epoch" in kwargs:
            given = {"epochs": kwargs.pop("nb_epoch")}
        generator, steps_per_epoch = _steps(
            owner, generator, steps_per_epoch, kwargs.pop("samples_per_epoch", None)
        )
        validation_data, validation_steps = _steps(
            owner,
            validation_data,
            validation_steps,
            kwargs.pop("nb_val_samples", None) or kwargs.pop("val_samples", None),
        )
        _arguments.drop(kwargs, *QUEUE)
        return self.fit(
            generator,
            steps_per_epoch=steps_per_epoch,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_steps=validation_steps,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            **given,
            **kwargs,
        )

    def evaluate_generator(
        self, generator: Any, steps: int | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Return the loss and the metrics over ``steps`` batches of a generator."""
        samples = kwargs.pop("val_samples", None)
        generator, steps = _steps("evaluate_generator", generator, steps, samples)
        verbose = kwargs.pop("verbose", 0)
        steps = math.ceil(steps) if isinstance(steps, float) else steps
        return self.evaluate(generator, steps=steps, verbose=verbose)

    def predict_generator(
        self, generator: Any, steps: int | None = None, *args: Any, **kwargs: Any
    ) -> Array:
        """Return the outputs for ``steps`` batches of a generator."""
        samples = kwargs.pop("val_samples", None)
        generator, steps = _steps("predict_generator", generator, steps, samples)
        verbose = kwargs.pop("verbose", 0)
        steps = math.ceil(steps) if isinstance(steps, float) else steps
        return self.predict(generator, steps=steps, verbose=verbose)

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> Array:
        """Return the outputs (N, classes), as ``predict``."""
        return self.predict(x, batch_size, verbose)

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> Any:
        """Return class numbers int64 (N,); of one output, whether it is above 0.5, (N, 1)."""
        outputs = self.predict(x, batch_size, verbose)
        if outputs.shape[-1] > 1:
            return outputs.argmax(axis=-1)
        return (outputs > 0.5).astype(np.int64)


def _steps(
    owner: str, source: Any, steps: int | None, samples: int | None
) -> tuple[Any, int | None]:
    """Return the source of batches, and how many of them hold so many samples."""
    if samples is None or steps is not None:
        return source, steps
    count = int_arg(owner, "samples_per_epoch", samples)
    if isinstance(source, (tuple, list)):
        return source, None
    size = getattr(source, "batch_size", None)
    if size is None:
        iterator: Iterator[Any] = iter(source)
        first = next(iterator)
        size = len(first[0])
        source = itertools.chain([first], iterator)
    return source, -(-count // int(size))
