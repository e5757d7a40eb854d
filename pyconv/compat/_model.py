"""The Sequential model with the methods and arguments of Keras 1 and 2."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import pyconv
from pyconv import loops
from pyconv._args import int_arg
from pyconv._types import Array
from pyconv.batches import ArrayBatches
from pyconv.callbacks import CallbackList, History
from pyconv.compat import _arguments, _classes, _era
from pyconv.compat._eager import eager
from pyconv.compat._functional import Tensor, applied, tensor_of, tensors_of
from pyconv.compat._logs import Logs
from pyconv.compat._progress import OldProgress
from pyconv.compat._summary import summary_lines
from pyconv.layers.graph import flat
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer
from pyconv.progress import Progress

# What Keras 1 and 2 said of threads that fetch batches.
_QUEUE = (
    "max_q_size",
    "max_queue_size",
    "nb_worker",
    "workers",
    "pickle_safe",
    "use_multiprocessing",
)


class Sequential(pyconv.Sequential):
    """A stack of layers, as ``pyconv.Sequential``, with the methods of Keras 1 and 2 as well.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> model = keras.models.Sequential()
        >>> model.add(keras.layers.Dense(output_dim=2, input_dim=4, init="uniform"))
        >>> model.count_params()
        10
    """

    _keras2 = False

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        self._keras2 = _era.is_keras2()
        if name is None and self._keras2:
            name = _classes.old_name("Sequential")
        super().__init__(layers, trainable, name)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top, or the layers of another model; see ``pyconv.Sequential.add``."""
        is_input = isinstance(layer, Tensor) and not layer.inputs
        super().add(layer.layer if is_input else layer, rebuild)

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the output for a batch; for what came of an ``Input``, the layers' tensor."""
        tensors = tensors_of(x)
        if tensors is None:
            return eager(super().__call__(x, training))
        return applied(self._layers, tensors[0], False)

    # --- the tensors between its layers ---------------------------------------------------------

    _linked: list[Layer] | None = None  # the layers for which the tensors hold
    _ends: tuple[Tensor, Tensor] | None = None

    def _link(self) -> None:
        """Give the layers their ``input`` and ``output``, once the shape of the input is known."""
        if self._linked == self._layers or not self.built:
            return
        if self._input is None:
            self._input = InputLayer(batch_shape=self.input_shape, name=f"{self.name}_input")
        start = tensor_of(self._input)
        self._take_links(start, applied(self._layers, start, True))

    def _take_links(self, start: Tensor, end: Tensor) -> None:
        """Have the tensors of a network that is called already."""
        self._linked, self._ends = list(self._layers), (start, end)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input."""
        self._link()
        return super().layers

    @property
    def input(self) -> Any:
        """The tensor of the input; AttributeError before the model is built."""
        return self._end(0)

    @property
    def output(self) -> Any:
        """The tensor of the output; AttributeError before the model is built."""
        return self._end(1)

    @property
    def inputs(self) -> list[Any]:
        """The tensor of the input, in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[Any]:
        """The tensor of the output, in a list."""
        return [self.output]

    def _end(self, index: int) -> Tensor:
        self._link()
        if self._ends is None:
            raise AttributeError(
                f"{self.label}: it has tensors once the shape of its input is known; give the "
                "first layer input_shape"
            )
        return self._ends[index]

    # --- what differs in numerics and texts -------------------------------------------------

    def compile(self, optimizer: Any = "rmsprop", *args: Any, **kwargs: Any) -> None:
        """Say how the model is to be trained; see ``pyconv.Sequential.compile``.

        Under Keras 2, accuracy is called 'acc' in lines and histories; either name finds it.
        """
        from pyconv.compat.keras import optimizers

        _arguments.drop(kwargs, "sample_weight_mode", "target_tensors", "class_mode")
        if isinstance(kwargs.get("metrics"), str):
            kwargs["metrics"] = [kwargs["metrics"]]
        if self._keras2 and isinstance(kwargs.get("metrics"), (list, tuple)):
            kwargs["metrics"] = ["acc" if m == "accuracy" else m for m in kwargs["metrics"]]
        super().compile(optimizers.get(optimizer), *args, **kwargs)

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Print the table of layers, 65 wide under Keras 2; see ``pyconv.Sequential.summary``."""
        if not self._keras2 or kwargs.get("profile"):
            super().summary(*args, **kwargs)
            return
        given = dict(zip(("line_length", "positions", "print_fn"), args, strict=False), **kwargs)
        for line in summary_lines(self, given.get("line_length"), given.get("positions")):
            (given.get("print_fn") or print)(line)

    def _progress(
        self, level: int, data: loops.Batches, validation: loops.Batches | None = None
    ) -> Progress:
        if not self._keras2:
            return super()._progress(level, data, validation)
        return OldProgress(level, _samples(data), self._title(data, validation))

    def _title(self, data: loops.Batches, validation: loops.Batches | None) -> str | None:
        if not self._fitting:
            return None
        if not isinstance(data, ArrayBatches):
            return ""
        text = f"Train on {data.samples} samples"
        if isinstance(validation, ArrayBatches):
            text += f", validate on {validation.samples} samples"
        return text + "\n"

    def _logged(self, results: dict[str, float]) -> dict[str, float]:
        return Logs(results if self._keras2 else sorted(results.items()))

    # --- fit and its older forms ----------------------------------------------------------------

    _fitting = False

    def fit(self, *args: Any, **kwargs: Any) -> History:
        """Train the model; see ``pyconv.Sequential.fit``. ``nb_epoch`` is ``epochs``."""
        _arguments.rename("fit", kwargs, "nb_epoch", "epochs")
        for name in ("steps_per_epoch", "validation_steps"):
            if isinstance(kwargs.get(name), float):
                kwargs[name] = math.ceil(kwargs[name])  # as far as Keras 2 counts
        _arguments.drop(kwargs, *_QUEUE)
        kwargs["callbacks"] = _with_history(kwargs.get("callbacks"), args)
        if len(args) > 5:  # callbacks by place
            args = (*args[:5], kwargs.pop("callbacks"), *args[6:])
        self._fitting = True
        try:
            return super().fit(*args, **kwargs)
        finally:
            self._fitting = False

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Array:
        """Return the outputs; see ``pyconv.Sequential.predict``. Silent under Keras 2."""
        _arguments.drop(kwargs, *_QUEUE)
        if self._keras2 and len(args) < 2:
            kwargs.setdefault("verbose", 0)
        return super().predict(x, *args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Return the loss and the metrics; see ``pyconv.Sequential.evaluate``."""
        _arguments.drop(kwargs, *_QUEUE)
        return super().evaluate(*args, **kwargs)

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
        given = {"epochs": epochs}
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
        _arguments.drop(kwargs, *_QUEUE)
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

    # --- files ------------------------------------------------------------------------------------

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        include_optimizer: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write the model to one file; see ``pyconv.Sequential.save``."""
        _arguments.drop(kwargs, "save_format")
        super().save(filepath, overwrite, include_optimizer, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights to one file; see ``pyconv.Sequential.save_weights``."""
        _arguments.drop(kwargs, "save_format")
        super().save_weights(filepath, overwrite, **kwargs)


def adopt(model: Any) -> "Sequential":
    """Return a model of pyconv as one of this module, its layers and optimizer too."""
    from pyconv.compat._graph_model import Functional, is_functional
    from pyconv.compat.keras import layers, optimizers

    adopted: Sequential = model
    if type(model) is pyconv.Sequential:
        model.__class__ = Functional if is_functional(model._layers) else Sequential
        adopted._keras2 = _era.is_keras2()
    for layer in flat(model._layers):
        _classes.adopt(layer, layers.CLASSES)
    if model.optimizer is not None:
        _classes.adopt(model.optimizer, optimizers.CLASSES)
        model.optimizer._keras2 = _era.is_keras2()
    return adopted


class _NamedHistory(History):
    """A history in which accuracy is found under both its names."""

    def __init__(self) -> None:
        super().__init__()
        self.history = Logs()


def _with_history(callbacks: Any, args: tuple[Any, ...]) -> list[Any]:
    given = CallbackList(args[5] if len(args) > 5 else callbacks).callbacks
    if any(isinstance(callback, History) for callback in given):
        return given
    return [*given, _NamedHistory()]


def _samples(data: loops.Batches) -> int | None:
    """Return the rows of an epoch, where it is one pass over arrays."""
    if not isinstance(data, ArrayBatches) or data._continues:
        return None
    return min(data.samples, data.steps * data._batch_size)


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
