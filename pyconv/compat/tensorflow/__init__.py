"""``tensorflow``: ``tf.keras``, and as much of the rest as scripts around it need, on numpy."""

import contextlib
import logging
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from pyconv import activations
from pyconv.compat import _call_context, _dataset, _unsupported, keras
from pyconv.compat._eager import EagerArray, EagerFunction, eager, eagerly
from pyconv.compat._gradient_tape import GradientTape as GradientTape
from pyconv.compat._tensor_shape import TensorShape as TensorShape
from pyconv.compat._tensor_spec import TensorSpec as TensorSpec
from pyconv.compat.keras import (
    initializers,
    losses,
    metrics,
    optimizers,
)
from pyconv.compat.tensorflow import _checkpoint, _files, _functions, _indices, _session
from pyconv.compat.tensorflow._image import IMAGE
from pyconv.compat.tensorflow._summary import SUMMARY
from pyconv.compat.tensorflow._variable import Variable as Variable
from pyconv.utils import set_random_seed

__version__ = "2.0.0"
version = SimpleNamespace(VERSION=__version__)

newaxis = None
Tensor = EagerArray
_TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16")
globals().update({name: np.dtype(name) for name in _TYPES}, bool=np.dtype("bool"))

_eager = {name: eagerly(function) for name, function in _functions.FUNCTIONS.items()}
globals().update(_eager)
math = SimpleNamespace(
    top_k=_indices.top_k,
    **{name: eagerly(function) for name, function in _functions.MATHS.items()},
)
linalg = SimpleNamespace(
    **{name: _eager[name] for name in ("matmul", "norm", "eye", "einsum", "tensordot")},
    l2_normalize=math.l2_normalize,
)

_ACTIVATIONS = ("elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu", "sigmoid",
                "silu", "softmax", "softplus", "softsign", "swish", "tanh")  # fmt: skip
image, summary = IMAGE, SUMMARY
nn = SimpleNamespace(
    top_k=_indices.top_k,
    **{name: EagerFunction(getattr(activations, name)) for name in _ACTIVATIONS},
    **{name: eagerly(function) for name, function in _functions.NETWORK.items()},
)
math.softmax, math.sigmoid, math.tanh = nn.softmax, nn.sigmoid, nn.tanh

data = SimpleNamespace(
    AUTOTUNE=_dataset.AUTOTUNE,
    Dataset=_dataset.Dataset,
    experimental=SimpleNamespace(
        AUTOTUNE=_dataset.AUTOTUNE,
        cardinality=lambda dataset: dataset.cardinality(),
        ignore_errors=lambda *args, **kwargs: lambda dataset: dataset,
        map_and_batch=lambda map_func, batch_size, **kwargs: (
            lambda dataset: dataset.map(map_func).batch(batch_size)
        ),
        prefetch_to_device=lambda *args, **kwargs: lambda dataset: dataset,
        shuffle_and_repeat=lambda buffer_size, count=None, seed=None: (
            lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)
        ),
    ),
    make_one_shot_iterator=lambda dataset: dataset.make_one_shot_iterator(),
)
io, strings = _files.IO, _files.STRINGS
gfile, read_file = _files.GFILE, _files.read_file
for _name, _function in {**_files.DECODERS, **_files.ENCODERS}.items():
    setattr(IMAGE, _name, _function)


def _random(draw: str, *names: str, type_of: Any = np.float32) -> Any:
    def make(shape: Any, *args: Any, seed: Any = None, **kwargs: Any) -> Any:
        from pyconv import _random as own

        _call_context.check_random()
        random: Any = own.generator() if seed is None else np.random.default_rng(seed)
        dtype = np.dtype(kwargs.pop("dtype", None) or type_of)
        kwargs.pop("name", None)
        numbers = dict(zip(names, args, strict=False), **kwargs)
        order = [numbers[name] for name in names if numbers.get(name) is not None]
        sizes = tuple(int(n) for n in np.ravel(shape))
        if draw == "uniform" and dtype.kind in "iu":
            return random.integers(*order, size=sizes, dtype=dtype)
        if draw == "gamma":
            alpha = np.asarray(numbers["alpha"], np.float64)
            drawn = random.gamma(alpha, size=(*sizes, *alpha.shape))
            return (drawn / (numbers.get("beta") or 1.0)).astype(dtype)
        return getattr(random, draw)(*order, size=sizes).astype(dtype)

    return eagerly(make)


def _shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
    from pyconv import _random as own

    generator = own.generator() if seed is None else np.random.default_rng(seed)
    return eager(generator.permutation(np.asarray(value), axis=0))


random = SimpleNamespace(
    set_seed=set_random_seed,
    normal=_random("normal", "mean", "stddev"),
    truncated_normal=eagerly(keras.random.truncated_normal),
    uniform=_random("uniform", "minval", "maxval"),
    gamma=_random("gamma", "alpha", "beta"),
    shuffle=_shuffle,
)
random_normal, random_uniform = random.normal, random.uniform
truncated_normal = random.truncated_normal
set_random_seed = set_random_seed

for _old, _new in (
    ("constant", "Constant"), ("ones", "Ones"), ("random_normal", "RandomNormal"),
    ("random_uniform", "RandomUniform"), ("truncated_normal", "TruncatedNormal"),
    ("uniform_unit_scaling", "VarianceScaling"), ("variance_scaling", "VarianceScaling"),
    ("zeros", "Zeros"), ("glorot_uniform", "GlorotUniform"), ("glorot_normal", "GlorotNormal"),
    ("orthogonal", "Orthogonal"),
):  # fmt: skip
    globals()[f"{_old}_initializer"] = getattr(initializers, _new)

config = _session.CONFIG
test = SimpleNamespace(
    gpu_device_name=lambda: "",
    is_built_with_cuda=lambda: False,
    is_gpu_available=lambda *args, **kwargs: False,
)
saved_model = SimpleNamespace(save=_checkpoint.save_model, load=_checkpoint.load_model)
sysconfig = SimpleNamespace(get_build_info=dict)
train = _session.TRAIN
client, framework = _session.PYTHON.client, _session.PYTHON.framework  # of tensorflow.python
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


def py_function(func: Any, inp: Any, Tout: Any, name: Any = None) -> Any:  # noqa: N803
    """Return what a function makes of arrays, as arrays.

    Example:
        >>> import pyconv.compat.tensorflow as tf
        >>> tf.py_function(lambda x: x + 1, [1.0], tf.float32).numpy()
        np.float64(2.0)
    """
    result = func(*map(eager, inp))
    return eager(list(result) if isinstance(result, tuple) else [result])[
        slice(None) if isinstance(Tout, (list, tuple)) else 0
    ]


numpy_function = py_function
gradients, placeholder = keras.backend.gradients, keras.backend.placeholder


def _print(
    *inputs: Any, output_stream: Any = None, summarize: int = 3, sep: str = " ", end: str = "\n",
    name: str | None = None,
) -> None:  # fmt: skip
    """Print arrays and texts to ``sys.stderr``, or another stream."""
    stream = sys.stdout if output_stream == "file://stdout" else output_stream or sys.stderr
    stream.write(sep.join(str(np.asarray(x)) if hasattr(x, "numpy") else str(x) for x in inputs))
    stream.write(end)


globals()["print"] = _print


def name_scope(name: Any = None) -> Any:
    """Return a context that changes nothing.

    Example:
        >>> import pyconv.compat.tensorflow as tf
        >>> with tf.name_scope("block"):
        ...     pass
    """
    return contextlib.nullcontext()


variable_scope = name_scope


def executing_eagerly() -> bool:
    """Return True: what is called runs.

    Example:
        >>> import pyconv.compat.tensorflow as tf
        >>> tf.executing_eagerly()
        True
    """
    return True


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
    "TensorSpec",
    "config",
    "data",
    "device",
    "executing_eagerly",
    "function",
    "get_logger",
    "image",
    "initializers",
    "is_tensor",
    "keras",
    "losses",
    "math",
    "metrics",
    "name_scope",
    "nn",
    "optimizers",
    "py_function",
    "random",
    "summary",
    "test",
    "train",
]
__getattr__: Any = _unsupported.getter(__name__)
