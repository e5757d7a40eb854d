"""Random shears."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.layers._affine import Affine, identity
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import each
from pyconv.layers._image_layer import Transformation


class RandomShear(Affine):
    """In training, shears each image: rows move by a share of their number, columns likewise.

    Args:
        x_factor: largest share by which a row is moved for each row above it, 0 to 1, either way;
            or (least, most).
        y_factor: the same of columns.
        interpolation, fill_mode, fill_value, seed, data_format: see ``RandomTranslation``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``, ``bounding_box_format``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.RandomShear((1, 1), 0.0, fill_mode="constant", seed=2)
        >>> layer(np.eye(3).reshape(1, 3, 3, 1), training=True)[0, :, :, 0].tolist()
        [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """

    _boxes_keep_batch = True

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor = _range(self.label, "x_factor", x_factor)
        self.y_factor = _range(self.label, "y_factor", y_factor)

    def numbers(self, c: int) -> int:
        """Return 3: the side, and both shares."""
        return 3

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``shear_factor`` (n, 2): of rows, and of columns."""
        lower, upper = np.array([self.x_factor, self.y_factor]).T
        side = np.where(u[:, :1] > 0.5, -1.0, 1.0)
        return {"shear_factor": (lower + u[:, 1:] * (upper - lower)) * side}

    def matrices(self, t: Transformation, n: int, h: int, w: int) -> NDArray[np.float64]:
        """Return (n, 6)."""
        made = identity(n)
        shears = each(t["shear_factor"], n, 2)
        made[:, 3], made[:, 1] = shears[:, 0], shears[:, 1]
        return made

    def moved_boxes(self, boxes: Array, transformation: Transformation, h: int, w: int) -> Array:
        """Return the boxes as Keras moves them: shares of the size, first across, then down."""
        x, y = each(transformation["shear_factor"], len(boxes), 2).T[:, :, np.newaxis]
        left, top, right, bottom = np.moveaxis(boxes / np.array([w, h, w, h]), -1, 0)
        left, right = (
            np.where(x < 0, left - x * top, left - x * bottom),
            np.where(x < 0, right - x * bottom, right - x * top),
        )
        top, bottom = (
            np.where(y > 0, top - y * right, top - y * left),
            np.where(y > 0, bottom - y * left, bottom - y * right),
        )
        moved = np.stack([left, top, right, bottom], -1)
        return np.asarray(moved * np.array([w, h, w, h]), np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        # A number stands for both signs, which two numbers may not have.
        return {**super().get_config(), "x_factor": self.x_factor, "y_factor": self.y_factor}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RandomShear":
        """Return a new layer of the configuration that ``get_config`` returned."""
        given = dict(config)
        for name in ("x_factor", "y_factor"):
            factor = given.get(name)
            if isinstance(factor, (tuple, list)) and len(factor) == 2 and -factor[0] == factor[1]:
                given[name] = factor[1]
        return cls(**given)


def _range(owner: str, name: str, value: Any) -> tuple[float, float]:
    """Return (least, most) of a share."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(
                f"{owner}: {name} must be a number or two, got {value!r:.60}. The `factor` "
                "argument should be a number (or a list of two numbers) in the range [0, 1.0]."
            )
        low, high = sorted(number_arg(owner, f"{name}[{i}]", v, 0, 1) for i, v in enumerate(value))
        return low, high
    number = number_arg(owner, name, value, 0, 1)
    return -number, number
