"""Hue, saturation and value of images."""

from typing import Any

import numpy as np


def rgb_to_hsv(images: Any, name: Any = None) -> Any:
    """Return images (..., 3) of red, green and blue as hue, saturation and value, all 0 to 1."""
    x = np.asarray(images)
    red, green, blue = (x[..., i] for i in range(3))
    most, low = x.max(axis=-1), x.min(axis=-1)
    spread = most - low
    by = np.where(spread > 0, spread, 1)
    hue = np.where(
        most == red,
        (green - blue) / by,
        np.where(most == green, 2 + (blue - red) / by, 4 + (red - green) / by),
    )
    hue = np.where(spread > 0, hue / 6 % 1, 0)
    saturation = np.where(most > 0, spread / np.where(most > 0, most, 1), 0)
    return np.stack([hue, saturation, most], -1).astype(x.dtype)


def hsv_to_rgb(images: Any, name: Any = None) -> Any:
    """Return images (..., 3) of hue, saturation and value as red, green and blue."""
    x = np.asarray(images)
    hue, saturation, value = (x[..., i] for i in range(3))
    # Each color rises over a sixth of the circle, stays for a third, and falls.
    shares = [np.clip(np.abs((hue * 6 + n) % 6 - 3) - 1, 0, 1) for n in (0, 4, 2)]
    colors = [value * (1 - saturation * (1 - share)) for share in shares]
    return np.stack(colors, -1).astype(x.dtype)


def with_hue(x: Any, delta: Any) -> Any:
    """Return images whose hue is turned by ``delta`` of the circle."""
    hsv = rgb_to_hsv(x)
    hsv[..., 0] = (hsv[..., 0] + np.float32(delta)) % 1
    return hsv_to_rgb(hsv)
