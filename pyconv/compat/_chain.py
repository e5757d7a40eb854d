"""Keras's functional API, as far as it makes a stack: each layer called on the one before."""

from typing import Any

from pyconv.layers.input import InputLayer


class Chain:
    """What calling a layer on an input gives: the input, and the layers so far."""

    def __init__(self, start: InputLayer, layers: tuple[Any, ...]) -> None:
        self.start = start
        self.layers = layers

    def then(self, *layers: Any) -> "Chain":
        """Return the chain with more layers."""
        return Chain(self.start, (*self.layers, *layers))

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of the result, the batch first."""
        shape = self.start.batch_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape


class Chained:
    """A layer that may be called on an input, or on what such a call gave."""

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the layer's result for a batch; for an ``Input``, the chain of layers."""
        chain = chain_of(x)
        if chain is not None:
            return chain.then(self)
        if isinstance(x, (list, tuple)) and any(chain_of(part) is not None for part in x):
            raise NotImplementedError(
                f"{type(self).__name__}: pyconv's models have no branches that join; call each "
                "layer on the one before, or chain them in a keras.Sequential([...])"
            )
        return super().__call__(x, *args, **kwargs)  # type: ignore[misc]


def chain_of(x: Any) -> Chain | None:
    """Return ``x`` as a chain where it is one, or an ``Input``."""
    if isinstance(x, Chain):
        return x
    return Chain(x, ()) if isinstance(x, InputLayer) else None


def stack(inputs: Any, outputs: Any) -> list[Any]:
    """Return the layers between an ``Input`` and what was made of it.

    Raises:
        NotImplementedError: they are not one input and one chain from it.
    """
    ends = [x[0] if isinstance(x, (list, tuple)) and len(x) == 1 else x for x in (inputs, outputs)]
    start, chain = chain_of(ends[0]), chain_of(ends[1])
    if start is None or start.layers or chain is None or chain.start is not start.start:
        raise NotImplementedError(
            "keras.Model: it must be one Input and one output made of it, layer by layer: "
            "pyconv has no models with branches, and none by subclassing; chain the layers in a "
            "keras.Sequential([...])"
        )
    return [chain.start, *chain.layers]
