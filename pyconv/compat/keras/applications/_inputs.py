"""What ``keras.applications`` does around its networks: inputs, files of weights, names."""

import json
import os
from typing import Any

import numpy as np

from pyconv.compat import _image_order
from pyconv.compat._unsupported import NotInPyconvError

_SMALLEST, _DEFAULT = 32, 224
_MEANS = {"caffe": (103.939, 116.779, 123.68), "torch": (0.485, 0.456, 0.406)}
_DEVIATIONS = (0.229, 0.224, 0.225)


def input_of(owner: str, shape: Any, tensor: Any, needs_size: bool) -> Any:
    """Return the tensor that a network begins with.

    Raises:
        ValueError: images of this shape are too small, or the shape is none of images.
    """
    from pyconv.compat.keras import layers

    if tensor is not None:
        return tensor
    first = _image_order.data_format() == "channels_first"
    if shape is None:
        size = _DEFAULT if needs_size else None
        shape = (3, size, size) if first else (size, size, 3)
    sizes = tuple(shape)
    sides = sizes[1:] if first else sizes[:2]
    if len(sizes) != 3 or any(n is not None and n < _SMALLEST for n in sides):
        raise ValueError(
            f"{owner}: input_shape must be that of images of at least {_SMALLEST} x {_SMALLEST}, "
            f"got {shape!r:.60}"
        )
    return layers.Input(shape=sizes)


def load(owner: str, model: Any, weights: Any, file: str) -> None:
    """Read weights into a model, of a file or, for 'imagenet', of Keras's folder.

    Raises:
        NotInPyconvError: the file of 'imagenet' is not there.
    """
    if weights is None:
        return
    path = os.fspath(weights)
    if weights == "imagenet":
        path = os.path.join(os.path.expanduser("~"), ".keras", "models", file)
        if not os.path.exists(path):
            raise NotInPyconvError(
                f"keras.applications.{owner}: weights='imagenet' are read from {path}, which is "
                "not there; weights=None has initial ones"
            )
    model.load_weights(path)


def preprocessing(mode: str) -> Any:
    """Return the function that brings images of 0 to 255 to what networks were trained with."""

    def preprocess_input(x: Any, data_format: Any = None, mode: str = mode) -> Any:
        """Return images of 0 to 255 as the network takes them.

        Args:
            x: images, the channels red, green and blue.
            data_format: 'channels_last', 'channels_first', or None for the backend's.
            mode: 'caffe' for blue, green and red less their means, 'tf' for -1 to 1, 'torch' for
                0 to 1 less the means, over the deviations.

        Raises:
            ValueError: ``mode`` is none of these.
        """
        if mode not in ("caffe", "tf", "torch"):
            raise ValueError(f"preprocess_input: mode must be 'caffe', 'tf' or 'torch', got {mode}")
        if isinstance(x, np.ndarray):
            x = x.astype(np.float32)
        if mode == "tf":
            return x / 127.5 - 1.0
        order = data_format or _image_order.data_format()
        first = order == "channels_first"
        shape = (3, 1, 1) if first else (3,)
        means = np.reshape(_MEANS[mode], shape).astype(np.float32)
        if mode == "torch":
            return (x / 255.0 - means) / np.reshape(_DEVIATIONS, shape).astype(np.float32)
        turned = x[..., ::-1, :, :] if first else x[..., ::-1]
        return turned - means

    return preprocess_input


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Return the names of the most likely classes of ImageNet, and their shares, of each row.

    Raises:
        NotInPyconvError: the file of their names is not there.
        ValueError: the rows are not of 1000 classes.
    """
    shares = np.asarray(preds)
    if shares.ndim != 2 or shares.shape[1] != 1000:
        raise ValueError(f"decode_predictions: preds must be (N, 1000), got {shares.shape}")
    file = "imagenet_class_index.json"
    path = os.path.join(os.path.expanduser("~"), ".keras", "models", file)
    if not os.path.exists(path):
        raise NotInPyconvError(
            f"keras.applications.decode_predictions: the names of classes are read from {path}, "
            "which is not there"
        )
    with open(path, encoding="utf8") as index:
        names = json.load(index)
    best = np.argsort(-shares, axis=1)[:, :top]
    return [
        [(*names[str(i)], float(row[i])) for i in order]
        for row, order in zip(shares, best, strict=True)
    ]
