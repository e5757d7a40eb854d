"""``keras.backend``: the few functions that scripts for image classifiers call."""

import gc
from typing import Any

import numpy as np

from pyconv.compat import _backend_functions as _more
from pyconv.compat import _classes, _image_order, _unsupported
from pyconv.compat.keras import ops

# What losses and metrics of the user's own are written with; some under older names.
_MATHS: dict[str, Any] = {
    **{name: getattr(ops, name) for name in ops.__all__ if not hasattr(_more, name)},
    "cumprod": np.cumprod,
    "int_shape": np.shape,
    "ndim": np.ndim,
    "permute_dimensions": np.transpose,
    "pow": np.power,
}
globals().update(_MATHS)

__all__ = [
    *_MATHS,
    "batch_flatten",
    "backend",
    "cast_to_floatx",
    "clear_session",
    "epsilon",
    "flatten",
    "floatx",
    "function",
    "get_value",
    "gradients",
    "image_data_format",
    "image_dim_ordering",
    "learning_phase",
    "placeholder",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
    "set_session",
    "set_value",
]


def backend() -> str:
    """Return 'tensorflow', whose order of axes is followed.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.backend()
        'tensorflow'
    """
    return "tensorflow"


def image_data_format() -> str:
    """Return the order of images' axes where a layer is told nothing else.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.image_data_format()
        'channels_last'
    """
    return _image_order.data_format()


def set_image_data_format(data_format: str) -> None:
    """Have layers, data sets and generators take images of this order from now on.

    Args:
        data_format: 'channels_last', (N, H, W, C), which is faster, or 'channels_first',
            (N, C, H, W).

    Raises:
        ValueError: it is neither.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.set_image_data_format("channels_last")
    """
    _image_order.select(data_format)


def image_dim_ordering() -> str:
    """Return Keras 1's name of the order: 'tf' for 'channels_last', 'th' for 'channels_first'.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.image_dim_ordering()
        'tf'
    """
    return "tf" if _image_order.data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Do what ``set_image_data_format`` does, by Keras 1's names: 'tf' or 'th'.

    Raises:
        ValueError: it is neither.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.set_image_dim_ordering("tf")
    """
    names = {"tf": "channels_last", "th": "channels_first"}
    _image_order.select(names.get(dim_ordering, dim_ordering))


def set_session(session: Any) -> None:
    """Do nothing: pyconv has no sessions.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.set_session(None)
    """


def learning_phase() -> int:
    """Return 0: outside of ``fit`` layers predict.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.learning_phase()
        0
    """
    return 0


def function(inputs: Any, outputs: Any, updates: Any = None, **kwargs: Any) -> Any:
    """Return a function of a list of the inputs' values that computes tensors, a list.

    Args:
        inputs: a list of tensors, such as a model's input; ``learning_phase()`` may be among them,
            whose value 1 has layers do as in training.
        outputs: a list of tensors, such as ``[layer.output for layer in model.layers]``, or what
            was computed of them, ``gradients`` too.
        updates: what an optimizer's ``get_updates`` returned: each call makes a step.
        **kwargs: have no effect.

    Raises:
        NotImplementedError, ValueError: as ``keras.Model``; or an update is something else.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> model = keras.Sequential([keras.layers.Flatten(input_shape=(2, 2))])
        >>> run = keras.backend.function([model.input], [model.layers[0].output])
        >>> run([np.ones((1, 2, 2))])[0].tolist()
        [[1.0, 1.0, 1.0, 1.0]]
    """
    from pyconv.compat import _symbolic
    from pyconv.compat._functional import connected
    from pyconv.compat._graph_model import functional
    from pyconv.compat._graph_updates import steps_of
    from pyconv.compat._operation import Operation
    from pyconv.compat._tensor import Tensor, tensor_of

    steps = steps_of(updates)
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    starts = [one if isinstance(one, (int, float)) else tensor_of(one) for one in given]
    tensors = [one for one in starts if isinstance(one, Tensor)]
    several = isinstance(outputs, (list, tuple))
    ends = [tensor_of(end) for end in (outputs if several else [outputs])]
    models: Any = None
    if len(tensors) == 1 and not any(isinstance(end.layer, Operation) for end in ends):
        models = [functional(tensors[0], end) for end in ends]

    def run(values: Any) -> Any:
        x = values if isinstance(values, (list, tuple)) else [values]
        phases = [bool(v) for one, v in zip(starts, x, strict=False) if isinstance(one, int)]
        if models is None or steps or any(phases):
            linked = [connected(tensors[0], end) if models else end for end in ends]
            results = _symbolic.run(starts, linked, x, steps)
        else:
            at = starts.index(tensors[0])
            results = [model.predict(x[at], verbose=0) for model in models]
        return results if several else results[0]

    return run


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Return the gradients of a tensor, of the sum of its numbers, by others, as tensors.

    Args:
        loss: what was computed of layers' tensors; or a list of such, which are added.
        variables: a tensor that it was computed of, or a list of them: an input, or the result of
            a layer.

    Raises:
        TypeError: one is no tensor; a ``GradientTape`` has gradients by weights.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> x = keras.Input((2,))
        >>> slope = keras.backend.gradients(keras.backend.sum(x**2), [x])[0]
        >>> keras.backend.function([x], [slope])([np.array([[1.0, 3.0]])])[0].tolist()
        [[2.0, 6.0]]
    """
    from pyconv.compat import _symbolic

    return _symbolic.gradients(loss, variables)


def placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, sparse: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return a tensor that ``function`` is given the values of.

    Args:
        shape: its shape, None where a size is not known.
        ndim: the number of axes, of sizes that are not known, in place of ``shape``.
        dtype: has no effect.
        sparse: has no effect.
        name: its name.

    Raises:
        ValueError: neither ``shape`` nor ``ndim`` is given.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.placeholder((None, 10)).shape
        (None, 10)
    """
    from pyconv.compat._tensor import Tensor
    from pyconv.layers.input import InputLayer

    if shape is None and ndim is None:
        raise ValueError("placeholder: shape or ndim must be given")
    sizes = tuple(shape) if shape is not None else (None,) * int(ndim or 0)
    return Tensor(InputLayer(batch_shape=sizes, name=name))


def floatx() -> str:
    """Return 'float32', the type of all arrays.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.floatx()
        'float32'
    """
    return "float32"


def set_floatx(floatx: str) -> None:
    """Take 'float32'; anything else is a ValueError.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.set_floatx("float32")
    """
    if floatx != "float32":
        raise ValueError(f"set_floatx: pyconv computes in float32, got {floatx!r}")


def cast_to_floatx(x: Any) -> Any:
    """Return an array as float32.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.cast_to_floatx([1, 2]).dtype
        dtype('float32')
    """
    return np.asarray(x, np.float32)


_EPSILON = 1e-7  # of keras.backend.common


def epsilon() -> float:
    """Return 1e-7, what losses keep probabilities from 0 and 1 by.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.epsilon()
        1e-07
    """
    return 1e-7


def flatten(x: Any) -> Any:
    """Return an array of one axis.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.flatten([[1, 2], [3, 4]]).tolist()
        [1, 2, 3, 4]
    """
    return np.reshape(x, -1)


def batch_flatten(x: Any) -> Any:
    """Return an array of two axes, of which the first is that of samples.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.batch_flatten([[[1, 2], [3, 4]]]).tolist()
        [[1, 2, 3, 4]]
    """
    return np.reshape(x, (len(x), -1))


def clear_session(free_memory: bool = True) -> None:
    """Count the names of layers and models anew, and free the models that nobody has any more.

    Args:
        free_memory: whether to free them; their layers and tensors know each other, so that else
            they wait until Python looks for such circles.

    Example:
        >>> from pyconv.compat.keras import backend as K
        >>> K.clear_session()
    """
    _classes.forget_names()
    if free_memory:
        gc.collect()


def get_value(x: Any) -> Any:
    """Return a learning rate or a weight as numpy has it.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> float(keras.backend.get_value(keras.optimizers.SGD(lr=0.5).lr))
        0.5
    """
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)


def set_value(x: Any, value: Any) -> None:
    """Set a learning rate or a weight.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> sgd = keras.optimizers.SGD(lr=0.5)
        >>> keras.backend.set_value(sgd.lr, 0.25)
        >>> float(sgd.lr)
        0.25
    """
    if hasattr(x, "assign"):
        x.assign(value)
    elif isinstance(x, np.ndarray):
        x[...] = value
    else:
        raise TypeError(
            f"set_value: x must be a learning rate or a weight, got a {type(x).__name__}"
        )


__getattr__ = _unsupported.getter(__name__, _more)
