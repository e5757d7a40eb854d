"""Names of Python, numpy, scipy and scikit-learn in older scripts, under today's versions."""

import collections
import collections.abc
import time
from typing import Any

import numpy as np

_MOVED = {
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.learning_curve": "sklearn.model_selection",
    "sklearn.externals.joblib": "joblib",
}


# Names of numpy's that have gone.
_OF_NUMPY: dict[str, Any] = {
    "Inf": np.inf, "NaN": np.nan, "NAN": np.nan, "PINF": np.inf, "bool": bool, "complex": complex,
    "cumproduct": np.cumprod, "float": float, "float_": np.float64, "infty": np.inf, "int": int,
    "int0": np.intp, "long": int, "object": object, "product": np.prod, "row_stack": np.vstack,
    "str": str, "string_": np.bytes_, "unicode_": np.str_,
}  # fmt: skip


def restore() -> None:
    """Give ``collections``, ``time`` and numpy the names that they had, where they have gone."""
    older: list[tuple[Any, dict[str, Any]]] = [
        (collections, {name: getattr(collections.abc, name) for name in collections.abc.__all__}),
        (time, {"clock": time.perf_counter}),
        (np, {**_OF_NUMPY, "asscalar": lambda a: np.asarray(a).item()}),
    ]
    for module, names in older:
        for name, value in names.items():
            if name not in vars(module):
                setattr(module, name, value)


def target_of(fullname: str) -> str | None:
    """Return the module that answers for one that is no more, None where it is there.

    ``scipy.misc`` had functions for image files until scipy 1.2.
    """
    return __name__ if fullname == "scipy.misc" else _MOVED.get(fullname)


def bytescale(data: Any, cmin: Any = None, cmax: Any = None, high: int = 255, low: int = 0) -> Any:
    """Return numbers as bytes, the smallest (``cmin``) as ``low``, the largest as ``high``."""
    data = np.asarray(data)
    if data.dtype == np.uint8:
        return data
    first = data.min() if cmin is None else cmin
    last = data.max() if cmax is None else cmax
    scale = (high - low) / float((last - first) or 1)
    scaled = (data - first) * scale + low
    return (np.clip(scaled, low, high) + 0.5).astype(np.uint8)


def toimage(
    arr: Any, high: int = 255, low: int = 0, cmin: Any = None, cmax: Any = None, **kwargs: Any
) -> Any:
    """Return a Pillow image of numbers (H, W), (H, W, C) or (C, H, W)."""
    from PIL import Image

    data = np.asarray(arr)
    if data.ndim == 3 and data.shape[2] not in (3, 4) and data.shape[0] in (3, 4):
        data = np.moveaxis(data, 0, 2)
    return Image.fromarray(bytescale(data, cmin, cmax, high, low))


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> Any:
    """Return the image in a file as an array."""
    from PIL import Image

    with Image.open(name) as image:
        if mode is not None or flatten:
            return np.array(image.convert("F" if flatten else mode))
        return np.array(image)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    """Write numbers to an image file."""
    toimage(arr).save(name, format)


def imshow(arr: Any) -> None:
    """Show an image."""
    toimage(arr).show()


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> Any:
    """Return an image of another size: a share in percent, a factor, or (height, width)."""
    from PIL import Image

    image = toimage(arr) if mode is None else toimage(arr).convert(mode)
    if isinstance(size, (int, float)):
        factor = size / 100 if isinstance(size, int) else size
        wide, high = (int(side * factor) for side in image.size)
    else:
        high, wide = size[:2]
    kind = getattr(Image.Resampling, {"cubic": "BICUBIC"}.get(interp, interp.upper()))
    return np.array(image.resize((wide, high), resample=kind))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> Any:
    """Return an image turned by degrees, counter-clockwise."""
    from PIL import Image

    return np.array(toimage(arr).rotate(angle, resample=getattr(Image.Resampling, interp.upper())))
