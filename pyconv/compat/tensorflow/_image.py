"""``tf.image``: images (H, W, C), or batches of them, changed with numpy."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from pyconv import _random
from pyconv.compat._autodiff import unwrapped
from pyconv.compat._eager import eagerly
from pyconv.compat._patches import extract_image_patches
from pyconv.compat.tensorflow._colors import hsv_to_rgb, rgb_to_hsv, with_hue
from pyconv.layers._interpolation import along, shares

_GREY = np.array([0.2989, 0.587, 0.114], np.float32)


def _array(image: Any) -> Any:
    return np.asarray(unwrapped(image))


def _resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False,
    antialias: bool = False, name: Any = None,
) -> Any:  # fmt: skip
    x = _array(images)
    height, width = (int(n) for n in np.ravel(_array(size)))
    if preserve_aspect_ratio:
        scale = min(height / x.shape[-3], width / x.shape[-2])
        height, width = (max(round(n * scale), 1) for n in x.shape[-3:-1])
    kind = str(method).lower()
    y = x.astype(np.float32)
    for axis, count in ((x.ndim - 3, height), (x.ndim - 2, width)):
        if x.shape[axis] != count:
            y = along(y, axis, shares(x.shape[axis], count, kind, antialias))
    return y.astype(x.dtype) if kind == "nearest" else y


def _convert(image: Any, dtype: Any, saturate: bool = False, name: Any = None) -> Any:
    """Have whole numbers of a type's range be 0 to 1, and back."""
    x, wanted = _array(image), np.dtype(dtype)
    if x.dtype.kind in "ui" and wanted.kind == "f":
        return x.astype(wanted) / np.iinfo(x.dtype).max
    if x.dtype.kind == "f" and wanted.kind in "ui":
        most = np.iinfo(wanted).max
        return np.clip(x * (most + 0.5), 0, most).astype(wanted)
    return x.astype(wanted)


def _cropped(image: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    top, left, height, width = (int(n) for n in (top, left, height, width))
    return _array(image)[..., top : top + height, left : left + width, :]


def _padded(image: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    x = _array(image)
    y = np.zeros((*x.shape[:-3], int(height), int(width), x.shape[-1]), x.dtype)
    y[..., int(top) : int(top) + x.shape[-3], int(left) : int(left) + x.shape[-2], :] = x
    return y


def _crop_or_pad(image: Any, target_height: int, target_width: int) -> Any:
    x = _array(image)
    for axis, size in ((x.ndim - 3, target_height), (x.ndim - 2, target_width)):
        more = size - x.shape[axis]
        if more > 0:
            before = more // 2
            widths = [(before, more - before) if i == axis else (0, 0) for i in range(x.ndim)]
            x = np.pad(x, widths)
        elif more < 0:
            first = -more // 2
            x = np.take(x, range(first, first + size), axis)
    return x


def _flip(axis: int) -> Any:
    return lambda image: np.flip(_array(image), axis)


def _sometimes(change: Any) -> Any:
    """Return what changes each image in one half of the cases."""

    def run(image: Any, seed: Any = None) -> Any:
        x = _array(image)
        random = _draws(seed)
        if x.ndim == 3:
            return change(x) if random.random() < 0.5 else x
        chosen = random.random(len(x)) < 0.5
        return np.where(chosen[:, None, None, None], change(x), x)

    return run


def _draws(seed: Any) -> np.random.Generator:
    return _random.generator() if seed is None else np.random.default_rng(seed)


def _random_crop(value: Any, size: Any, seed: Any = None, name: Any = None) -> Any:
    x, random = _array(value), _draws(seed)
    sizes = [int(n) for n in np.ravel(_array(size))]
    firsts = [int(random.integers(n - m + 1)) for n, m in zip(x.shape, sizes, strict=True)]
    return x[tuple(slice(at, at + m) for at, m in zip(firsts, sizes, strict=True))]


def _brighter(image: Any, delta: Any) -> Any:
    return _as_given(image, lambda x: x + np.float32(delta))


def _contrast(image: Any, contrast_factor: Any) -> Any:
    def change(x: Any) -> Any:
        mean = x.mean(axis=(-3, -2), keepdims=True)
        return (x - mean) * np.float32(contrast_factor) + mean

    return _as_given(image, change)


def _saturation(image: Any, saturation_factor: Any) -> Any:
    def change(x: Any) -> Any:
        most = x.max(axis=-1, keepdims=True)
        low = x.min(axis=-1, keepdims=True)
        spread = np.where(most > 0, (most - low) / np.where(most > 0, most, 1), 0)
        wanted = np.clip(spread * saturation_factor, 0, 1)
        share = np.where(spread > 0, wanted / np.where(spread > 0, spread, 1), 0)
        return most - (most - x) * share

    return _as_given(image, change)


def _hue(image: Any, delta: Any, name: Any = None) -> Any:
    return _as_given(image, lambda x: with_hue(x, delta))


def _random_hue(image: Any, max_delta: Any, seed: Any = None) -> Any:
    return _hue(image, _draws(seed).uniform(-max_delta, max_delta))


def _gamma(image: Any, gamma: float = 1, gain: float = 1) -> Any:
    return _as_given(image, lambda x: np.float32(gain) * x ** np.float32(gamma))


def _as_given(image: Any, change: Any) -> Any:
    """Return an image changed as one of 0 to 1, of the type that it was of."""
    x = _array(image)
    if x.dtype.kind == "f":
        return change(x).astype(x.dtype)
    return _convert(change(_convert(x, np.float32)), x.dtype)


def _drawn(change: Any) -> Any:
    def run(image: Any, lower: Any, upper: Any, seed: Any = None) -> Any:
        return change(image, _draws(seed).uniform(lower, upper))

    return run


def _random_brightness(image: Any, max_delta: Any, seed: Any = None) -> Any:
    return _brighter(image, _draws(seed).uniform(-max_delta, max_delta))


def _to_grey(images: Any, name: Any = None) -> Any:
    return _as_given(images, lambda x: (x * _GREY).sum(axis=-1, keepdims=True))


def _standardized(image: Any) -> Any:
    x = _array(image).astype(np.float32)
    axes = (-3, -2, -1)
    least = 1 / np.sqrt(np.prod(x.shape[-3:]))
    spread = np.maximum(x.std(axis=axes, keepdims=True), least)
    return ((x - x.mean(axis=axes, keepdims=True)) / spread).astype(np.float32)


_FUNCTIONS: dict[str, Any] = {
    "adjust_brightness": _brighter,
    "adjust_contrast": _contrast,
    "adjust_gamma": _gamma,
    "adjust_hue": _hue,
    "adjust_saturation": _saturation,
    "central_crop": lambda image, central_fraction: _crop_or_pad(
        image, *(round(n * central_fraction) for n in _array(image).shape[-3:-1])
    ),
    "convert_image_dtype": _convert,
    "crop_to_bounding_box": _cropped,
    "flip_left_right": _flip(-2),
    "flip_up_down": _flip(-3),
    "grayscale_to_rgb": lambda images, name=None: np.repeat(_array(images), 3, -1),
    "pad_to_bounding_box": _padded,
    "per_image_standardization": _standardized,
    "random_brightness": _random_brightness,
    "random_contrast": _drawn(_contrast),
    "random_crop": _random_crop,
    "random_flip_left_right": _sometimes(_flip(-2)),
    "random_flip_up_down": _sometimes(_flip(-3)),
    "random_hue": _random_hue,
    "random_saturation": _drawn(_saturation),
    "resize": _resize,
    "resize_image_with_crop_or_pad": _crop_or_pad,
    "resize_images": _resize,
    "resize_with_crop_or_pad": _crop_or_pad,
    "hsv_to_rgb": hsv_to_rgb,
    "rgb_to_grayscale": _to_grey,
    "rgb_to_hsv": rgb_to_hsv,
    "rot90": lambda image, k=1, name=None: np.rot90(_array(image), int(k), (-3, -2)),
}
IMAGE = SimpleNamespace(
    extract_patches=eagerly(extract_image_patches),
    ResizeMethod=SimpleNamespace(
        BILINEAR="bilinear", NEAREST_NEIGHBOR="nearest", BICUBIC="bicubic", LANCZOS3="lanczos3"
    ),
    **{name: eagerly(function) for name, function in _FUNCTIONS.items()},
)
