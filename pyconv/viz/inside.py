"""What is in a network: a layer's filters, and the maps that it makes of an image."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import shown
from pyconv.layers.conv2d import Conv2D
from pyconv.layers.depthwise_conv2d import DepthwiseConv2D
from pyconv.model import model_arg
from pyconv.viz import _tiles
from pyconv.viz._canvas import new_figure, written

if TYPE_CHECKING:
    from pyconv.model import Sequential

_TILE = 0.75  # inches
_MOST = 64  # tiles
# Blue and red on both sides of white, told apart by the colour-blind too.
_SIGNED = "RdBu_r"
# Room at the right for the numbers of bars, whose axes the layout reckons a little too narrow.
_FOR_BARS = (0, 0, 0.96, 1)


def filters(layer: Any, path: Any = None) -> Any:
    """Return a figure of a layer's filters, the first 64 of them.

    Filters of three channels are shown in colours, gray being 0. Others are shown from blue
    (below 0) to red (above), those of several channels by their mean over the channels.

    Args:
        layer: a ``Conv2D`` or ``DepthwiseConv2D`` that is built.
        path: a file to write too, in the format of its ending.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: it is another layer.
        ValueError: it is not built yet.

    Example:
        >>> import pyconv
        >>> layer = pyconv.layers.Conv2D(32, 5)
        >>> layer.build((None, 32, 32, 3))
        >>> len(pyconv.viz.filters(layer).axes[0].images)
        32
    """
    tiles, title = _filter_tiles("filters", layer)
    rows, columns = _tiles.grid(len(tiles), None)
    figure = new_figure(_size(rows, columns, tiles[0], 1))
    figure.get_layout_engine().set(rect=_FOR_BARS)
    _panel(figure.add_subplot(), tiles, columns, title, signed=True)
    return written("filters", figure, path)


def activations(model: "Sequential", image: Any, layer: Any = None, path: Any = None) -> Any:
    """Return a figure of an image, a layer's filters and the maps that it makes of the image.

    The first 64 maps; filters are shown as by ``filters``, where the layer has some.

    Args:
        model: the network.
        image: (H, W, C), as the model takes it, or a batch of one.
        layer: a layer whose result is an image, its name or its index; by default the first
            convolution.
        path: a file to write too, in the format of its ending.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError, ValueError: the model does not take the image, has no such layer, or what that
            layer gives is no image.

    Example:
        >>> import numpy as np, pyconv
        >>> from pyconv import layers
        >>> model = pyconv.Sequential([layers.Input((32, 32, 3)), layers.Conv2D(32, 5)])
        >>> figure = pyconv.viz.activations(model, np.zeros((32, 32, 3)))
        >>> len(figure.axes[2].images)
        32
    """
    from pyconv._features import layer_index

    owner = "activations"
    model_arg(owner, model)
    picture = _targets.numeric(owner, "image", image)
    if picture.ndim == 4 and len(picture) == 1:
        picture = picture[0]
    if picture.ndim != 3:
        raise ValueError(f"{owner}: image must be one image (H, W, C), got shape {picture.shape}")
    if layer is None:
        found = [i for i, one in enumerate(model.running_layers) if isinstance(one, Conv2D)]
        if not found:
            raise ValueError(f"{owner}: {model.label} has no Conv2D; name a layer")
        layer = found[0]
    chosen = model.running_layers[layer_index(model, owner, layer)]
    maps = model.predict(picture[np.newaxis], verbose=0, upto=chosen)
    if maps.ndim != 4:
        raise ValueError(f"{owner}: {chosen.label} gives no images, but {maps.shape}")
    tiles = [maps[0, :, :, k] for k in range(min(maps.shape[3], _MOST))]
    title = f"activation maps of {_short(chosen.name)}: {_of(maps.shape[3])}"
    _, columns = _tiles.grid(len(tiles), None, 16)
    columns = max(columns, min(len(tiles), 8))
    rows = -(-len(tiles) // columns)
    maps_width, maps_height = _size(rows, columns, tiles[0], 1)
    has_filters = isinstance(chosen, (Conv2D, DepthwiseConv2D))
    width, upper = max(maps_width, 8.0), 2.6
    if has_filters:
        kernels, kernel_title = _filter_tiles(owner, chosen)
        across = min(len(kernels), 16)
        upper = max(
            upper, -(-len(kernels) // across) * 0.45 * len(kernels[0]) / len(kernels[0][0]) + 0.8
        )
    figure = new_figure((width, upper + maps_height))
    figure.get_layout_engine().set(rect=_FOR_BARS)
    top, bottom = figure.subfigures(2, 1, height_ratios=(upper, maps_height))
    left, right = top.subfigures(1, 2, width_ratios=(2.2, width - 2.2))
    axes = left.add_subplot()
    axes.imshow(_tiles.shown_image(picture), cmap="gray", vmin=0, vmax=1)
    left.suptitle(f"image {_sizes(picture.shape)}", fontsize=10)
    axes.axis("off")
    if has_filters:
        _panel(right.add_subplot(), kernels, across, kernel_title, signed=True)
    _panel(bottom.add_subplot(), tiles, columns, title, signed=False)
    return written(owner, figure, path)


def _filter_tiles(owner: str, layer: Any) -> tuple[list[NDArray[Any]], str]:
    """Return the tiles of a layer's filters, and what they are."""
    if not isinstance(layer, (Conv2D, DepthwiseConv2D)):
        what = getattr(layer, "label", None) or shown(layer)
        raise TypeError(f"{owner}: layer must be a Conv2D or DepthwiseConv2D, got {what}")
    if not layer.knows_shape:
        raise ValueError(
            f"{owner}: {layer.label} is not built, it has no filters yet; call "
            "build(input_shape) first"
        )
    weights: Any = layer.weights[0]
    kernel = np.asarray(weights)
    if isinstance(layer, DepthwiseConv2D):
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    count, channels = kernel.shape[3], kernel.shape[2]
    tiles = [kernel[..., k] for k in range(min(count, _MOST))]
    title = f"filters of {_short(layer.name)}: {_of(count)}, each {_sizes(kernel.shape[:3])}"
    if channels == 3:
        largest = max(float(np.abs(kernel).max()), 1e-30)
        return [0.5 + tile / (2 * largest) for tile in tiles], title
    if channels > 1:
        title += f"\n(the mean of {channels} channels)"
    return [tile.mean(axis=2) for tile in tiles], title


def _panel(axes: Any, tiles: list[NDArray[Any]], columns: int, title: str, signed: bool) -> None:
    """Draw tiles in one scale of colours, with its bar."""
    style: dict[str, Any] = {}
    if tiles[0].ndim == 2:
        low = min(float(tile.min()) for tile in tiles)
        high = max(float(tile.max()) for tile in tiles)
        if signed:
            high = max(abs(low), abs(high), 1e-30)
            low = -high
        elif high == low:
            high = low + 1  # maps of nothing but zeros: the scale is to have some extent
        style = {"cmap": _SIGNED if signed else "viridis", "vmin": low, "vmax": high}
    artist = _tiles.draw(axes, tiles, columns, _TILE, **style)
    # Of the whole figure: it may be wider than the tiles.
    axes.figure.suptitle(title, fontsize=10, parse_math=False)
    if style:
        bar = 0.12 / (columns * _TILE)
        axes.figure.colorbar(artist, cax=axes.inset_axes([1 + bar, 0.1, bar, 0.8]))


def _size(rows: int, columns: int, tile: NDArray[Any], extra: float) -> tuple[float, float]:
    aspect = tile.shape[0] / tile.shape[1]
    return max(columns * _TILE * 1.08 + extra, 5.5), _tiles.height_of(rows, aspect, _TILE) + 0.7


def _of(count: int) -> str:
    return f"{count}" if count <= _MOST else f"the first {_MOST} of {count}"


def _short(name: str) -> str:
    return _tiles.fitted(name, 2.0, 8)


def _sizes(shape: tuple[int, ...]) -> str:
    return "\u00d7".join(map(str, shape))
