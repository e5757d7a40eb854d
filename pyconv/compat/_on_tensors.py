"""Layers of the user's own on the tensors of an ``Input``."""

from typing import Any

from pyconv._derived import derive
from pyconv.compat import _call_context
from pyconv.compat._call_spec import CallSpec
from pyconv.compat._operation import operation
from pyconv.compat._packing import Packed, Packing
from pyconv.compat._tensor import Tensor
from pyconv.compat._trees import leaves
from pyconv.layers.layer import Layer


class OnTensors:
    """What such a layer makes of tensors: other layers, or itself."""

    _gives_several: bool
    _packing: Packing | None
    _tensor_losses: list[Any] | None = None  # in a call on tensors

    def _on_tensors(self: Any, spec: CallSpec, told: dict[str, Any]) -> Any:
        """Return what the call makes of tensors; layers do it all."""
        if not self.built:
            self._build_for(spec)
        own = self._weights or self._loose_variables() or (self._gives_several and self.weights)
        if own and not spec.others():
            return self._on_packed(spec, told)
        losses: list[Any] = []
        self._tensor_losses = losses
        try:
            with _call_context.within(self.path, told), _call_context.following():
                y = spec.run(self.call)
        except (TypeError, ValueError, IndexError) as error:
            # It wants numbers, such as those of the batch's size.
            y = self._on_tensors_as_a_whole(spec, told)
            if y is None:
                raise error
        finally:
            self._tensor_losses = None
        if not all(isinstance(leaf, Tensor) for leaf in leaves(y)):
            raise NotImplementedError(
                f"{self.label}: its call gives something that was not made of its inputs by layers "
                "and functions of arrays"
            )
        if losses and isinstance(y, Tensor):
            from pyconv.compat._added_losses import carrying

            return carrying(y, losses)
        return y

    def _on_packed(self: Any, spec: CallSpec, told: dict[str, Any]) -> Any:
        """Return what the call makes of tensors, where the layer itself has weights to train."""
        packing = Packing(self.label, spec.arguments)
        if self._packing is not None and self._packing.shapes != packing.shapes:
            raise NotImplementedError(
                f"{self.label}: with weights of its own it takes inputs of the same shapes in each "
                f"call, got {self._packing.shapes} and {packing.shapes}"
            )
        self._packing = packing
        derive(self, Packed)
        x = packing.tensor()
        with _call_context.within(self.path, told):
            Layer.build(self, x.sizes)
            result = packing.results(Tensor(self, (x,)))
        self.output = result
        return result

    def _on_tensors_as_a_whole(self: Any, spec: CallSpec, told: dict[str, Any]) -> Any:
        """Return what the call makes of tensors, as one layer that runs it; None where it cannot.

        Such a layer has no weights, and does not know whether it is trained.
        """
        if self.weights or "training" in spec.parameters or spec.others():
            return None

        def run(arguments: dict[str, Any]) -> Any:
            with _call_context.within(self.path, told):
                return self.call(**arguments)

        try:
            return operation(run, [spec.arguments], {})
        except (TypeError, ValueError, IndexError):
            return None
