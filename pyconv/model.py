"""The Sequential model: a stack of layers."""

import itertools
from typing import Any

import numpy as np

from pyconv import _derived, backend
from pyconv._args import bool_arg
from pyconv._convert import float32_array
from pyconv._prediction import Predictor
from pyconv._spans import SpannedStep, recorded, span
from pyconv._storable import Storable
from pyconv._types import Array
from pyconv.batches import Batch
from pyconv.layers._container import penalized_steps
from pyconv.layers._factored import factorable
from pyconv.layers._joined import joined
from pyconv.layers._memory import Buffers
from pyconv.layers._penalties import penalized
from pyconv.layers.layer import Layer
from pyconv.training import Trainer


class Sequential(Storable, Trainer):
    """A stack of layers, each taking the result of the one before.

    Args:
        layers: a list of layers. With an ``Input`` first, or ``input_shape`` on the first layer,
            the model is built at once, else when it first sees data.
        trainable: False keeps all weights as they are in training.
        name: by default ``sequential``, counted.

    Raises:
        TypeError: ``layers`` is not a list, or something in it is not a layer.
        ValueError: two layers have one name, or their shapes do not fit.

    Example:
        >>> import pyconv
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
        >>> model.count_params()
        10
    """

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        self._stopped_at_logits = False
        self._steps_of: list[Layer] = []
        self._steps_at = 0
        self._steps_made: list[Any] = []
        self._steps_spanned: list[Any] = []
        self._on_host = 0  # first steps that work on the host
        self._behind_host = Buffers("fit")
        self._generation = backend.generation
        self._predictor = Predictor()
        super().__init__(layers, trainable, name)

    # --- passes -----------------------------------------------------------------------------------

    def __call__(self, x: Any, training: bool = False) -> Array:
        """Return the output for a batch, in a new float32 array.

        Raises:
            TypeError: ``x`` does not hold numbers.
            ValueError: it does not fit the model.
        """
        training = bool_arg(self.label, "training", training)
        batch = float32_array(self.label, "x", x)
        if batch.ndim < 1:
            raise ValueError(f"{self.label}: x must have a batch axis, got a single number")
        self._ensure_built(batch.shape[1:])
        inputs = self._brought(batch)
        return np.array(self._forward(inputs, True)) if training else self._predicted(inputs)

    @property
    def _begins_on_host(self) -> bool:
        self._steps()
        return self._on_host > 0

    @property
    def _ends_in_softmax(self) -> bool:
        return bool(self._layers) and self._layers[-1].ends_in_softmax

    def _forward(self, x: Array, training: bool, logits: bool = False, first: int = 0) -> Array:
        self._stopped_at_logits = logits and self._ends_in_softmax
        *steps, last = self._steps()
        if self._on_host:
            for step in steps[first : self._on_host]:
                x = step.forward(x, training)
            x, steps = backend.on_device(x), steps[self._on_host :]
        for step in steps:
            x = step.forward(x, training)
        result: Array = (
            last.forward(x, training, logits=True)
            if self._stopped_at_logits
            else last.forward(x, training)
        )
        return result

    def _predicted_again(self, x: Any, most: Any) -> Array | None:
        return self._predictor.again(self._layers, x, most)

    def _arrived(self, batch: Batch) -> Batch:
        """Return a batch behind the first steps that work on the host, where operations run."""
        steps, x = self._steps(), batch.x
        on_cpu = backend.active is backend.cpu
        if not self._on_host or (on_cpu and batch.augmented == self._on_host):
            return batch
        with span("forward"):
            for step in steps[batch.augmented : self._on_host]:
                x = step.forward(x, True)
        if on_cpu:
            return batch._replace(x=x, augmented=self._on_host)
        here = self._behind_host.get("x", x.shape)
        here.take(x)
        return batch._replace(x=here, augmented=self._on_host)

    def _predicted(self, x: Array) -> Array:
        if backend.active is backend.cpu and not recorded():
            result = self._predictor(self._layers, self._steps(), x)
            if result is not None:
                return result
        return np.array(self._forward(x, training=False))

    def _backward(self, dy: Array) -> None:
        steps = self._steps()
        first = next((i for i, step in enumerate(steps) if step.learns), None)
        if first is None or not self.trainable:
            return
        grad: Array | None = dy
        for i in range(len(steps) - 1, first - 1, -1):
            if i == len(steps) - 1 and self._stopped_at_logits:
                grad = steps[i].backward(grad, i > first, logits=True)
            else:
                grad = steps[i].backward(grad, i > first)

    def input_gradient(
        self,
        x: Any,
        y: Any = None,
        class_index: Any = None,
        before_softmax: bool = True,
        batch_size: int | None = None,
    ) -> Array:
        """Return the gradient of a score, or of the loss, by the input: what each pixel counts.

        Each sample has its own: that of its score, or of the loss of it alone, as in inference
        (no dropout, moving means) and without regularizers. Its size by pixel is the saliency
        map of Simonyan et al., "Deep inside convolutional networks" (2014).

        Args:
            x: inputs (N, ...), of any type of numbers.
            y: targets as the loss takes them, for the gradient of the loss; the model must be
                compiled with one.
            class_index: the class whose score is meant, or one for each sample (N,); without
                this and ``y`` the class that the model predicts.
            before_softmax: take the score that a last softmax is given, rather than the
                probability that it makes of it.
            batch_size: rows of a pass; None for 32.

        Returns:
            The gradient, float32 of the shape of ``x``.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: ``y`` is given and the model has no loss, both ``y`` and ``class_index``
                are given, or a shape or a class is wrong.
            NotImplementedError: a layer has no ``backward``.

        Example:
            >>> import numpy as np, pyconv
            >>> model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(2)])
            >>> model.set_weights([[[1, 2], [3, 4]], [0, 0]])
            >>> model.input_gradient([[5.0, 6.0]], class_index=1)
            array([[2., 4.]], dtype=float32)
        """
        from pyconv._input_gradient import input_gradient

        return input_gradient(self, x, y, class_index, before_softmax, batch_size)

    def _steps(self) -> list[Any]:
        """The layers, those that are faster together as one step."""
        if self._steps_at != _derived.changes or self._steps_of != self._layers:
            self._steps_at = _derived.changes
            self._graph_steps = None
            self._steps_of = list(self._layers)
            self._steps_made = penalized(joined(self._layers))
            self._penalized = list(penalized_steps(self._steps_made))
            self._factorable = [s for s in self._steps_made if factorable(s)]
            leaves = [leaf for layer in self._layers for leaf in layer.leaves()]
            self._constrained = [leaf for leaf in leaves if leaf.weight_constraints]
            first = itertools.takewhile(_is_on_host, self._steps_made[:-1])
            self._on_host = len(list(first))
            self._steps_spanned = [SpannedStep(step) for step in self._steps_made]
            self._generation = -1
        if self._generation != backend.generation:
            for layer in self._layers:
                layer.move()
            self._generation = backend.generation
        return self._steps_spanned if recorded() else self._steps_made

    # --- what is shown ----------------------------------------------------------------------------

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
        profile: bool = False,
        batch_size: int = 32,
        show: Any = None,
    ) -> None:
        """Print the layers with output shapes and numbers of parameters.

        Args:
            line_length: width in characters, 88 by default; the profile takes 80 at the least.
            positions: relative ends of the columns.
            print_fn: called with the text, instead of printing it.
            expand_nested: shows the layers within ``Residual`` and ``Branches`` too.
            show_trainable: adds a column that says which layers train.
            layer_range: names of the first and the last layer to show.
            profile: measures as well, for about two seconds, where the time of a step goes, and
                prints it below: see ``pyconv.profiling``. It trains on random data, and leaves
                the model as it was. A model without a loss is measured predicting.
            batch_size: rows of a step of the profile.
            show: ``"receptive"`` adds a column that says how much of the input, height x width, a
                number of each layer sees: its receptive field.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has a wrong value, or a profile is wanted of a model that is
                not built or has a size that is not known.
            RuntimeError: a profile is wanted while a trace is being taken.
        """
        from pyconv.summary import summary_text

        text = summary_text(
            self, line_length, positions, show_trainable, layer_range, expand_nested, show
        )
        if profile:
            from pyconv.profiling import measure

            width = None if line_length is None else max(line_length, 80)
            text += "\n" + measure(self, batch_size).text(width)
        (print_fn or print)(text)

    def _repr_html_(self) -> str:
        """Return the layers as a table, which a notebook shows."""
        from pyconv.viz._html import model_html

        return model_html(self)

    def __repr__(self) -> str:
        return f"<Sequential name={self.name}, built={self.built}>"


def _is_on_host(step: Any) -> bool:
    return bool(getattr(step, "on_host", False))


def model_arg(owner: str, value: Any) -> Sequential:
    """Return ``value`` where it is a model."""
    if not isinstance(value, Sequential):
        raise TypeError(f"{owner}: model must be a model, got a {type(value).__name__}")
    return value
