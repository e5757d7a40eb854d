"""The functional API: the kernels for numpy users.

Arrays are float32 and NHWC; results are new arrays. Inputs may be non-contiguous.
"""

from pyconv.ops.avgpool2d import avg_pool2d, avg_pool2d_backward
from pyconv.ops.conv2d import conv2d, conv2d_backward_filter, conv2d_backward_input
from pyconv.ops.dense import dense, dense_backward
from pyconv.ops.dropout import dropout
from pyconv.ops.global_avgpool2d import global_avg_pool2d, global_avg_pool2d_backward
from pyconv.ops.maxpool2d import max_pool2d, max_pool2d_backward
from pyconv.ops.relu import relu, relu_backward
from pyconv.ops.softmax import softmax, softmax_backward
from pyconv.ops.softmax_cross_entropy import softmax_cross_entropy

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "conv2d",
    "conv2d_backward_filter",
    "conv2d_backward_input",
    "dense",
    "dense_backward",
    "dropout",
    "global_avg_pool2d",
    "global_avg_pool2d_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
]
