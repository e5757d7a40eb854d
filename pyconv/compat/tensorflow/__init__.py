"""``tensorflow``: ``tf.keras``, and as much of the rest as scripts around it need, on numpy."""

import contextlib
import logging
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from pyconv import activations
from pyconv.compat import _dataset, _unsupported, keras
from pyconv.compat._eager import EagerArray, EagerFunction, eagerly
from pyconv.compat._gradient_tape import GradientTape as GradientTape
from pyconv.compat.keras import ops
from pyconv.compat.tensorflow import _session
from pyconv.utils import set_random_seed

__version__ = "2.0.0"

newaxis = None
Tensor = EagerArray
_TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16")
globals().update({name: np.dtype(name) for name in _TYPES}, bool=np.dtype("bool"))

# Functions of numpy and of keras.ops, by TensorFlow's names.
_FUNCTIONS: dict[str, Any] = {
    **{name: getattr(ops, name) for name in (
        "abs", "add", "argmax", "argmin", "argsort", "cast", "convert_to_tensor", "cos", "divide",
        "equal", "exp", "expand_dims", "eye", "floor", "greater", "less", "logical_and",
        "logical_not", "logical_or", "matmul", "maximum", "minimum", "multiply", "not_equal",
        "ones", "ones_like", "one_hot", "pad", "repeat", "reshape", "round", "shape", "sign",
        "sigmoid", "sin", "sort", "split", "sqrt", "square", "squeeze", "stack", "stop_gradient",
        "subtract", "tanh", "tile", "transpose", "where", "zeros", "zeros_like",
    )},
    "clip_by_value": ops.clip,
    "concat": lambda values, axis, name=None: np.concatenate(values, axis),
    "constant": lambda value, dtype=None, shape=None, name=None: np.asarray(value, dtype),
    "identity": np.asarray,
    "log": np.log,
    "pow": np.power,
    "range": np.arange,
    "rank": np.ndim,
    "reduce_all": np.all,
    "reduce_any": np.any,
    "reduce_max": np.max,
    "reduce_mean": np.mean,
    "reduce_min": np.min,
    "reduce_std": np.std,
    "reduce_sum": np.sum,
    "reverse": np.flip,
    "size": np.size,
}  # fmt: skip
_eager = {name: eagerly(function) for name, function in _FUNCTIONS.items()}
globals().update(_eager)
math = SimpleNamespace(**_eager)

_ACTIVATIONS = ("elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu", "sigmoid",
                "silu", "softmax", "softplus", "softsign", "swish", "tanh")  # fmt: skip
nn = SimpleNamespace(**{name: EagerFunction(getattr(activations, name)) for name in _ACTIVATIONS})
math.softmax, math.sigmoid, math.tanh = nn.softmax, nn.sigmoid, nn.tanh

data = SimpleNamespace(
    AUTOTUNE=_dataset.AUTOTUNE,
    Dataset=_dataset.Dataset,
    experimental=SimpleNamespace(AUTOTUNE=_dataset.AUTOTUNE),
)


def _random(draw: str, *names: str) -> Any:
    def make(shape: Any, *args: Any, seed: Any = None, **kwargs: Any) -> Any:
        from pyconv import _random as own

        random = own.generator() if seed is None else np.random.default_rng(seed)
        kwargs.pop("dtype", None)
        kwargs.pop("name", None)
        numbers = dict(zip(names, args, strict=False), **kwargs)
        order = [numbers[name] for name in names if name in numbers]
        return getattr(random, draw)(*order, size=shape).astype(np.float32)

    return eagerly(make)


random = SimpleNamespace(
    set_seed=set_random_seed,
    normal=_random("normal", "mean", "stddev"),
    uniform=_random("uniform", "minval", "maxval"),
)
set_random_seed = set_random_seed

config = _session.CONFIG
test = SimpleNamespace(
    gpu_device_name=lambda: "",
    is_built_with_cuda=lambda: False,
    is_gpu_available=lambda *args, **kwargs: False,
)
sysconfig = SimpleNamespace(get_build_info=dict)
train = _session.TRAIN
distribute = _session.DISTRIBUTE
autograph = SimpleNamespace(set_verbosity=lambda *args, **kwargs: None)
debugging = SimpleNamespace(set_log_device_placement=lambda enabled: None)
ConfigProto = GPUOptions = _session.Options
Session = InteractiveSession = _session.Session
global_variables_initializer = get_default_graph = reset_default_graph = _session.Options
disable_eager_execution = enable_eager_execution = disable_v2_behavior = lambda: None

_logger = logging.getLogger("tensorflow")
logging = SimpleNamespace(  # type: ignore[assignment]
    DEBUG=10, INFO=20, WARN=30, WARNING=30, ERROR=40, FATAL=50,
    set_verbosity=_logger.setLevel, info=_logger.info, warning=_logger.warning,
)  # fmt: skip


def get_logger() -> Any:
    """Return the logger of this name.

    Example:
        >>> import pyconv.compat.tensorflow as tf
        >>> tf.get_logger().setLevel("ERROR")
    """
    return _logger


def function(func: Any = None, **kwargs: Any) -> Any:
    """Return a function as it is: nothing is compiled.

    Example:
        >>> import pyconv.compat.tensorflow as tf
        >>> @tf.function(jit_compile=True)
        ... def double(x):
        ...     return 2 * x
        >>> double(3)
        6
    """
    return func if func is not None else lambda func: func


def is_tensor(x: Any) -> Any:
    """Whether ``x`` is what such a function returned.

    Example:
        >>> import pyconv.compat.tensorflow as tf
        >>> tf.is_tensor(tf.constant([1.0])), tf.is_tensor([1.0])
        (True, False)
    """
    return isinstance(x, EagerArray)


def device(name: Any) -> Any:
    """Return a context that changes nothing: pyconv chooses the device by itself.

    Example:
        >>> import pyconv.compat.tensorflow as tf
        >>> with tf.device("/cpu:0"):
        ...     pass
    """
    return contextlib.nullcontext()


compat = SimpleNamespace(v1=sys.modules[__name__], v2=sys.modules[__name__])

__all__ = [
    "GradientTape",
    "config",
    "data",
    "device",
    "function",
    "get_logger",
    "is_tensor",
    "keras",
    "math",
    "nn",
    "random",
    "test",
    "train",
]
__getattr__: Any = _unsupported.getter(__name__)
