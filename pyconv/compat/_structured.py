"""Models of the functional API with several inputs or outputs.

Within, inputs lie side by side in one array (N, values), and so do outputs: such a model is a
network of one input and one output, and is trained as others are.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv import compile_config, losses, metrics
from pyconv.compat import _per_output
from pyconv.compat._eager import eager
from pyconv.compat._functional import WiredCall, network
from pyconv.compat._graph_model import Functional
from pyconv.compat._masking import set_masks
from pyconv.compat._outputs import Output, OutputLoss, OutputsLoss, named_metrics
from pyconv.compat._packed import WITHIN, OutputPart, stack
from pyconv.compat._recording import is_open, is_recorded
from pyconv.compat._shown import owners
from pyconv.compat._side_by_side import SideBySide
from pyconv.compat._tensor import Tensor, keep_in_model, tensor_of, tensors_of
from pyconv.compat._trees import leaves, mapped
from pyconv.layers.graph import flat
from pyconv.layers.layer import Layer
from pyconv.objective import Objective


class Structured(SideBySide):
    """A functional model of several inputs or outputs, in lists, tuples or dicts.

    ``fit``, ``evaluate`` and ``predict`` take arrays in the form of the inputs, or a dict by name;
    targets, losses, weights and metrics likewise for the outputs.
    """

    _wanted: tuple[Any, Any, Any, Any] | None = None

    def _wire(self, inputs: Any, outputs: Any) -> None:
        """Be the network of several tensors."""
        starts: list[Tensor] = leaves(inputs)
        ends: list[Tensor] = leaves(outputs)
        self._starts = [start.layer for start in starts]
        self._input_names = [start.name for start in starts]
        self._input_shapes = [_sample("input", start) for start in starts]
        self._input_form = mapped(lambda _: None, inputs)
        self._output_form = mapped(lambda _: None, outputs)
        self._by_key = isinstance(outputs, dict)
        self._outputs = _outputs(ends, _keys(outputs) or _unique([end.name for end in ends]))
        self._tensors: Any = (inputs, outputs)
        for end in ends:
            keep_in_model(end)
        first, layers = stack(starts, ends, self._input_shapes)
        self._input, self._layers = first, layers
        self._linked = list(layers)
        self.build(first.batch_shape)
        self._check_names()

    def __getstate__(self) -> dict[str, Any]:
        return {n: value for n, value in super().__getstate__().items() if n != "_tensors"}

    # --- what Keras shows -----------------------------------------------------------------------

    @property
    def running_layers(self) -> list[Layer]:
        """The inputs and all layers that do the work."""
        own = [layer for layer in super().running_layers if not isinstance(layer, WITHIN)]
        return [*self._starts, *(layer for layer in own if layer is not self._input)]

    def _members(self) -> list[Any]:
        if "_tensors" not in vars(self):  # a copy
            return [layer for layer in flat(self._layers) if not isinstance(layer, WITHIN)]
        return owners(self.inputs, self.outputs)

    @property
    def input(self) -> Any:
        """The tensors of the inputs, in their form."""
        return self._tensors[0]

    @property
    def output(self) -> Any:
        """The tensors of the outputs, in their form."""
        return self._tensors[1]

    @property
    def inputs(self) -> list[Any]:
        """The tensors of the inputs, in a list."""
        return leaves(self.input)

    @property
    def outputs(self) -> list[Any]:
        """The tensors of the outputs, in a list."""
        return leaves(self.output)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs."""
        return list(self._input_names)

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, which metrics begin with."""
        return [output.name for output in self._outputs]

    @property
    def output_shape(self) -> Any:
        """Shapes of the outputs, the batch first, in their form; within, of all side by side."""
        return super().output_shape

    def _output_mask(self) -> Any:
        """Return the mask of each output, None where all counts."""
        parts = [layer for layer in flat(self._layers) if isinstance(layer, OutputPart)]
        if not parts:
            return super()._output_mask()
        found = [None if part.mask_source is None else part.mask_source.mask for part in parts]
        return found if any(mask is not None for mask in found) else None

    def _link(self) -> None:
        """Leave the tensors as they are: the layers were called already."""

    def _is_wired(self) -> bool:
        """Whether the model is no stack: it has several inputs or outputs."""
        return True

    # --- Keras's methods ------------------------------------------------------------------------

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the outputs for a batch; for tensors, those of the layers."""
        if tensors_of(leaves(x)) is not None:
            return self._called_on(self._of_inputs(x))
        if self._added or is_open() or any(is_recorded(leaf) for leaf in leaves(x)):
            return self._recorded_call(x, bool(training))
        packed = self._arranged(x)
        result = self._unpacked(super(Functional, self).__call__(packed, training))
        masks = iter(self._output_mask() or [None] * len(self._outputs))
        return mapped(lambda part: set_masks(eager(part), next(masks)), result)

    def _parts_of(self, x: Any) -> list[Any]:
        """Return what is given for each input, also where they lie side by side."""
        if len(self._starts) == 1:
            return leaves(x)
        if not isinstance(x, np.ndarray):
            return self._of_inputs(x)
        ends = np.cumsum([math.prod(shape) for shape in self._input_shapes])
        parts = np.split(x, ends[:-1], axis=1)
        return [p.reshape(len(x), *s) for p, s in zip(parts, self._input_shapes, strict=True)]

    def _called_on(self, tensors: list[Any]) -> Any:
        """Return what the layers make of other tensors than the inputs."""
        made = dict(zip(self.inputs, map(tensor_of, tensors), strict=True))
        if all(own is given for own, given in made.items()):
            return self.output
        call = WiredCall(self, [made[own] for own in self.inputs])
        given = set(made)
        for tensor in network(self.inputs, self.outputs):
            if tensor not in made:
                made[tensor] = Tensor(tensor.layer, [made[source] for source in tensor.inputs])
        call.take(
            [tensor for own, tensor in made.items() if own not in given],
            [made[own] for own in self.outputs],
        )
        return mapped(lambda tensor: made[tensor], self.output)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs, in their form; see ``pyconv.Sequential.predict``."""
        return self._unpacked(super().predict(x, *args, **kwargs))

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs of one batch, in their form."""
        return self._unpacked(super().predict_on_batch(x))

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Say how the model is to be trained; see ``pyconv.Sequential.compile``.

        ``loss``, ``loss_weights``, ``metrics`` and ``weighted_metrics`` are lists of one for each
        output, dicts by name of the output, or hold for all. They are looked at when the model is
        first trained or evaluated.
        """
        if self._added and loss is not None and len(self._outputs) > 1:
            raise NotImplementedError(
                "compile: a model of several outputs that has losses by add_loss can have no "
                "others; give them to add_loss too"
            )
        if len(self._outputs) == 1:
            given = {"loss_weights": loss_weights, "weighted_metrics": weighted_metrics}
            super().compile(optimizer, loss, metrics=metrics, **given, **kwargs)
            return
        super().compile(optimizer, **kwargs)
        self._loss = loss
        self._wanted = (loss, loss_weights, metrics, weighted_metrics)

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of ``compile`` as JSON-able values; None before ``compile``."""
        if self.optimizer is None or self._wanted is None:
            return super().get_compile_config()
        config = compile_config.to_config(self.optimizer, None, None, [], [])
        names = ("loss", "loss_weights", "metrics", "weighted_metrics")
        wanted = zip(names, self._wanted, strict=True)
        return {**config, **{name: _described(name, self._of_all(value)) for name, value in wanted}}

    def _of_all(self, value: Any) -> Any:
        """Return a dict by name of the output with all of them."""
        if not isinstance(value, dict) or not set(value) <= set(self.output_names):
            return value
        return {name: value.get(name) for name in self.output_names}

    def _require_compiled(self, method: str) -> None:
        if self._objective is None and self._wanted is not None and self._wanted[0] is not None:
            self._objective = self._objective_of_all(*self._wanted)
        super()._require_compiled(method)

    def _objective_of_all(self, loss: Any, weights: Any, metrics: Any, weighted: Any) -> Objective:
        names = self.output_names
        losses = _per_output.loss_of_each(loss, names, self._by_key)
        factors = _per_output.weight_of_each(weights, names)
        plain = _per_output.metrics_of_each("metrics", metrics, names)
        others = _per_output.metrics_of_each("weighted_metrics", weighted, names)
        if not any(losses):
            raise ValueError(f"compile: none of the outputs {names} has a loss")
        made: list[list[Any]] = [[], []]
        for i, output in enumerate(self._outputs):
            output.loss, output.weight = losses[i], factors[i]
            for ids, own in zip(made, named_metrics(output, plain[i], others[i]), strict=True):
                ids += own
        total = OutputsLoss(self._outputs)
        if len(total.outputs) > 1:
            made[0][:0] = [OutputLoss(output) for output in total.outputs]
        return Objective(total, 1.0, *made)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train the model; see ``pyconv.Sequential.fit``."""
        weights = kwargs.get("class_weight", args[9] if len(args) > 9 else None)
        if weights is not None and len(self._outputs) > 1:
            raise ValueError(
                "fit: `class_weight` is only supported for models with a single output; give "
                "sample_weight, a list of one for each output"
            )
        validation = kwargs.get("validation_data")
        if isinstance(validation, tuple):
            # Tuples within would be taken for batches.
            kwargs["validation_data"] = tuple(
                list(part) if isinstance(part, tuple) else part for part in validation
            )
        return super().fit(*args, **kwargs)


def _sample(what: str, tensor: Tensor) -> tuple[int, ...]:
    sizes = tuple(tensor.sizes[1:])
    if None in sizes:
        raise NotImplementedError(
            f"keras.Model: {what} {tensor.name!r} must have a known size where a model has several "
            f"inputs or outputs, got {tensor.sizes}"
        )
    return sizes  # type: ignore[return-value]


def _described(name: str, value: Any) -> Any:
    """Return an argument of ``compile`` in its lists and dicts, as plain data."""
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _described(name, part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_described(name, part) for part in value]
    if name == "loss" and isinstance(value, str):
        return losses.as_loss(value).name  # Keras's older files have no short names
    if value is None or isinstance(value, (str, int, float, dict)):
        return value
    return compile_config.described(value, losses if name == "loss" else metrics)


def _keys(outputs: Any) -> list[str] | None:
    """Return the names that a dict gives its tensors."""
    if isinstance(outputs, dict) and not any(
        isinstance(value, (list, tuple, dict)) for value in outputs.values()
    ):
        return sorted(map(str, outputs))
    return None


def _unique(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        result.append(f"{name}_{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return result


def _outputs(ends: Sequence[Tensor], names: Sequence[str]) -> list[Output]:
    found, first = [], 0
    for end, name in zip(ends, names, strict=True):
        shape = _sample("output", end)
        found.append(Output(name, shape, slice(first, first + math.prod(shape))))
        first += math.prod(shape)
    return found
