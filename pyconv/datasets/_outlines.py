"""The outlines of shapes10's classes, as signed distances in the unit circle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating[Any]]  # float32 in fact
Points = tuple[tuple[float, float], ...]

_STAR: Points = (
    (0.0, -1.0),
    (0.235, -0.324),
    (0.951, -0.309),
    (0.38, 0.124),
    (0.588, 0.809),
    (0.0, 0.4),
    (-0.588, 0.809),
    (-0.38, 0.124),
    (-0.951, -0.309),
    (-0.235, -0.324),
)
_CROSS: Points = (
    (-0.27, -0.95),
    (0.27, -0.95),
    (0.27, -0.27),
    (0.95, -0.27),
    (0.95, 0.27),
    (0.27, 0.27),
    (0.27, 0.95),
    (-0.27, 0.95),
    (-0.27, 0.27),
    (-0.95, 0.27),
    (-0.95, -0.27),
    (-0.27, -0.27),
)
_ARROW: Points = (
    (1.0, 0.0),
    (0.15, 0.75),
    (0.15, 0.25),
    (-0.95, 0.25),
    (-0.95, -0.25),
    (0.15, -0.25),
    (0.15, -0.75),
)
_POLYGONS: dict[str, Points] = {
    "square": ((-0.7, -0.7), (0.7, -0.7), (0.7, 0.7), (-0.7, 0.7)),
    "triangle": ((0.0, -1.0), (0.866, 0.5), (-0.866, 0.5)),
    "star": _STAR,
    "cross": _CROSS,
    "arrow": _ARROW,
    "hourglass": ((-0.65, -0.8), (0.65, -0.8), (-0.65, 0.8), (0.65, 0.8)),
}
CLASS_NAMES = ("circle", "ring", "crescent", "heart", *_POLYGONS)


def signed_distance(label: int, u: Float, v: Float) -> Float:
    """Distance from (u, v) to the outline of the class ``label``; negative inside."""
    name = CLASS_NAMES[label]
    if name == "circle":
        return _circle(u, v, 0.0, 0.0, 0.85)
    if name == "ring":
        band: Float = np.abs(_circle(u, v, 0.0, 0.0, 0.72)) - 0.2
        return band
    if name == "crescent":
        return np.maximum(_circle(u, v, 0.0, 0.0, 0.95), -_circle(u, v, 0.45, 0.0, 0.75))
    if name == "heart":
        lobes = np.minimum(_circle(u, v, -0.43, -0.3, 0.5), _circle(u, v, 0.43, -0.3, 0.5))
        point: Points = ((-0.84, -0.02), (0.0, -0.5), (0.84, -0.02), (0.0, 0.95))
        return np.minimum(lobes, _polygon(u, v, point))
    return _polygon(u, v, _POLYGONS[name])


def _circle(u: Float, v: Float, cu: float, cv: float, radius: float) -> Float:
    u, v = u - cu, v - cv
    distance: Float = np.sqrt(u * u + v * v) - radius
    return distance


def _polygon(u: Float, v: Float, points: Points) -> Float:
    """The nearest edge's distance, with the sign that the even-odd rule gives."""
    nearest = np.full_like(u, np.inf)
    inside = np.zeros(u.shape, bool)
    for (au, av), (bu, bv) in zip(points, (*points[1:], points[0]), strict=True):
        eu, ev = bu - au, bv - av
        wu, wv = u - au, v - av
        along = np.clip((wu * eu + wv * ev) / (eu * eu + ev * ev), 0, 1)
        du, dv = wu - along * eu, wv - along * ev
        nearest = np.minimum(nearest, du * du + dv * dv)
        crosses = (v >= av) != (v >= bv)
        left = (wu * ev < wv * eu) == (ev > 0)
        inside ^= crosses & left
    distance = np.sqrt(nearest)
    return np.where(inside, -distance, distance)
