"""The numbers of the course's slides, and what its tests share."""

import numpy as np

from pyconv.layers import Conv2D

# The image of the slides on smoothing.
F = np.zeros((10, 10))
F[2:7, 3:8] = 90
F[5, 4] = 0
F[8, 2] = 90

BOX3_VALID = [
    [0, 10, 20, 30, 30, 30, 20, 10],
    [0, 20, 40, 60, 60, 60, 40, 20],
    [0, 30, 60, 90, 90, 90, 60, 30],
    [0, 30, 50, 80, 80, 90, 60, 30],
    [0, 30, 50, 80, 80, 90, 60, 30],
    [0, 20, 30, 50, 50, 60, 40, 20],
    [10, 20, 30, 30, 30, 30, 20, 10],
    [10, 10, 10, 0, 0, 0, 0, 0],
]
BOX5_VALID = [
    [21.6, 32.4, 43.2, 54, 43.2, 32.4],
    [25.2, 39.6, 54, 68.4, 54, 43.2],
    [32.4, 50.4, 68.4, 86.4, 68.4, 54],
    [25.2, 39.6, 54, 68.4, 54, 43.2],
    [21.6, 32.4, 43.2, 50.4, 39.6, 32.4],
    [14.4, 21.6, 28.8, 32.4, 25.2, 21.6],
]
_GAUSS_5 = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])
# The table of kernels: whole numbers, and what they are divided by.
KERNELS = {
    "identity": ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], 1),
    "edge1": ([[1, 0, -1], [0, 0, 0], [-1, 0, 1]], 1),
    "edge2": ([[0, 1, 0], [1, -4, 1], [0, 1, 0]], 1),
    "edge3": ([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], 1),
    "sharpen": ([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], 1),
    "box": ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], 9),
    "gauss3": ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16),
    "gauss5": (_GAUSS_5, 256),
    "unsharp5": (np.where(_GAUSS_5 == 36, -476, _GAUSS_5), -256),
    "gauss100": ([[8, 12, 8], [12, 20, 12], [8, 12, 8]], 100),
    "sobel_x": ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 1),
    "sobel_y": ([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], 1),
}
# Row 2 of the valid result of a 3x3 kernel on F.
ROW2 = {
    "edge1": [0] * 8,
    "edge2": [0, 90, -90, 0, 0, 0, -90, 90],
    "edge3": [0, -270, 270, 0, 0, 0, 270, -270],
    "sharpen": [0, -90, 180, 90, 90, 90, 180, -90],
    "gauss3": [0, 22.5, 67.5, 90, 90, 90, 67.5, 22.5],
    "gauss100": [0, 25.2, 64.8, 90, 90, 90, 64.8, 25.2],
    "identity": [0, 0, 90, 90, 90, 90, 90, 0],
    "box": BOX3_VALID[2],
}
I5 = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
K3 = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
CONV_VALID = [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
CONV_S2 = [[4, 4], [2, 4]]
CONV_P1 = [
    [2, 2, 3, 1, 1],
    [1, 4, 3, 4, 1],
    [1, 2, 4, 3, 3],
    [1, 2, 3, 4, 1],
    [0, 2, 2, 1, 1],
]
RELU_FILTER = [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]]
RELU_MAP = [[0, 0, 0], [0, 0, 3], [0, 3, 0]]
POOL_A = [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]
POOL_B = [[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]


def filtered(image, kernel, **options):
    """The result of a Conv2D layer that was given the filter as its weights, for each channel."""
    kernel, image = np.asarray(kernel), np.asarray(image)
    x = image.reshape(1, *image.shape[:2], -1)
    channels = x.shape[-1]
    layer = Conv2D(channels, kernel.shape, groups=channels, use_bias=False, **options)
    layer.build((None, *x.shape[1:]))
    layer.set_weights([np.repeat(kernel[:, :, None, None], channels, axis=3)])
    y = np.asarray(layer(x))[0]
    return y[..., 0] if image.ndim == 2 else y
