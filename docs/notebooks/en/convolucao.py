# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What a convolution computes
#
# An image is a grid of numbers. A convolution slides a small grid, the *filter* or *kernel*, over
# it: at each place it multiplies the numbers that lie on each other and adds the products. That is
# all. In this notebook you work it out by hand, write it in a few lines, and see that
# `pyconv.filters` and the layer `Conv2D` of a neural network give the same numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

import pyconv
from pyconv import filters
from pyconv.layers import AveragePooling2D, Conv2D, Dense, MaxPooling2D

# %% [markdown]
# ## By hand
#
# The image and the filter of the slides. Lay the filter on the upper left corner and add the
# products:
#
# $$1\cdot1 + 1\cdot0 + 1\cdot1 + 0\cdot0 + 1\cdot1 + 1\cdot0 + 0\cdot1 + 0\cdot0 + 1\cdot1 = 4$$

# %%
image = np.array(
    [
        [1, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 0],
        [0, 1, 1, 0, 0],
    ]
)
kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])

window = image[0:3, 0:3]
print(window * kernel)
print((window * kernel).sum())

# %% [markdown]
# One step to the right the window is another, and the sum is 3. Nine places fit into this image,
# so the result, the *feature map*, has nine numbers.


# %%
def convolve(image, kernel, stride=1):
    size = len(kernel)
    rows = (image.shape[0] - size) // stride + 1
    columns = (image.shape[1] - size) // stride + 1
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = image[top : top + size, left : left + size]
            result[i, j] = (window * kernel).sum()
    return result


for j in range(3):
    window = image[0:3, j : j + 3]
    products = [f"{a}*{b}" for a, b in zip(window.flat, kernel.flat)]
    print(" + ".join(products), "=", (window * kernel).sum())

print(convolve(image, kernel))
assert convolve(image, kernel).tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]

# %% [markdown]
# The same with pyconv: `filters.correlate2d` is the filter, `Conv2D` the layer of a network. A
# layer takes a batch of images `(N, H, W, C)` and its weights have the shape
# `(KH, KW, C, filters)`; here there are one image, one channel and one filter. In a network the
# weights are *learned*; here we set them.


# %%
def by_layer(image, kernel, **options):
    layer = Conv2D(1, kernel.shape, use_bias=False, **options)
    layer.build((None, *image.shape, 1))
    layer.set_weights([kernel[:, :, None, None]])
    return layer(image[None, :, :, None])[0, :, :, 0]


print(filters.correlate2d(image, kernel, border="valid"))
print(by_layer(image, kernel))
assert np.array_equal(filters.correlate2d(image, kernel, border="valid"), convolve(image, kernel))
assert np.array_equal(by_layer(image, kernel), convolve(image, kernel))

# %% [markdown]
# **A trap of names.** What neural networks call convolution does not turn the filter:
# mathematicians call it *cross-correlation*. The convolution of mathematics turns the filter by
# 180 degrees first (`filters.convolve2d`). For a symmetric filter both agree; for Sobel's they
# differ in sign. To a network it makes no difference, since it learns its filters either way.

# %%
print(filters.SOBEL_X)
print(filters.correlate2d(image, filters.SOBEL_X, border="valid"))
print(filters.convolve2d(image, filters.SOBEL_X, border="valid"))

# %% [markdown]
# ## Stride and padding
#
# The *stride* is the step from window to window: with 2 every second place is skipped. *Padding*
# lays zeros around the image, so that windows can be centred on its border too: with one ring of
# zeros a 3x3 filter keeps the size.

# %%
print(by_layer(image, kernel, strides=2))
print(by_layer(image, kernel, padding="same"))
assert np.array_equal(by_layer(image, kernel, strides=2), convolve(image, kernel, stride=2))
assert np.array_equal(by_layer(image, kernel, padding=1), convolve(np.pad(image, 1), kernel))

# %% [markdown]
# How large is the result? With an image of width $W$, a filter of width $F$, padding $P$ on each
# side and stride $S$:
#
# $$W_2 = \left\lfloor \frac{W - F + 2P}{S} \right\rfloor + 1$$
#
# Three common settings keep the size: $F=3, P=1$; $F=5, P=2$; $F=1, P=0$ (all with $S=1$). Where
# the division leaves a rest, the last columns are not looked at.


# %%
def output_size(w, f, p, s):
    return (w - f + 2 * p) // s + 1


print(" W  F  P  S   W2")
for w, f, p, s in [
    (5, 3, 0, 1),
    (5, 3, 0, 2),
    (5, 3, 1, 1),
    (32, 5, 0, 1),
    (32, 5, 2, 1),
    (32, 1, 0, 1),
    (13, 3, 0, 2),
]:
    w2 = output_size(w, f, p, s)
    print(f"{w:2d} {f:2d} {p:2d} {s:2d} {w2:4d}")
    layer = Conv2D(1, f, strides=s, padding=p)
    assert layer.compute_output_shape((None, w, w, 1)) == (None, w2, w2, 1)

# %% [markdown]
# ## A filter is a question
#
# The filter below asks: is there a diagonal here that rises to the right? Where it is, the sum is
# 3; where it is not, the sum is small or negative, and the activation
# $\mathrm{ReLU}(x)=\max(0, x)$ turns negative sums into 0. What is left is a map of *where* the
# pattern was found.

# %%
diagonal = np.array([[-1, -1, 1], [-1, 1, -1], [1, -1, -1]])
line = np.zeros((5, 5))
line[[1, 2, 3, 4], [4, 3, 2, 1]] = 1

found = by_layer(line, diagonal, activation="relu")
print(line)
print(found)
assert found.tolist() == [[0, 0, 0], [0, 0, 3], [0, 3, 0]]

# %% [markdown]
# ## The filters of the slides as weights of a layer
#
# `filters.KERNELS` has the table of the slides. On a photograph they find edges, sharpen or
# smooth. As a filter and as the weights of a `Conv2D` each gives the same numbers to the last bit:
# both run on the same code.

# %%
data = pyconv.datasets.load()
picture = data.x_train[4].mean(axis=2)

figure, grid = plt.subplots(2, 7, figsize=(14, 4.6), layout="constrained")
grid = grid.ravel()
grid[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
grid[0].set_title("image")
for axes, (name, weights) in zip(grid[1:], filters.KERNELS.items()):
    result = filters.correlate2d(picture, weights, border="constant")
    assert np.array_equal(result, by_layer(picture, weights, padding="same"))
    edges = name.startswith(("edge", "sobel"))
    limit = np.abs(result).max()
    axes.imshow(result, cmap="gray", vmin=-limit if edges else 0, vmax=limit if edges else 255)
    axes.set_title(name)
for axes in grid:
    axes.axis("off")
plt.show()

# %% [markdown]
# ## Colours, and several filters
#
# A colour image has three channels, so the filter has three layers, one for each: 3x3x3 numbers.
# The sums of the three channels are added: *one filter gives one map*, whatever the number of
# channels. Several filters give several maps, stacked into a "new image" with a channel for each
# filter.

# %%
rng = np.random.default_rng(0)
colours = rng.integers(0, 256, (6, 6, 3))
weights = rng.integers(-2, 3, (3, 3, 3, 2))

layer = Conv2D(2, 3, use_bias=False)
layer.build((None, 6, 6, 3))
layer.set_weights([weights])
maps = layer(colours[None])[0]
print(colours.shape, "*", weights.shape, "->", maps.shape)

for k in range(2):
    by_hand = sum(convolve(colours[:, :, c], weights[:, :, c, k]) for c in range(3))
    assert np.array_equal(maps[:, :, k], by_hand)

# %% [markdown]
# ## How many parameters?
#
# A filter of width $F$ over $D$ channels has $F \cdot F \cdot D$ weights and one bias, wherever it
# lies on the image: all places share them. $K$ filters have $(F \cdot F \cdot D) \cdot K$ weights
# and $K$ biases. A dense layer with the same inputs and outputs has a weight for *each pair*:
# compare. Each of the convolution's outputs sees only a 5x5 part of the image, its *receptive
# field*; each of the dense layer's sees all of it.

# %%
conv = Conv2D(6, 5)
conv.build((None, 32, 32, 3))
dense = Dense(28 * 28 * 6)
dense.build((None, 32 * 32 * 3))

print("Conv2D", conv.output_shape, f"{conv.count_params():,}")
print("Dense ", dense.output_shape, f"{dense.count_params():,}")
assert conv.receptive_field == (5, 5)
assert conv.count_params() == (5 * 5 * 3) * 6 + 6 == 456
assert dense.count_params() == 3072 * 4704 + 4704 == 14_455_392

# %% [markdown]
# ## Pooling
#
# Pooling makes the maps smaller. In each window it keeps the largest value (or the mean):
# *whether* the pattern was found stays, *exactly where* is given up. It has no parameters, and
# works on each map by itself. Its size follows the same formula, without padding:
# $W_2 = (W - F)/S + 1$.


# %%
def pooled(layer, image):
    return layer(np.array(image)[None, :, :, None])[0, :, :, 0]


first = [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]
second = [[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]
print(pooled(MaxPooling2D(2), first))
print(pooled(MaxPooling2D(2), second))
print(pooled(AveragePooling2D(2), second))
assert pooled(MaxPooling2D(2), first).tolist() == [[6, 8], [3, 4]]
assert pooled(MaxPooling2D(2), second).tolist() == [[9, 2], [6, 3]]
assert MaxPooling2D(3, 2).compute_output_shape((None, 13, 13, 8)) == (None, 6, 6, 8)

# %% [markdown]
# `pyconv.explain` prints a layer's arithmetic, window by window; for the size of an image alone it
# prints the formulas. It knows convolutions, pooling, dense layers and more.

# %%
pyconv.explain(MaxPooling2D(2), second)
pyconv.explain(Conv2D(6, 5), (32, 32, 3))

# %% [markdown]
# ## Try it
#
# 1. Change a number of `image`. Which numbers of the result change, and why these?
# 2. A filter that finds *falling* diagonals: what are its weights?
# 3. A 7x7 filter on a 32x32 image: which padding keeps the size? Check it with `output_size`.
# 4. Two 3x3 convolutions in a row: how large a part of the image does one number of the result
#    see? How many weights do they have, and how many has one 5x5 convolution?
