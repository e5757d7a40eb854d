"""What models of several inputs or outputs are given, side by side in one array, and back."""

import math
import warnings
from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import in_other_words
from pyconv.compat import _per_output
from pyconv.compat._graph_model import Functional
from pyconv.compat._outputs import Output
from pyconv.compat._packed import side_by_side
from pyconv.compat._trees import filled, leaves
from pyconv.layers.layer import Layer


class SideBySide(Functional):
    """A model whose inputs lie side by side in one array (N, values), and so do its outputs."""

    _starts: list[Layer]
    _input_names: list[str]
    _input_shapes: list[tuple[int, ...]]
    _input_form: Any
    _output_form: Any
    _outputs: list[Output]

    def _arranged(self, x: Any) -> Any:
        """Return the inputs side by side."""
        if len(self._starts) == 1:
            return super()._arranged(leaves(x)[0] if isinstance(x, (dict, list, tuple)) else x)
        size = sum(map(math.prod, self._input_shapes))
        if isinstance(x, np.ndarray) and x.shape[1:] == (size,):
            return x  # side by side already
        given = self._of_inputs(x)
        parts = []
        for name, shape, values in zip(self._input_names, self._input_shapes, given, strict=True):
            array = _targets.numeric(self.label, f"input {name!r}", values)
            if array.ndim == len(shape) and shape[-1:] == (1,):
                array = array[..., None]
            if array.shape[1:] != shape:
                raise ValueError(
                    f"{self.label}: input {name!r} must have shape {('N', *shape)}, got "
                    f"{array.shape}: expected shape={(None, *shape)}, found shape={array.shape}"
                )
            parts.append(array.reshape(len(array), -1))
        return side_by_side(self.label, "x", self._input_names, parts)

    def _of_inputs(self, x: Any) -> list[Any]:
        """Return what is given for each input."""
        if isinstance(self._input_form, dict) and isinstance(x, (list, tuple)):
            keys = list(map(str, self._input_form))
            unlike = (
                "The structure of `inputs` doesn't match the expected structure. Expected: a dict "
                f"of {keys}, got a {type(x).__name__}"
            )
            if keys != sorted(keys):  # a list of which order?
                raise ValueError(f"{self.label}: {unlike}")
            warnings.warn(unlike, stacklevel=4)
        names, form = self._input_names, self._input_form
        named = f" named input(s) with keys {names}" if isinstance(form, dict) else " input(s)"
        with in_other_words(f'Layer "{self.name}" expects {len(names)}{named}'):
            found = _per_output.arrays_of_each(self.label, "x", x, names, form)
        for start, given in zip(self._starts, found, strict=True):
            if given is not None:
                continue
            if not getattr(start, "optional", False):
                raise ValueError(
                    f"{self.label}: the input {start.name!r} is not optional, got None"
                )
            raise NotImplementedError(
                f"{self.label}: the optional input {start.name!r} must be given: the network is "
                "made for all inputs; make a keras.Model without it for what has none"
            )
        return found

    def _arranged_batch(self, owner: str, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights as the network takes them."""
        if len(self._outputs) == 1:
            return super()._arranged_batch(owner, x, y, weight)
        given = self._of_outputs(owner, y)
        columns, names, first = [], [], 0
        for output, values in zip(self._outputs, given, strict=True):
            if not self._takes_targets(output):
                continue
            if values is None:
                raise ValueError(f"{owner}: output {output.name!r}: y must be given, got None")
            array = self._checked_targets(owner, output, values)
            output.of_classes = array.dtype == np.int64 and array.ndim == len(output.shape)
            output.target_shape, output.first_target = array.shape[1:], first
            columns.append(array.reshape(len(array), -1))
            names.append(output.name)
            first += columns[-1].shape[1]
        weights = self._weights(owner, weight)
        for output, values in zip(self._outputs, weights, strict=True):
            # Always a column, so that training and validation have the same.
            output.weight_column, first = first, first + 1
            given_weight = np.ones(len(columns[0])) if values is None else values
            array = _targets.numeric(owner, "sample_weight", given_weight)
            columns.append(_targets.sample_weights(owner, array, (None,))[:, None])
            names.append(f"sample_weight of {output.name}")
        return x, side_by_side(owner, "y", names, columns), None

    def _checked_targets(self, owner: str, output: Output, values: Any) -> Any:
        owner = f"{owner}: output {output.name!r}"
        array = _targets.numeric(owner, "y", values)
        if array.ndim == 0:
            raise ValueError(f"{owner}: y must have a first axis of samples, got a number")
        shape = (len(array), *output.shape)
        if output.loss is not None:
            array = output.loss.check_targets(array, shape, owner)
        if output.target_shape not in (None, array.shape[1:]):
            raise ValueError(
                f"{owner}: y must have samples of shape {output.target_shape}, as before, got "
                f"{array.shape[1:]}"
            )
        return array

    def _of_outputs(self, owner: str, y: Any) -> list[Any]:
        """Return the targets of each output; those that need none may be left out."""
        parts = list(y) if isinstance(y, (list, tuple)) else [y]
        needing = [output for output in self._outputs if self._takes_targets(output)]
        if not isinstance(y, dict) and len(parts) == len(needing) < len(self._outputs):
            of_each = dict(zip(map(id, needing), parts, strict=True))
            return [of_each.get(id(output)) for output in self._outputs]
        return _per_output.arrays_of_each(owner, "y", y, self.output_names, self._output_form)

    def _takes_targets(self, output: Output) -> bool:
        return output.loss is not None or any(
            getattr(metric, "_output", None) is output
            for ids in (self._objective._ids if self._objective is not None else ())
            for metric in ids
        )

    def _weights(self, owner: str, weight: Any) -> list[Any]:
        if weight is None or not isinstance(weight, (list, tuple, dict)):
            return [weight] * len(self._outputs)
        if isinstance(weight, dict):
            _per_output._check_keys("sample_weight", weight, self.output_names)
            return [weight.get(name) for name in self.output_names]
        return _per_output.arrays_of_each(owner, "sample_weight", weight, self.output_names)

    def _unpacked(self, y: Any) -> Any:
        """Return outputs in their form."""
        parts: list[Any] = [y]
        if len(self._outputs) > 1:
            parts = [np.array(output.predicted(np.asarray(y))) for output in self._outputs]
        return filled(self._output_form, iter(parts))
