"""``keras.utils``: labels, seeds, batches by number, drawings of models."""

import os
from typing import Any

from pyconv import utils
from pyconv.compat import _unsupported
from pyconv.compat._datasets_of_arrays import pad_sequences as pad_sequences
from pyconv.compat._datasets_of_arrays import split_dataset as split_dataset
from pyconv.compat._get_file import get_file as get_file
from pyconv.compat._image_dataset import (
    image_dataset_from_directory as image_dataset_from_directory,
)
from pyconv.compat._progbar import Progbar as Progbar
from pyconv.compat._timeseries import (
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)
from pyconv.compat.keras import saving
from pyconv.compat.keras.preprocessing import image
from pyconv.compat.keras.utils import bounding_boxes as bounding_boxes
from pyconv.compat.keras.utils import np_utils as np_utils

# Where Keras 2 had them.
_OF_SAVING = [name for name in saving.__all__ if not name.endswith("_model")]
globals().update({name: getattr(saving, name) for name in _OF_SAVING})
# Where Keras 3 has them.
_OF_IMAGES = ["array_to_img", "img_to_array", "load_img", "save_img"]
globals().update({name: getattr(image, name) for name in _OF_IMAGES})

__all__ = sorted(
    [
        *utils.__all__,
        *_OF_SAVING,
        *_OF_IMAGES,
        "Progbar",
        "bounding_boxes",
        "get_file",
        "get_source_inputs",
        "model_to_dot",
        "np_utils",
        "pad_sequences",
        "plot",
        "plot_model",
        "print_summary",
        "split_dataset",
        "timeseries_dataset_from_array",
    ]
)


def plot_model(model: Any, to_file: Any = "model.png", *args: Any, **kwargs: Any) -> Any:
    """Write a drawing of a model's layers as SVG, whatever the file's ending; return it.

    Args:
        model: the model.
        to_file: the file; another ending than ``.svg`` is replaced by it.
        *args: have no effect.
        **kwargs: have no effect: shapes and names are always shown.

    Raises:
        OSError: it cannot be written.

    Example:
        >>> import os, tempfile, pyconv.compat.keras as keras
        >>> model = keras.Sequential([keras.layers.Dense(2, input_shape=(4,))])
        >>> file = os.path.join(tempfile.mkdtemp(), "model.png")
        >>> keras.utils.plot_model(model, to_file=file)[:4], os.listdir(os.path.dirname(file))
        ('<svg', ['model.svg'])
    """
    from pyconv.viz import network_diagram

    return network_diagram(model, os.path.splitext(os.fsdecode(to_file))[0] + ".svg")


plot = plot_model


def model_to_dot(model: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a drawing of a model's layers as SVG text, which ``create(...)`` gives as bytes.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> model = keras.Sequential([keras.layers.Dense(2, input_shape=(4,))])
        >>> keras.utils.model_to_dot(model).create(prog="dot", format="svg")[:4]
        b'<svg'
    """
    from pyconv.viz import network_diagram

    drawing: Any = network_diagram(model)
    drawing.create = lambda *args, **kwargs: str(drawing).encode()
    return drawing


def print_summary(model: Any, *args: Any, **kwargs: Any) -> None:
    """Print the table of a model's layers.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> model = keras.Sequential([keras.layers.Dense(2, input_shape=(4,))])
        >>> keras.utils.print_summary(model, print_fn=lambda line: None)
    """
    model.summary(*args, **kwargs)


def get_source_inputs(tensor: Any, layer: Any = None, node_index: Any = None) -> list[Any]:
    """Return the inputs that a tensor was made of; see ``keras.engine.get_source_inputs``.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> x = keras.Input((4,))
        >>> keras.utils.get_source_inputs(keras.layers.Dense(2)(x))[0] is x
        True
    """
    from pyconv.compat.keras import engine

    return engine.get_source_inputs(tensor, layer, node_index)


__getattr__ = _unsupported.getter(__name__, utils)
