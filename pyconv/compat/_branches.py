"""``Merge`` of Keras 1: the first layer of a Sequential that brings models together."""

from typing import Any

from pyconv.compat._structured import Structured


class Merge:
    """What brings the results of models, or of layers, together.

    As the first layer of a ``Sequential`` it has the models: that has an input for each of theirs.

    Args:
        layers: the models, each with an ``input_shape``; None where it is called on a list.
        mode: 'sum', 'mul', 'concat', 'ave', 'max' or 'dot'; or a function of the list.
        name: the layer's name.
        **kwargs: ``concat_axis``, ``dot_axes``, ``arguments`` of ``keras.layers.merge``.

    Raises:
        ValueError: ``layers`` are fewer than two.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> left = keras.Sequential([keras.layers.Dense(2, input_dim=4)])
        >>> right = keras.Sequential([keras.layers.Dense(3, input_dim=5)])
        >>> model = keras.Sequential()
        >>> model.add(keras.layers.Merge([left, right], mode="concat"))
        >>> model.add(keras.layers.Dense(1))
        >>> [tensor.shape for tensor in model.inputs], model.output_shape
        ([(None, 4), (None, 5)], (None, 1))
    """

    def __init__(self, layers: Any = None, mode: Any = "sum", **kwargs: Any) -> None:
        if layers is not None and len(layers) < 2:
            raise ValueError(f"Merge: layers must be at least two models, got {len(layers)}")
        self.branches, self.mode, self._options = layers, mode, kwargs

    def __call__(self, inputs: Any) -> Any:
        """Return what the mode makes of a list of tensors."""
        from pyconv.compat.keras.layers import merge

        return merge(inputs, mode=self.mode, **self._options)

    def begin(self, model: Any) -> None:
        """Have an empty ``Sequential`` be the models and what they are merged to."""
        if model._layers or model._input is not None:
            raise ValueError(f"{model.label}: Merge must be its first layer")
        if self.branches is None:
            raise ValueError("Merge: layers must be a list of models, as a model's first layer")
        inputs = [start for branch in self.branches for start in branch.inputs]
        name = model.name
        vars(model).clear()
        model.__class__ = Merged
        model._begin(inputs, self([branch.output for branch in self.branches]), name)


class Merged(Structured):
    """A ``Sequential`` of several inputs."""

    def _begin(self, inputs: Any, output: Any, name: str) -> None:
        self.__init__(name=name)  # type: ignore[misc]
        self._wire(inputs, output)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top."""
        inputs, output, name = self.inputs, self.outputs[0], self.name
        vars(self).clear()
        self._begin(inputs, layer(output), name)
