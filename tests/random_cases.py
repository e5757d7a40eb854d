"""Random arguments of the operations, from a seed."""

import numpy as np
import reference

CHANNELS = (1, 2, 3, 5, 6, 7, 8, 15, 16, 17, 31, 32, 33, 48, 64, 65, 100)
BATCHES = (1, 1, 1, 2, 3, 5, 8, 16, 32, 33)
MAX_PRODUCTS = (3_000_000,) * 9 + (40_000_000,)  # of one convolution or product
MAX_VALUES = 500_000  # of one array


def pick(rng, options):
    return options[int(rng.integers(len(options)))]


def upto(rng, most, least=1):
    return int(rng.integers(least, most + 1))


def numbers(rng, shape, kind):
    """Normal numbers, or small integers, whose sums are exact in float32 in any order."""
    if kind == "integers":
        return rng.integers(-4, 5, shape).astype(np.float32)
    return rng.standard_normal(shape, np.float32)


def laid_out(rng, a):
    """Return ``a``'s values, often in memory that is not contiguous or not aligned."""
    kind = upto(rng, 7, 0)
    if kind == 0:
        return np.repeat(a, 2, -1)[..., ::2]
    if kind == 1:
        return a[::-1].copy()[::-1]
    if kind == 2:
        return np.asfortranarray(a)
    if kind == 3:
        memory = np.empty(a.nbytes + 1, np.uint8)
        view = memory[1:].view(np.float32).reshape(a.shape)
        view[...] = a
        view.flags.writeable = False
        return view
    return a


def sizes(rng):
    """Return (N, H, W)."""
    return pick(rng, BATCHES), upto(rng, 33), upto(rng, 33)


def paddings(rng, size, kernel, strides, dilation, largest):
    """Return padding as a user gives it, and as (top, bottom, left, right)."""
    kind = upto(rng, 4, 0)
    if kind == 0:
        return "valid", (0, 0, 0, 0)
    if kind == 1:
        rows = reference.same(size[0], kernel[0], strides[0], dilation[0])
        return "same", (*rows, *reference.same(size[1], kernel[1], strides[1], dilation[1]))
    if kind == 2:
        pad = upto(rng, min(largest), 0)
        return pad, (pad,) * 4
    pads = [upto(rng, largest[i // 2], 0) for i in range(4)]
    return ((pads[0], pads[1]), (pads[2], pads[3])), tuple(pads)


def outputs(size, kernel, strides, pads, dilation=(1, 1)):
    """Return (OH, OW); less than 1 where the windows do not fit."""
    return tuple(
        (size[i] + pads[2 * i] + pads[2 * i + 1] - (kernel[i] - 1) * dilation[i] - 1) // strides[i]
        + 1
        for i in range(2)
    )


def convolution(rng):
    """Return the shapes and geometry of a convolution."""
    most = pick(rng, MAX_PRODUCTS)
    while True:
        n, h, w = sizes(rng)
        groups, c, oc = 1, pick(rng, CHANNELS), pick(rng, CHANNELS)
        kind = upto(rng, 5, 0)
        if kind == 0:  # grouped
            groups = pick(rng, (2, 3, 4, 8))
            c, oc = groups * pick(rng, CHANNELS[:10]), groups * pick(rng, CHANNELS[:10])
        elif kind == 1:  # depthwise, with a multiplier or of whole vectors
            c = pick(rng, (c, 16 * upto(rng, 3)))
            groups, oc = c, c * upto(rng, 3)
        kernel = (upto(rng, 7), upto(rng, 7))
        strides = (upto(rng, 4), upto(rng, 4))
        dilation = (upto(rng, 3), upto(rng, 3))
        form = upto(rng, 5, 0)
        if form < 2:  # common ones, with kernels of their own
            kernel = pick(rng, ((3, 3), (3, 3), (1, 1), (2, 2), (5, 5)))
            strides = dilation = (1, 1)
        elif form == 2:
            kernel, dilation = pick(rng, ((3, 3), (1, 1), (2, 2))), (1, 1)
            strides = pick(rng, ((2, 2), (3, 3)))
        padding, pads = paddings(rng, (h, w), kernel, strides, dilation, (9, 9))
        oh, ow = outputs((h, w), kernel, strides, pads, dilation)
        if oh < 1 or ow < 1:
            continue
        products = n * oh * ow * kernel[0] * kernel[1] * (c // groups) * oc
        if products <= most and max(n * h * w * c, n * oh * ow * oc) <= MAX_VALUES:
            return {
                "x": (n, h, w, c),
                "w": (*kernel, c // groups, oc),
                "y": (n, oh, ow, oc),
                "options": {
                    "strides": strides,
                    "padding": padding,
                    "dilation": dilation,
                    "groups": groups,
                },
                "pads": pads,
                "kind": pick(rng, ("integers", "normal")),
            }


def pooling(rng):
    """Return the shapes and geometry of a pooling."""
    while True:
        n, h, w = sizes(rng)
        c = pick(rng, CHANNELS)
        pool = (upto(rng, 5), upto(rng, 5))
        strides = pick(rng, (pool, (upto(rng, 4), upto(rng, 4)), (2, 2)))
        largest = (pool[0] - 1, pool[1] - 1)
        padding, pads = paddings(rng, (h, w), pool, strides, (1, 1), largest)
        oh, ow = outputs((h, w), pool, strides, pads)
        if oh < 1 or ow < 1 or n * h * w * c > MAX_VALUES:
            continue
        # each window needs a cell of the image
        if (oh - 1) * strides[0] < pads[0] + h and (ow - 1) * strides[1] < pads[2] + w:
            return {
                "x": (n, h, w, c),
                "y": (n, oh, ow, c),
                "arguments": (pool, strides, padding),
                "pads": pads,
            }


def product(rng):
    """Return (N, in, units) of a dense layer."""
    most = pick(rng, MAX_PRODUCTS)
    while True:
        n, inputs = pick(rng, (*BATCHES, 6, 64, 129)), pick(rng, (*CHANNELS, 130, 257, 1024, 3072))
        units = pick(rng, (*CHANNELS, 10, 128, 300, 512))
        if n * inputs * units <= most:
            return n, inputs, units


def shape(rng):
    """Return a shape of any rank, the last axis not empty."""
    while True:
        dims = [upto(rng, 9, 0) for _ in range(upto(rng, 4, 0))]
        dims.append(pick(rng, (*CHANNELS, 1000, 4097)))
        if np.prod(dims) <= MAX_VALUES:
            return tuple(dims)
