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
# # The mean filter
#
# **Exercise.** Write a mean filter (kernel 5x5).
#
# The simplest filter there is: each pixel becomes the mean of the window around it,
#
# $$R = \frac{1}{n}\sum_{i=1}^{n} z_i,$$
#
# with $n = 9$ for a 3x3 window and $n = 25$ for a 5x5 one. It smooths: noise goes, and so does
# detail.

# %%
import matplotlib.pyplot as plt
import numpy as np

from pyconv import filters

# %% [markdown]
# ## The image of the slides
#
# A white square with a hole in it, and a white spot. The filter should fill the one, blur the
# other, and soften the edges.

# %%
F = np.zeros((10, 10))
F[2:7, 3:8] = 90
F[5, 4] = 0
F[8, 2] = 90
print(F.astype(int))

# %% [markdown]
# One window by hand: the one around the pixel in row 1, column 2 holds one 90 and eight zeros, so
# its mean is 10. One step to the right there are two, and the mean is 20; then three, and 30.

# %%
for column in (2, 3, 4, 5):
    window = F[0:3, column - 1 : column + 2]
    print(window.ravel().astype(int), "->", window.sum() / 9)

# %% [markdown]
# ## Your turn
#
# Write the function: for each window of `size` x `size` pixels that lies in the image, its mean. A
# 10x10 image has 8x8 windows of 3x3 pixels, and 6x6 of 5x5. The cell below it checks your answer
# against the table of the slides; as long as the function returns `None` it shows a `-`.


# %%
def mean_filter(image, size):
    return None


# %%
G3 = [
    [0, 10, 20, 30, 30, 30, 20, 10],
    [0, 20, 40, 60, 60, 60, 40, 20],
    [0, 30, 60, 90, 90, 90, 60, 30],
    [0, 30, 50, 80, 80, 90, 60, 30],
    [0, 30, 50, 80, 80, 90, 60, 30],
    [0, 20, 30, 50, 50, 60, 40, 20],
    [10, 20, 30, 30, 30, 30, 20, 10],
    [10, 10, 10, 0, 0, 0, 0, 0],
]
G5 = [
    [21.6, 32.4, 43.2, 54, 43.2, 32.4],
    [25.2, 39.6, 54, 68.4, 54, 43.2],
    [32.4, 50.4, 68.4, 86.4, 68.4, 54],
    [25.2, 39.6, 54, 68.4, 54, 43.2],
    [21.6, 32.4, 43.2, 50.4, 39.6, 32.4],
    [14.4, 21.6, 28.8, 32.4, 25.2, 21.6],
]


def check(function):
    for size, expected in ((3, G3), (5, G5)):
        result = function(F, size)
        if result is None:
            print(f"{size}x{size} -")
            continue
        assert np.shape(result) == np.shape(expected), np.shape(result)
        assert np.allclose(result, expected), np.abs(np.subtract(result, expected)).max()
        print(f"{size}x{size} ok")


check(mean_filter)

# %% [markdown]
# ## Answers
#
# With two loops, as the slides do it; with numpy's windows and no loop; and with pyconv, whose
# kernels are written in C++.


# %%
def with_loops(image, size):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    result = np.empty((rows, columns))
    for i in range(rows):
        for j in range(columns):
            result[i, j] = image[i : i + size, j : j + size].sum() / size**2
    return result


def with_windows(image, size):
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
    return windows.mean(axis=(2, 3))


def with_pyconv(image, size):
    return filters.mean(image, size, border="valid")


for function in (with_loops, with_windows, with_pyconv):
    print(function.__name__)
    check(function)

# %% [markdown]
# The mean is also a weighted sum whose weights are all $1/n$: a *linear* filter, and so a
# convolution. `filters.KERNELS` holds such kernels.

# %%
print(filters.KERNELS["box"])
check(lambda image, size: filters.correlate2d(image, np.ones((size, size)) / size**2, "valid"))

# %% [markdown]
# ## The larger the window, the stronger the blur
#
# An image of 8-bit pixels with gradients, edges, a disc and fine stripes. Beyond its edges the
# filter looks at the image's mirror image (`reflect_101`, as OpenCV does), so that the size stays
# the same.

# %%
y, x = np.mgrid[0:120, 0:160]
image = (60 + 100 * x / 160).astype(np.uint8)
image[20:60, 20:60] = 230
image[(y - 78) ** 2 + (x - 110) ** 2 < 30**2] = 20
image[80:110, 20:60] = np.where(x[80:110, 20:60] // 2 % 2, 240, 10)


def show(**images):
    figure, row = plt.subplots(1, len(images), figsize=(14, 3.2), layout="constrained")
    for axes, (title, shown) in zip(row, images.items()):
        axes.imshow(shown, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title)
        axes.axis("off")
    plt.show()


show(
    image=image,
    mean_3x3=filters.blur(image, (3, 3)),
    mean_5x5=filters.blur(image, (5, 5)),
    mean_15x15=filters.blur(image, (15, 15)),
)

# %% [markdown]
# ## Other kernels
#
# The **Gaussian** filter is a weighted mean: pixels near the centre count more, so it blurs less
# than the mean of the same size. **Sharpening** is the opposite of smoothing: it adds to the image
# what smoothing takes away, $2 \cdot \text{image} - \text{blurred}$. **Sobel's** filter is a
# derivative: it answers where the image changes.

# %%
blurred = filters.gaussian_blur(image, (7, 7), 0)
show(
    image=image,
    gaussian_blur=blurred,
    sharpen=filters.sharpen(image),
    unsharp_mask=filters.unsharp_mask(image),
    sobel=np.abs(filters.sobel(image)) / 4,
)

for name, kernel in filters.KERNELS.items():
    print(f"{name:10s} {kernel.shape} {kernel.sum():5.2f}")

# %% [markdown]
# The sum of a kernel says what it does to an even area: 1 keeps its brightness (smoothing and
# sharpening), 0 makes it black (edges).

# %%
flat = np.full((9, 9), 100.0)
for name, kernel in filters.KERNELS.items():
    result = filters.correlate2d(flat, kernel, border="valid")
    assert np.allclose(result, 100 * kernel.sum(), atol=1e-4), name

# %% [markdown]
# ## When the mean is the wrong tool
#
# *Salt and pepper*: single pixels turn white or black. The mean spreads each of them over its
# window; the **median** drops them. *Noise everywhere*: the mean and the Gaussian blur the edges
# along with the noise; the **bilateral** filter only takes pixels of a similar brightness into its
# mean, so edges stay. Neither of the two is a convolution: no kernel of fixed weights does what
# they do.

# %%
rng = np.random.default_rng(0)
spots = image.copy()
spots[rng.random(image.shape) < 0.04] = 255
spots[rng.random(image.shape) < 0.04] = 0
show(spots=spots, mean=filters.blur(spots, 5), median=filters.median_blur(spots, 5))

noisy = np.clip(image + rng.normal(0, 18, image.shape), 0, 255).astype(np.uint8)
show(noisy=noisy, mean=filters.blur(noisy, 5), bilateral=filters.bilateral_filter(noisy, 9, 75, 75))

# %% [markdown]
# ## From OpenCV's code to pyconv's
#
# The functions have OpenCV's names and give OpenCV's numbers; sizes are (height, width).
#
# | OpenCV | pyconv |
# | --- | --- |
# | `cv2.blur(image, (3, 3))` | `filters.blur(image, (3, 3))` |
# | `cv2.GaussianBlur(image, (7, 7), 0)` | `filters.gaussian_blur(image, (7, 7), 0)` |
# | `cv2.medianBlur(image, 5)` | `filters.median_blur(image, 5)` |
# | `cv2.bilateralFilter(image, 9, 75, 75)` | `filters.bilateral_filter(image, 9, 75, 75)` |
# | `cv2.filter2D(image, -1, kernel)` | `filters.filter2d(image, kernel)` |
