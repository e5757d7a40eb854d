"""How a layer gets its weights once the shape of its input is known."""

import functools
from collections.abc import Callable
from typing import Any

from pyconv._types import Shape
from pyconv.layers._arguments import shape_arg
from pyconv.layers._weights import Weights


class Building(Weights):
    """A layer that is built, once, for inputs of a shape."""

    _input_shape: Shape | None
    _output_shape: Shape | None
    _building: bool  # whether a ``build`` of the user's own is running

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have a ``build`` of the user's own end with what the base's does."""
        super().__init_subclass__(**kwargs)
        own = vars(cls).get("build")
        if own is not None:
            cls.build = _whole_build(own)  # type: ignore[method-assign]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape that an input of ``input_shape`` gives, the batch first."""
        raise NotImplementedError

    def _create_weights(self, input_shape: Shape) -> None:
        """Add the weights, for an input that ``compute_output_shape`` accepted."""

    @property
    def knows_shape(self) -> bool:
        """Whether the layer knows its input's shape, and has the weights that it needs."""
        return self._output_shape is not None

    @property
    def built(self) -> bool:
        """Whether the layer has its weights."""
        return self.knows_shape

    @built.setter
    def built(self, value: bool) -> None:
        """Take what a ``build`` of Keras's says at its end; a layer knows by itself."""

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, the batch first; AttributeError before the layer is built."""
        return self._shape_once_built(self._input_shape, "input_shape")

    @property
    def output_shape(self) -> Shape:
        """Shape of the result, the batch first; AttributeError before the layer is built."""
        return self._shape_once_built(self._output_shape, "output_shape")

    def build(self, input_shape: Shape) -> None:
        """Create the weights for an input of ``input_shape``; where they exist, check them.

        Args:
            input_shape: the batch (None for any) and the shape of a sample.

        Raises:
            ValueError: the layer does not take such an input; the layer is left as it was.
        """
        shape = self._input_shape_arg(input_shape)
        if self._building:
            # A build of the user's own asks for the weights of the class below; what else there
            # is to do follows when it has added its own.
            if type(self)._create_weights is not Building._create_weights:
                self.compute_output_shape(shape)
                self._create_weights_once(shape)
            return
        output_shape = self.compute_output_shape(shape)
        if not self.knows_shape:
            try:
                self._create_weights_once(shape)
            except BaseException:
                self._forget_weights()
                raise
            self._given_weights = None
        self._input_shape, self._output_shape = shape, output_shape

    def _run_build(self, own: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Do what a ``build`` of the user's own does, and then what the base's does."""
        if self._building:
            own(self, *args, **kwargs)
            return
        (given,) = (*args, *kwargs.values()) or (None,)  # one that the user gave a default
        shape = self._input_shape_arg(given)
        if not self.knows_shape:
            self._building = True
            try:
                own(self, shape)
            except BaseException:
                self._forget_weights()
                raise
            finally:
                self._building = False
        Building.build(self, shape)

    def _input_shape_arg(self, value: Any) -> Shape:
        """Return ``build``'s argument where it is one; that of a ``Merge`` is a list of shapes."""
        return shape_arg(self.label, "input_shape", value)

    def _create_weights_once(self, shape: Shape) -> None:
        if not self._has_created:
            self._create_weights(shape)
            self._has_created = True

    def unbuild(self) -> None:
        """Forget the weights and the shapes, as before ``build``."""
        self._activity_penalty = None
        self._forget_weights()
        self._input_shape = self._output_shape = None

    def _shape_once_built(self, shape: Shape | None, what: str) -> Shape:
        if shape is None:
            raise AttributeError(
                f"{self.label}: {what} is known once the layer is built or has been called"
            )
        return shape


def _whole_build(own: Callable[..., None]) -> Callable[..., None]:
    """Return a ``build`` that does what a layer's own does, and then what the base's does."""

    @functools.wraps(own)
    def build(self: Building, *args: Any, **kwargs: Any) -> None:
        self._run_build(own, args, kwargs)

    return build
