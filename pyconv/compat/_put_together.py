"""Stacks of layers and models: what was added, and what of it the network runs."""

from typing import Any, cast

from pyconv._stack import Stack
from pyconv.compat import _functional_config
from pyconv.compat._functional import applied
from pyconv.compat._shown import Shown
from pyconv.compat._tensor import Tensor
from pyconv.compat._traced import is_composed
from pyconv.formats import keras_config_writer
from pyconv.layers.input import InputLayer


class PutTogether(Shown):
    """A stack that shows the models that were added to it, and runs their layers."""

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top, or the layers of another model; see ``pyconv.Sequential.add``."""
        if hasattr(layer, "begin"):  # Merge of Keras 1
            layer.begin(self)
            return
        if isinstance(layer, Tensor) and not layer.inputs:
            layer = layer.layer
        if isinstance(layer, Stack):
            self._check_member(layer)
        before = self._put
        put = list(self._layers) if before is None else before
        try:
            super().add(layer, rebuild)  # of a model each layer
        except BaseException:
            self._put = before
            raise
        self._put = put if isinstance(layer, InputLayer) else [*put, layer]

    def _check_name(self, layer: Any) -> None:
        if any(layer is other for other in self._layers):
            super()._check_name(layer)
        if self._put is None or not self._adds_layers:
            self._check_member(layer)

    _adds_layers = False  # those of a model, which may have the names of other models' layers

    def _add_layers(self, other: Any, rebuild: bool) -> None:
        self._adds_layers = True
        try:
            super()._add_layers(other, rebuild)
        finally:
            self._adds_layers = False

    def _check_member(self, member: Any) -> None:
        if any(member is other for other in self._members()):
            raise ValueError(
                f"{self.label}: it has {member.label} already; a stack can have it once: make "
                "another one, or call it twice in a keras.Model(inputs, outputs)"
            )
        if any(member.name == other.name for other in self._members()):
            raise ValueError(
                f"{self.label}: it has a layer named {member.name!r} already; layers should "
                "have unique names: give the new one another name"
            )

    _put: list[Any] | None = None  # layers and models that were added

    def pop(self, rebuild: bool = True) -> Any:
        """Take the layer or model that was added last off, and return it."""
        if not self._put or not self._is_nested():
            self._put = self._put and self._put[:-1]
            return super().pop(rebuild)
        *put, last = self._put
        self._put, self._layers = [], []
        for member in put:
            self.add(member, rebuild=False)
        self._build_if_known()
        return last

    def _members(self) -> list[Any]:
        return super()._members() if self._put is None else self._put

    @property
    def layers(self) -> list[Any]:
        """The layers and models in order, without the input."""
        running = self.running_layers
        return list(self._members()) if self._is_nested() else running

    def _linked_from(self, start: Tensor) -> Tensor:
        if not self._is_nested():
            return super()._linked_from(start)
        x: Any = start
        for member in self._members():
            parts = None
            if isinstance(member, Stack):
                parts = cast(Any, member)(x)
            elif is_composed(member):
                parts = member._parts_on(x)
            x = applied([member], x, True) if parts is None else parts
        end: Tensor = x
        return end

    def wired_config(self, modules: bool) -> dict[str, Any] | None:
        """Return the configuration in Keras's form where the model holds others; else None."""
        if not self._is_nested():
            return None
        shape = self._declared_shape() or (self.input_shape if self.built else None)
        layers = [_functional_config.member_config(one, modules) for one in self._members()]
        if shape is not None:
            first = self._input or InputLayer(batch_shape=shape, name="input_layer")
            layers.insert(0, keras_config_writer.layer_config(first, modules))
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": layers,
            "build_input_shape": None if shape is None else list(shape),
        }

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data, without weights."""
        return self.wired_config(True) or super().get_config()
