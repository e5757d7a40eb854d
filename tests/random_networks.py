"""Random networks of layers that hold layers, from a seed."""

from random_cases import pick, upto

from pyconv import layers
from pyconv.layers import (
    Add,
    AveragePooling2D,
    BatchNormalization,
    Branches,
    Concatenate,
    Conv2D,
    DepthwiseConv2D,
    Graph,
    LocalResponseNormalization,
    MaxPooling2D,
    Multiply,
    ReLU,
    Residual,
    Subtract,
)

WIDTHS = (1, 2, 3, 4, 5, 8, 9, 16, 17)
ACTIVATIONS = (None, None, "relu", "tanh")


def stack(rng, shape, depth, count):
    """Return ``count`` layers in a row for images (H, W, C), and the shape of their result.

    Args:
        rng: where all choices come from.
        shape: of an image.
        depth: how deep layers may hold layers.
        count: how many.
    """
    found = []
    for _ in range(count):
        makers = SIMPLE if depth == 0 or upto(rng, 2) == 1 else HOLDING
        layer = pick(rng, makers)(rng, shape, depth - 1)
        found.append(layer)
        shape = layer.compute_output_shape((None, *shape))[1:]
    return found, shape


def same_size(rng, shape, depth, count):
    """Return layers that keep height and width."""
    while True:
        found, result = stack(rng, shape, depth, count)
        if result[:2] == shape[:2]:
            return found, result


def conv(rng, shape, depth):
    h, w, c = shape
    kernel = (upto(rng, 4), upto(rng, 4))
    strides = (upto(rng, 2), upto(rng, 2)) if upto(rng, 4) == 1 and min(h, w) > 3 else (1, 1)
    groups = pick(rng, [g for g in (1, 1, 1, 2, 3) if c % g == 0])
    dilation = pick(rng, (1, 1, 2)) if strides == (1, 1) else 1
    padding = pick(rng, ("same", "same", "valid", ((1, 0), (2, 1))))
    spans = [(k - 1) * dilation + 1 for k in kernel]
    if padding != "same" and (spans[0] > h or spans[1] > w):
        padding = "same"
    return Conv2D(
        groups * pick(rng, WIDTHS),
        kernel,
        strides,
        padding,
        dilation_rate=dilation,
        groups=groups,
        activation=pick(rng, ACTIVATIONS),
        use_bias=bool(upto(rng, 3) > 1),
    )


def pointwise(rng, shape, depth):
    return Conv2D(pick(rng, WIDTHS), 1, activation=pick(rng, ACTIVATIONS))


def depthwise(rng, shape, depth):
    return DepthwiseConv2D(upto(rng, 3), padding="same", depth_multiplier=upto(rng, 2))


def norm(rng, shape, depth):
    return BatchNormalization(epsilon=0.1)


def lrn(rng, shape, depth):
    beta = pick(rng, (0.5, 0.75, 1.0, 0.6))
    return LocalResponseNormalization(upto(rng, 3, 0), pick(rng, (1.0, 2.0)), 0.1, beta)


def max_pool(rng, shape, depth):
    if min(shape[:2]) < 3:
        return ReLU()
    return MaxPooling2D(upto(rng, 3), upto(rng, 2), pick(rng, ("valid", "same")))


def average_pool(rng, shape, depth):
    if min(shape[:2]) < 3:
        return ReLU()
    return AveragePooling2D((upto(rng, 3), upto(rng, 3)), upto(rng, 2))


def relu(rng, shape, depth):
    return pick(rng, (ReLU, lambda: layers.LeakyReLU(0.2)))()


def residual(rng, shape, depth):
    activation = pick(rng, ACTIVATIONS)
    main, result = stack(rng, shape, depth, upto(rng, 3, 0))
    if result == shape and upto(rng, 3) > 1:
        return Residual(main, activation=activation)
    if result[:2] == shape[:2]:
        around, _ = same_size(rng, shape, 0, upto(rng, 2) - 1)
        return Residual(main, [*around, Conv2D(result[2], 1)], activation)
    # Whatever the size has become: windows that are just so large.
    window = (shape[0] - result[0] + 1, shape[1] - result[1] + 1)
    if min(window) < 1:
        return relu(rng, shape, depth)
    return Residual(main, [Conv2D(result[2], window)], activation)


def branches(rng, shape, depth):
    found = [same_size(rng, shape, depth, upto(rng, 2, 0)) for _ in range(upto(rng, 4))]
    if upto(rng, 2) == 1:
        return Branches([path for path, _ in found])
    width = found[0][1][2]
    paths = [p if s[2] == width else [*p, Conv2D(width, 1)] for p, s in found]
    return Branches(paths, merge="add")


def graph(rng, shape, depth):
    """Nodes that take any results before them; the last one takes what is left over."""
    shapes, nodes, used = [shape], [], set()
    for _ in range(upto(rng, 5)):
        source = upto(rng, len(shapes) - 1, 0)
        made, result = same_size(rng, shapes[source], depth, 1)
        same = [i for i, s in enumerate(shapes) if s == shapes[source]]
        if len(same) > 1 and upto(rng, 3) == 1:
            sources = [pick(rng, same) for _ in range(2)]
            merge = pick(rng, (Add, Multiply, Subtract, layers.Average, layers.Maximum))
            nodes.append((merge(), sources))
            result = shapes[source]
        else:
            sources = [source]
            nodes.append((made[0], sources))
        used.update(sources)
        shapes.append(result)
    left = [i for i in range(len(shapes)) if i not in used]
    if len(left) > 1:
        nodes.append((Concatenate(), left))
    return Graph(nodes)


SIMPLE = (conv, conv, conv, pointwise, depthwise, norm, norm, lrn, max_pool, average_pool, relu)
HOLDING = (residual, residual, branches, graph)
