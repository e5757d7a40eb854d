"""What training needs of a model: its shapes, its parameters and the passes over its layers."""

from abc import ABC, abstractmethod
from typing import Any

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.batches import Batch
from pyconv.layers._augmentation import Augmentation, leading


class Passes(ABC):
    """A model that gives the passes over its layers."""

    @property
    @abstractmethod
    def input_rank(self) -> int | None:
        """Number of axes of the inputs, the batch's too; None where it is not known yet."""

    @property
    @abstractmethod
    def output_shape(self) -> Shape:
        """Shape of the output, the batch first."""

    @property
    @abstractmethod
    def layers(self) -> list[Any]:
        """The layers in order."""

    @property
    @abstractmethod
    def running_layers(self) -> list[Any]:
        """The layers that do the work, in order."""

    @abstractmethod
    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape that an input of ``input_shape``, the batch first, gives."""

    def _arranged_batch(self, owner: str, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights of fit and evaluate likewise."""
        return x, y, weight

    def _takes_no_targets(self) -> bool:
        """Whether the model may be trained on inputs alone."""
        return False

    @abstractmethod
    def _ensure_built(self, input_shape: tuple[int, ...]) -> None:
        """Build for inputs of this shape (without the batch), or check that it fits."""

    def _arranged(self, x: Any) -> Any:
        """Return the inputs of fit, evaluate and predict in the form that the model takes."""
        return x

    @abstractmethod
    def _forward(self, x: Array, training: bool, logits: bool = False, first: int = 0) -> Array:
        """Return the output of the layers from ``first`` on, in a buffer used again."""

    @abstractmethod
    def _output_mask(self) -> Any:
        """Return which steps of the last forward's output count; None where all do."""

    @abstractmethod
    def _predicted(self, x: Array) -> Array:
        """Return the output of inference, in an array of its own on the host."""

    def _predicted_again(self, x: Any, most: Any) -> Array | None:
        """Return what ``_predicted`` does for up to ``most`` samples like those before, or None."""
        return None

    @abstractmethod
    def _backward(self, dy: Array) -> None:
        """Fill the gradients from that of the output, which may be overwritten."""

    @abstractmethod
    def _params(self) -> list[Array]:
        """Return the trainable parameters."""

    @abstractmethod
    def _grads(self) -> list[Array]:
        """Return their gradients, in the same order."""

    @abstractmethod
    def _param_names(self) -> list[str]:
        """Return their paths, such as 'dense/kernel', in the same order."""

    def _leading_augmentation(self, input_shape: Shape) -> list[Augmentation]:
        """Return the first layers that change images at random, with which a batch can be taken."""
        return leading(self.running_layers[:-1], input_shape)

    @property
    @abstractmethod
    def _begins_on_host(self) -> bool:
        """Whether ``_forward`` takes its input on the host, wherever operations run."""

    def _brought(self, x: Array) -> Array:
        """Return the input where ``_forward`` takes it."""
        return x if self._begins_on_host else backend.on_device(x)

    @abstractmethod
    def _arrived(self, batch: Batch) -> Batch:
        """Return a batch behind the first layers that work on the host, where operations run."""

    @property
    @abstractmethod
    def _ends_in_softmax(self) -> bool:
        """Whether ``_forward(logits=True)`` can stop before a last softmax."""
