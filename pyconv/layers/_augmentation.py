"""What layers that change images at random in training share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import backend
from pyconv._args import int_arg, is_one_of
from pyconv._types import Array, Shape
from pyconv.layers._arguments import number_arg
from pyconv.layers._image_layer import ImageLayer, Transformation
from pyconv.layers._memory import Buffers
from pyconv.layers._seeded import Seeded
from pyconv.layers.layer import Layer

# What one call of ``augment`` takes of a change: its kind and its numbers (see ``_cpu.pyi``).
Stage = tuple[Any, ...]
FILL_MODES = ("reflect", "wrap", "constant", "nearest")
# Changes are drawn for so many batches at once, of so many images together at most.
_BATCHES, _IMAGES = 16, 1024
# A batch that is drawn with a generator has more numbers than it needs to itself.
_BLOCKS_OF_GENERATOR = 2**32


class Augmentation(Seeded, ImageLayer):
    """A layer that changes each image at random in training, and none outside of it.

    What it draws depends on its seed and on how many batches it has seen, not on the number of
    threads. Images are changed on the host, wherever operations run. There is no gradient of
    images that were changed: such a layer goes before the first one with weights.
    """

    on_host = True

    def __init__(self, seed: int | None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format=data_format, **kwargs)
        self._ahead: list[list[Stage]] = []  # changes of the batches to come, the next one last
        self._ahead_for: tuple[int, ...] = ()
        self._on_host = Buffers(self.label, on_host=True)
        self._left = False  # whether the last images were left as they are

    # --- what a kind of augmentation implements ----------------------------------------------

    # Whether the images of a batch are changed each by itself.
    by_image = True

    def numbers(self, c: int) -> int:
        """Return how many random numbers are drawn for an image of c channels, or for a batch."""
        raise NotImplementedError

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return the change of images (h, w, c) that numbers u (n, numbers), 0 to below 1, are."""
        raise NotImplementedError

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return what ``augment`` takes for the change t of n images (h, w, c)."""
        raise NotImplementedError

    def has_stage(self, h: int, w: int) -> bool:
        """Whether ``stages`` can say what happens to images of this size."""
        return True

    # --- the layer -------------------------------------------------------------------------------

    def transformed(self, images: Array, transformation: Transformation) -> Array:
        """Return images (N, H, W, C) changed."""
        return backend.cpu.augment(images, self.stages(transformation, *images.shape))

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: int | None = None
    ) -> Transformation:
        """Draw what is done to images, or None outside of training; see ``ImageLayer``."""
        if not training:
            return None
        sizes = self._images_of(data)
        place = self._stream, self._next
        if seed is not None:
            self._stream, self._next = int_arg(self.label, "seed", seed, 0, 2**63 - 1), 0
        self._ahead = []
        t = self.draw(*sizes)
        if seed is not None:
            self._stream, self._next = place
        shape = np.shape(data["images"] if isinstance(data, dict) else data)
        return {**t, "input_shape": shape}

    def forward(self, x: Array, training: bool) -> Array:
        """Return the images, changed in training; they are where x is."""
        if x.ndim == 3:
            one: Array = self.forward(np.asarray(x)[np.newaxis], training)[0]
            return one
        images = np.asarray(x)
        images = augmented([self], images, None, self._on_host) if training else self.still(images)
        self._left = not training and images.shape == x.shape
        result: Array = images if isinstance(x, np.ndarray) else backend.on_device(images)
        return result

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return dy where the images were left as they are and it is needed; else None.

        Raises:
            ValueError: the gradient of changed images is needed.
        """
        if need_dx and self._left:
            return dy
        if need_dx:
            raise ValueError(
                f"{self.label}: it has no gradient; put it before the first layer with weights"
            )
        return None

    # --- randomness ------------------------------------------------------------------------------

    def next_stages(self, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return the change of the next batch of images (n, h, w, c).

        It depends on the place in the stream alone, not on how many are drawn at once.
        """
        if not self._ahead or self._ahead_for != (n, h, w, c):
            count = max(min(_BATCHES, _IMAGES // max(n, 1)), 1) if self.by_image else 1
            self._ahead = [
                [tuple(_part(value, k, n, count) for value in stage) for stage in drawn]
                for drawn in [self._drawn_stages(count, n, h, w, c)]
                for k in reversed(range(count))
            ]
            self._ahead_for = n, h, w, c
        self._next += self._blocks(n, c)
        return self._ahead.pop()

    def _drawn_stages(self, count: int, n: int, h: int, w: int, c: int) -> list[Stage]:
        t = self.drawn(self._uniform(count, n, c), h, w, c)
        return self.stages(t, count * n, h, w, c)

    def draw(self, n: int, h: int, w: int, c: int) -> Transformation:
        """Draw the change of the next batch of images (n, h, w, c)."""
        t = self.drawn(self._uniform(1, n, c), h, w, c)
        self._next += self._blocks(n, c)
        return t

    def generator(self) -> np.random.Generator:
        """Return a generator of numbers for the next batch, in place of ``numbers``."""
        philox = np.random.Philox(key=self._stream)
        philox.advance(self._next)
        self._next += _BLOCKS_OF_GENERATOR
        return np.random.Generator(philox)

    def _wanted(self, n: int, c: int) -> int:
        return (n if self.by_image else 1) * self.numbers(c)

    def _blocks(self, n: int, c: int) -> int:
        # Philox is counter-based: a block of four words a count.
        return -(-self._wanted(n, c) // 4)

    def _uniform(self, count: int, n: int, c: int) -> NDArray[np.float64]:
        """Draw numbers from 0 to below 1 for ``count`` batches, those of each on their own."""
        wanted, columns = self._wanted(n, c), self.numbers(c)
        philox = np.random.Philox(key=self._stream)
        philox.advance(self._next)
        words = philox.random_raw(4 * self._blocks(n, c) * count).reshape(count, -1)[:, :wanted]
        rows = count * (n if self.by_image else 1)
        return np.asarray((words >> np.uint64(11)) * 2.0**-53).reshape(rows, columns)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``get_state`` was called; see ``Seeded``."""
        super().set_state(state)
        self._ahead = []

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; an argument's new value holds from the next batch on."""
        if not name.startswith("_"):
            self._ahead = []
        super().__setattr__(name, value)


def _part(value: Any, k: int, n: int, count: int) -> Any:
    """Return the numbers of batch k of several."""
    return value[k * n : (k + 1) * n] if count > 1 and isinstance(value, np.ndarray) else value


def each(value: Any, n: int, columns: int = 1) -> NDArray[Any]:
    """Return what a transformation has for n images as (n, columns), of any shape of it."""
    flat = np.asarray(value).reshape(-1, columns)
    return np.array(np.broadcast_to(flat, (n, columns)))


def leading(layers: Sequence[Layer], shape: Shape) -> list[Augmentation]:
    """Return the first layers, as far as a batch of ``shape`` can be taken through them at once."""
    found: list[Augmentation] = []
    for layer in layers:
        if not isinstance(layer, Augmentation) or len(shape) != 4:
            break
        if getattr(layer, "data_format", None) == "channels_first":
            break  # its forward turns the axes
        _, h, w, _ = shape
        if h is None or w is None or not layer.has_stage(h, w):
            break
        found.append(layer)
        shape = layer.compute_output_shape(shape)
    return found


def augmented(
    layers: Sequence[Augmentation], x: NDArray[Any], rows: NDArray[np.int64] | None, to: Buffers
) -> Array:
    """Return images ``rows`` of x (N, H, W, C), None for all, as training has them.

    Each image goes through all layers while it is in the cache. The result is in a buffer of
    ``to``, on the host.
    """
    n, (h, w, c) = len(x if rows is None else rows), x.shape[1:]
    stages: list[Stage] = []
    for layer in layers:
        stages += layer.next_stages(n, h, w, c)
        sizes: Any = layer.images_shape((n, h, w, c))
        _, h, w, c = sizes
    return backend.cpu.augment(x, stages, rows, to.get("x", (n, h, w, c)))


def factor_arg(
    owner: str, name: str, value: Any, minimum: float, maximum: float
) -> tuple[float, float]:
    """Return (lower, upper) of a number, which stands for both signs, or of two numbers."""
    bounds = (minimum, maximum)
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(
                f"{owner}: {name} must be a number or two, got {value!r:.60}. {_words(*bounds)}"
            )
        lower, upper = sorted(
            _factor(owner, f"{name}[{i}]", v, bounds) for i, v in enumerate(value)
        )
        return lower, upper
    number = abs(_factor(owner, name, value, bounds))
    return max(-number, float(minimum)), number


def _factor(owner: str, name: str, value: Any, bounds: tuple[float, float]) -> float:
    try:
        return number_arg(owner, name, value, *bounds)
    except ValueError as error:
        raise type(error)(f"{error}. {_words(*bounds)}") from None


def _words(minimum: float, maximum: float) -> str:
    """Return what Keras says of a factor."""
    return (
        "The `factor` argument should be a number (or a list of two numbers) in the range "
        f"[{minimum:g}, {maximum:g}]."
    )


def as_given(factor: Any) -> Any:
    """Return a factor as a config has it: a list, as JSON makes one, is a tuple."""
    return tuple(factor) if isinstance(factor, list) else factor


def fill_mode_arg(owner: str, value: Any) -> str:
    """Return a name of ``FILL_MODES``."""
    if not is_one_of(value, FILL_MODES):
        raise ValueError(f"{owner}: fill_mode must be one of {FILL_MODES}, got {value!r:.60}")
    return str(value)


def sampling_arg(owner: str, value: Any) -> str:
    """Return how a warped image is made of the cells of the given one."""
    if not is_one_of(value, ("bilinear", "nearest")):
        raise ValueError(
            f"{owner}: interpolation must be 'bilinear' or 'nearest', got {value!r:.60}"
        )
    return str(value)


def range_arg(owner: str, value: Any) -> tuple[float, float]:
    """Return (low, high) of a ``value_range``."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(
            f"{owner}: value_range must be two numbers, got {value!r:.60}. The `value_range` "
            "argument should be a list of two numbers."
        )
    low, high = sorted(number_arg(owner, f"value_range[{i}]", v) for i, v in enumerate(value))
    if low == high:
        raise ValueError(f"{owner}: value_range must be two different numbers, got {value!r:.60}")
    return low, high


def resized(x: Array, height: int, width: int) -> Array:
    """Return images (N, H, W, C) of another size, bilinear between the centres of the cells."""
    for axis, size in ((1, height), (2, width)):
        count = x.shape[axis]
        if count == size:
            continue
        at = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
        low = np.minimum(at.astype(np.int64), count - 1)
        share = (at - low).astype(np.float32).reshape((-1, 1) if axis == 2 else (-1, 1, 1))
        lower, upper = x.take(low, axis), x.take(np.minimum(low + 1, count - 1), axis)
        x = np.asarray(lower + (upper - lower) * share, np.float32)
    return x
