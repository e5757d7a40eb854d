"""The CPU backend: one function an operation.

Every array is float32 and NHWC unless it says otherwise. Inputs may be non-contiguous.
``out=None`` allocates; an array given as ``out`` is overwritten, returned, and must be a
C-contiguous float32 array of exactly the result's shape.
``strides``, ``dilation``, ``kernel_size`` and ``pool_size`` are ``(height, width)``;
``padding`` is ``(top, bottom, left, right)``, already resolved by the caller.
TypeError: wrong dtype. ValueError: wrong shape or value; both name the operation and the argument.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Image = NDArray[Any]
Pair = tuple[int, int]
Padding = tuple[int, int, int, int]
Shape4 = tuple[int, int, int, int]

# threads and instruction sets
def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def isa() -> str: ...
def available_isas() -> list[str]: ...
def set_isa(name: str) -> None: ...

# "auto", "direct" or "winograd" (2x2 and 3x3 filters with stride 1; others stay direct)
def set_conv_algorithm(algorithm: str) -> None: ...
def get_conv_algorithm() -> str: ...

# conv2d: x (N, H, W, C), w (KH, KW, C/groups, OC), b (OC,), y and dy (N, OH, OW, OC)
def conv2d_forward(
    x: Array,
    w: Array,
    b: Array | None,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    activation: str = "linear",  # or "relu"
    out: Array | None = None,
) -> Array: ...

# max pooling of the convolution's result: y and winners (N, PH, PW, OC); winners takes which cell
# of its window each result is, counted over the cells that lie in the image
def conv2d_maxpool2d_forward(
    x: Array,
    w: Array,
    b: Array | None,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    activation: str,
    pool_size: Pair,
    pool_strides: Pair,
    pool_padding: Padding,
    out: Array | None = None,
    winners: Array | None = None,
) -> Array: ...
def conv2d_maxpool2d_backward(
    x: Array,
    w: Array,
    y: Array,
    winners: Array,
    dy: Array,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    activation: str,
    pool_size: Pair,
    pool_strides: Pair,
    pool_padding: Padding,
    dx: Array | None = None,
    dw: Array | None = None,
    db: Array | None = None,
) -> None: ...
def conv2d_backward_input(
    dy: Array,
    w: Array,
    input_shape: Shape4,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    out: Array | None = None,
) -> Array: ...
def conv2d_backward_filter(
    x: Array,
    dy: Array,
    kernel_size: Pair,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    out: Array | None = None,
) -> Array: ...

# bias gradient: dy (..., C) -> (C,)
def bias_backward(dy: Array, out: Array | None = None) -> Array: ...

# pooling: x (N, H, W, C), y and dy (N, OH, OW, C)
def maxpool2d_forward(
    x: Array, pool_size: Pair, strides: Pair, padding: Padding, out: Array | None = None
) -> Array: ...
def maxpool2d_backward(
    x: Array, dy: Array, pool_size: Pair, strides: Pair, padding: Padding, out: Array | None = None
) -> Array: ...
def avgpool2d_forward(
    x: Array, pool_size: Pair, strides: Pair, padding: Padding, out: Array | None = None
) -> Array: ...
def avgpool2d_backward(
    dy: Array,
    input_shape: Shape4,
    pool_size: Pair,
    strides: Pair,
    padding: Padding,
    out: Array | None = None,
) -> Array: ...
def global_avgpool2d_forward(x: Array, out: Array | None = None) -> Array: ...  # -> (N, C)
def global_avgpool2d_backward(
    dy: Array, input_shape: Shape4, out: Array | None = None
) -> Array: ...

# dense: x (N, IN), w (IN, UNITS), b (UNITS,), y and dy (N, UNITS)
def dense_forward(
    x: Array, w: Array, b: Array | None, activation: str = "linear", out: Array | None = None
) -> Array: ...
def dense_backward_input(dy: Array, w: Array, out: Array | None = None) -> Array: ...
def dense_backward_weights(x: Array, dy: Array, out: Array | None = None) -> Array: ...

# batch normalization: x, y and dy (..., C), all others (C,); mean and variance of a batch are over
# all axes but the last, the variance biased
def batchnorm_moments(
    x: Array,
    mean: Array | None = None,
    rest: Array | None = None,  # what rounding took from the mean
    variance: Array | None = None,
) -> tuple[Array, Array, Array]: ...
def batchnorm_forward(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    mean: Array,
    rest: Array | None,
    variance: Array,
    epsilon: float,
    out: Array | None = None,  # may be x or addend itself
    addend: Array | None = None,  # added to what is normalized, before the activation
    activation: str = "linear",
) -> Array: ...

# writes dgamma, dbeta and dx where they are given; dx may be dy itself.
# of_batch: mean and variance are those of x, through which its gradient passes as well
def batchnorm_backward(
    x: Array,
    dy: Array,
    gamma: Array | None,
    mean: Array,
    rest: Array | None,
    variance: Array,
    epsilon: float,
    of_batch: bool,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    dx: Array | None = None,
    y: Array | None = None,  # with it, of a ReLU, dy is set to 0 where y is
) -> None: ...

# local response normalization over the last axis, of bias > 0 and alpha >= 0; in the gradient out
# may be dy itself
def lrn_forward(
    x: Array, radius: int, bias: float, alpha: float, beta: float, out: Array | None = None
) -> Array: ...
def lrn_backward(
    x: Array,
    dy: Array,
    radius: int,
    bias: float,
    alpha: float,
    beta: float,
    out: Array | None = None,
) -> Array: ...

# elementwise, any shape; out may be dy or x itself
def relu_forward(x: Array, out: Array | None = None) -> Array: ...
def relu_backward(y: Array, dy: Array, out: Array | None = None) -> Array: ...

# act(a + b), of one shape; out may be a or b itself
def add_forward(
    a: Array, b: Array, activation: str = "linear", out: Array | None = None
) -> Array: ...

# xs (..., C) that differ in C alone, side by side; and dy cut up into arrays of such shapes
def concat_forward(xs: Sequence[Array], out: Array | None = None) -> Array: ...
def concat_backward(dy: Array, dxs: Sequence[Array]) -> None: ...

# keeps an element with probability 1 - rate and divides it by 1 - rate, else 0. The mask depends
# on (seed, offset + index of the element) alone; the gradient is the same call on dy.
def dropout(
    x: Array, rate: float, seed: int, offset: int = 0, out: Array | None = None
) -> Array: ...

# over the last axis
def softmax_forward(x: Array, out: Array | None = None) -> Array: ...
def softmax_backward(y: Array, dy: Array, out: Array | None = None) -> Array: ...

# logits (N, C); labels int64 (N,) of class numbers, or float32 (N, C) of probabilities.
# Returns the loss of each row (N,) and, times row_scale (N,) where given, its gradient (N, C).
def softmax_cross_entropy(
    logits: Array,
    labels: NDArray[np.int64] | Array,
    row_scale: Array | None = None,
    loss: Array | None = None,
    grad: Array | None = None,
) -> tuple[Array, Array]: ...

# predictions (N, C), labels as above: 1 for each row (N,) whose largest prediction is its label's
def argmax_hits(
    predictions: Array, labels: NDArray[np.int64] | Array, out: Array | None = None
) -> Array: ...

# optimizers: one call for all parameters; params and states are updated in place.
# weight_decay is decoupled: w -= w * weight_decay * learning_rate, before the update.
def sgd_update(
    params: Sequence[Array],
    grads: Sequence[Array],
    velocities: Sequence[Array] | None,  # needed where momentum > 0
    learning_rate: float | NDArray[np.float64],  # an array: of it and the step, read as it runs
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> None: ...
def rmsprop_update(
    params: Sequence[Array],
    grads: Sequence[Array],
    velocities: Sequence[Array],  # running mean of the squared gradient
    mean_grads: Sequence[Array] | None,  # centered
    momentums: Sequence[Array] | None,  # needed where momentum > 0
    learning_rate: float | NDArray[np.float64],  # an array: of it and the step, read as it runs
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    epsilon_outside: bool = False,  # of the square root
) -> None: ...
def adam_update(
    params: Sequence[Array],
    grads: Sequence[Array],
    momentums: Sequence[Array],
    velocities: Sequence[Array],
    velocity_maxima: Sequence[Array] | None,  # amsgrad
    learning_rate: float | NDArray[np.float64],  # an array: of it and the step, read as it runs
    step: int,  # 1 for the first update
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None: ...

# out[i] = x[indices[i]] as float32; x (N, ...) is uint8, float32 or float64, C-contiguous
def gather_rows(
    x: NDArray[np.uint8] | Array | NDArray[np.float64],
    indices: NDArray[np.int64],
    out: Array | None = None,
) -> Array: ...

# into int64 = labels[indices]
def gather_labels(
    labels: NDArray[np.int64], indices: NDArray[np.int64], into: NDArray[np.int64]
) -> NDArray[np.int64]: ...

# The images `rows` of x (N, H, W, C), all for None, after stages, one after the other, of which
# each has numbers for each image:
# ("crop_flip", cuts, size, fill_mode, fill_value): y[i, j] = x[top + i, left + j], the order of
#     rows or columns reversed where flipped. cuts int64 (n, 4): top, left, flip rows, flip
#     columns. fill_mode as Keras has it: 'constant', 'nearest', 'reflect' (the edge twice), 'wrap'
# ("affine", matrices, interpolation, fill_mode, fill_value): y[i, j] = x at row a0*i + a1*j + a2,
#     column a3*i + a4*j + a5, 'bilinear' or 'nearest'. matrices float64 (n, 6)
# ("erase", boxes, values): boxes int64 (n, 4): top, bottom, left, right, set to the image's values
#     float32 (n, C)
# ("scale", factors, least, most): y = clip(x * factor + added). factors float32 (n, 2)
# ("contrast", factors, least, most): y = clip((x - mean) * factor + mean), the mean of the image's
#     channel. factors float32 (n, 1)
# ("grey", factors, least, most): y = clip(x + factor * (grey - x)), grey that of the pixel; 1 is
#     all grey. factors float32 (n, 1). These three take images of three channels
# ("saturation", factors, least, most): saturations times factor, 1 at most, then clipped
# ("hue", turns, least, most): hues turned, 1 for the circle, of values from least to most
def augment(
    x: NDArray[np.uint8] | Array | NDArray[np.float64],
    stages: Sequence[tuple[Any, ...]],
    rows: NDArray[np.int64] | None = None,
    out: Array | None = None,
) -> Array: ...

# filters of images, whose channels are filtered one by one: x (H, W, C) is uint8 or float32.
# border: "constant", "replicate", "reflect", "reflect_101" or "wrap", with a result (H, W, C); or
# "valid", (H - KH + 1, W - KW + 1, C). anchor: (row, column) of the window's cell that lies on the
# result. The result has the type of x but in filter2d, where dtype says it.
def filter2d(
    x: Image,
    kernel: Array,  # (KH, KW)
    anchor: Pair,
    border: str,
    delta: float,
    dtype: str,  # "uint8", "int16" or "float32"
    out: Image | None = None,
) -> Image: ...

# weights rows (KH,) and cols (KW,) of odd numbers; of a uint8 image symmetric, in whole 256ths
def gaussian_blur(
    x: Image, rows: Array, cols: Array, border: str, out: Image | None = None
) -> Image: ...

# the mean of each window, or its sum; at most 2**23 cells
def box_filter(
    x: Image, kernel_size: Pair, anchor: Pair, mean: bool, border: str, out: Image | None = None
) -> Image: ...

# kernel_size is odd, at most 255; beyond the edges their values go on
def median_blur(x: Image, kernel_size: int, out: Image | None = None) -> Image: ...

# x has 1 or 3 channels; sigmas above 0
def bilateral_filter(
    x: Image,
    radius: int,
    sigma_colour: float,
    sigma_space: float,
    border: str,
    out: Image | None = None,
) -> Image: ...

# limits of the machine, for benchmarks: multiplications and additions in registers, on all
# threads, whose number is returned; and out = a + 0.5 * b, each (n,)
def peak_arithmetic(rounds: int) -> int: ...
def peak_triad(a: Array, b: Array, out: Array | None = None) -> Array: ...

# the recorder of traces: a start is False where a trace is being taken already, and records spans
# alone where operations is False; a span goes from the time that trace_begin gave, 0 while no trace
# is taken, until now
def trace_start(operations: bool = True) -> bool: ...
def trace_stop() -> None: ...
def trace_begin() -> int: ...
def trace_span(name: str, begin: int) -> None: ...

# of the last trace: (id, name, events lost) of each thread; and of the events of one of them the
# kind ("operation", "range", "wait" or "span"), name, begin and end in nanoseconds since the start,
# bytes that an operation moved, and the shapes of its arrays, or first and end of a range
def trace_threads() -> list[tuple[int, str, int]]: ...
def trace_events(thread: int) -> list[tuple[str, str, int, int, int, tuple[Any, ...]]]: ...

# a training step's operations, recorded as they are made and launched as a whole; they may read the
# arrays of `known` and what was written before them, else end() is a RuntimeError
class Graph:
    # without `known`, nothing but the graph writes to what its operations read
    def begin(self, known: Iterable[Any] | None = None) -> None: ...
    def end(self) -> None: ...
    def mark(self) -> None: ...
    def cut(self) -> None: ...  # end(), without what came after the last mark
    def abandon(self) -> None: ...  # of a recording that failed
    def launch(self) -> None: ...

# whether each (dict, key, value) still holds the very same object
def unchanged(entries: list[tuple[dict[str, Any], str, Any]]) -> bool: ...

# places int64 (n,) += counts
def advance(places: Any, counts: Sequence[int]) -> None: ...

# into float64 (n,) = values
def assign(into: Any, values: Sequence[float]) -> None: ...

# a copy of x
def copied(x: Array, out: Array | None = None) -> Array: ...

# dropout() of a recorded step: the 64 bits of its offset are in place, int64 (1,)
def dropout_at(x: Array, rate: float, seed: int, place: Any, out: Array | None = None) -> Array: ...

# average = momentum * average + (1 - momentum) * values
def moving_average(average: Array, values: Array, momentum: float) -> None: ...

# the forward pass of a stack of layers in one call; stages take shapes of one sample (1, H, W, C),
# and keep the arrays, whose values they read at each run
class Prediction:
    def conv2d(
        self,
        x_shape: Shape4,
        w: Array,
        b: Array | None,
        strides: Pair,
        padding: Padding,
        dilation: Pair,
        groups: int,
        activation: str,
    ) -> None: ...
    def conv2d_maxpool2d(
        self,
        x_shape: Shape4,
        w: Array,
        b: Array | None,
        strides: Pair,
        padding: Padding,
        dilation: Pair,
        groups: int,
        activation: str,
        pool_size: Pair,
        pool_strides: Pair,
        pool_padding: Padding,
    ) -> None: ...
    def maxpool2d(
        self, x_shape: Shape4, pool_size: Pair, strides: Pair, padding: Padding
    ) -> None: ...
    def dense(self, w: Array, b: Array | None, activation: str) -> None: ...
    def softmax(self, classes: int) -> None: ...
    # what unchanged() and again() compare: the shape of a sample, the items of a list, and values
    # (holder, name, value) that are holder[name]
    def keep(
        self,
        shape: tuple[int, ...],
        layers: list[Any],
        values: list[tuple[dict[str, Any], str, Any]],
    ) -> None: ...
    def unchanged(self, layers: list[Any]) -> bool: ...
    # what run() gives; None where x is not an array of up to `most` such samples, or the rest not
    # as it was
    def again(self, layers: list[Any], x: Any, most: Any) -> Array | None: ...
    # x (N, ...) -> (N, values of the last stage)
    def run(self, x: Array, out: Array | None = None) -> Array: ...
