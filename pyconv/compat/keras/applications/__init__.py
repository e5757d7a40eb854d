"""``keras.applications``: networks by name; weights are initial, or of files that are here.

There are VGG, ResNet, ResNetV2, DenseNet, MobileNet and MobileNetV2.
"""

from types import SimpleNamespace
from typing import Any

from pyconv.compat import _unsupported
from pyconv.compat.keras.applications import _bodies, _inputs

_SHARED = """

    Args:
        include_top: whether the layers that tell the classes are there.
        weights: None for initial ones, a file, or 'imagenet' for those in Keras's folder.
        input_tensor: the tensor that it is called on, or None.
        input_shape: that of one image, at least 32 x 32; by default 224 x 224.
        pooling: without the top, 'avg' or 'max' for the average or the largest of the last
            features; None for the features.
        classes: the number of classes.
        classifier_activation: the last layer's activation.
        name: the model's name.

    Raises:
        NotInPyconvError: the file of 'imagenet' is not here.
        ValueError: an argument is wrong.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> options = {"weights": None, "input_shape": (32, 32, 3), "pooling": "avg"}
        >>> keras.applications.%s(include_top=False, **options).output_shape
        (None, %d)
    """


def _made(
    owner: str, body: Any, top: Any, file: str, include_top: bool, weights: Any, input_tensor: Any,
    input_shape: Any, pooling: Any, classes: int, name: Any,
) -> Any:  # fmt: skip
    from pyconv.compat.keras import engine, layers, models

    if pooling not in (None, "avg", "max"):
        raise ValueError(f"{owner}: pooling must be None, 'avg' or 'max', got {pooling!r:.60}")
    if include_top and weights == "imagenet" and classes != 1000:
        raise ValueError(f"{owner}: classes must be 1000 with the top of 'imagenet', got {classes}")
    start = _inputs.input_of(owner, input_shape, input_tensor, include_top)
    x = body(start)
    if include_top:
        x = top(x, classes)
    elif pooling is not None:
        kind = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}[pooling]
        x = kind(name=f"{pooling}_pool" if "bile" not in owner and "VGG" not in owner else None)(x)
    first = engine.get_source_inputs(start)
    model = models.Model(first[0] if len(first) == 1 else first, x, name=name)
    _inputs.load(owner, model, weights, file if include_top else _without_top(file))
    return model


def _without_top(file: str) -> str:
    return file.replace(".h5", "_no_top.h5" if file.startswith("mobilenet") else "_notop.h5")


def _dense_top(activation: Any, name: str | None = "avg_pool") -> Any:
    from pyconv.compat.keras import layers

    def top(x: Any, classes: int) -> Any:
        x = layers.GlobalAveragePooling2D(name=name)(x)
        return layers.Dense(classes, activation=activation, name="predictions")(x)

    return top


def _vgg_top(activation: Any) -> Any:
    from pyconv.compat.keras import layers

    def top(x: Any, classes: int) -> Any:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        return layers.Dense(classes, activation=activation, name="predictions")(x)

    return top


def _network(owner: str, family: Any, sizes: Any, features: int, text: str) -> Any:
    default = owner.lower()
    file = f"{default}_weights_tf_dim_ordering_tf_kernels.h5"

    def build(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str | None = default,
    ) -> Any:
        make_top = _vgg_top if family is _bodies.vgg else _dense_top
        return _made(
            owner, lambda x: family(x, sizes), make_top(classifier_activation), file, include_top,
            weights, input_tensor, input_shape, pooling, classes, name,
        )  # fmt: skip

    build.__name__ = build.__qualname__ = owner
    build.__doc__ = f"Return {text}." + _SHARED % (owner, features)
    return build


_V = "the network of Simonyan and Zisserman, 2014, of {} layers"
_R = "the residual network of He et al., 2015, of {} layers"
_I = "the residual network of He et al., 2016, of {} layers"
_D = "the network of Huang et al., 2016, of {} layers"
VGG16 = _network("VGG16", _bodies.vgg, (2, 2, 3, 3, 3), 512, _V.format(16))
VGG19 = _network("VGG19", _bodies.vgg, (2, 2, 4, 4, 4), 512, _V.format(19))
ResNet50 = _network("ResNet50", _bodies.resnet, (3, 4, 6, 3), 2048, _R.format(50))
ResNet101 = _network("ResNet101", _bodies.resnet, (3, 4, 23, 3), 2048, _R.format(101))
ResNet152 = _network("ResNet152", _bodies.resnet, (3, 8, 36, 3), 2048, _R.format(152))
ResNet50V2 = _network("ResNet50V2", _bodies.resnet_v2, (3, 4, 6, 3), 2048, _I.format(50))
ResNet101V2 = _network("ResNet101V2", _bodies.resnet_v2, (3, 4, 23, 3), 2048, _I.format(101))
ResNet152V2 = _network("ResNet152V2", _bodies.resnet_v2, (3, 8, 36, 3), 2048, _I.format(152))
DenseNet121 = _network("DenseNet121", _bodies.densenet, (6, 12, 24, 16), 1024, _D.format(121))
DenseNet169 = _network("DenseNet169", _bodies.densenet, (6, 12, 32, 32), 1664, _D.format(169))
DenseNet201 = _network("DenseNet201", _bodies.densenet, (6, 12, 48, 32), 1920, _D.format(201))


def MobileNet(  # noqa: N802
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Any:
    """Return the network of Howard et al., 2017.

    Args:
        input_shape: that of one image, at least 32 x 32; by default 224 x 224.
        alpha: the share of the filters.
        depth_multiplier: results for each channel of the depthwise convolutions.
        dropout: rate before the last layer.
        include_top: whether the layers that tell the classes are there.
        weights: None for initial ones, a file, or 'imagenet' for those in Keras's folder.
        input_tensor: the tensor that it is called on, or None.
        pooling: without the top, 'avg', 'max' or None.
        classes: the number of classes.
        classifier_activation: the last layer's activation.
        name: the model's name.

    Raises:
        NotInPyconvError: the file of 'imagenet' is not here.
        ValueError: an argument is wrong.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> options = {"weights": None, "input_shape": (32, 32, 3)}
        >>> keras.applications.MobileNet(classes=10, **options).output_shape
        (None, 10)
    """
    from pyconv.compat.keras import layers

    def top(x: Any, classes: int) -> Any:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Conv2D(classes, (1, 1), padding="same", name="conv_preds")(x)
        x = layers.Reshape((classes,), name="reshape_2")(x)
        return layers.Activation(classifier_activation, name="predictions")(x)

    rows = _rows(input_shape)
    shown = rows if weights is not None or input_shape is None else input_shape[0]
    words = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0"}.get(alpha, "2_5")
    return _made(
        "MobileNet", lambda x: _bodies.mobilenet(x, alpha, depth_multiplier), top,
        f"mobilenet_{words}_{rows}_tf.h5", include_top, weights, input_tensor, input_shape,
        pooling, classes, name or f"mobilenet_{alpha:0.2f}_{shown}",
    )  # fmt: skip


def MobileNetV2(  # noqa: N802
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Any:
    """Return the network of Sandler et al., 2018.

    Args:
        input_shape: that of one image, at least 32 x 32; by default 224 x 224.
        alpha: the share of the filters.
        include_top: whether the layers that tell the classes are there.
        weights: None for initial ones, a file, or 'imagenet' for those in Keras's folder.
        input_tensor: the tensor that it is called on, or None.
        pooling: without the top, 'avg', 'max' or None.
        classes: the number of classes.
        classifier_activation: the last layer's activation.
        name: the model's name.

    Raises:
        NotInPyconvError: the file of 'imagenet' is not here.
        ValueError: an argument is wrong.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> options = {"weights": None, "input_shape": (32, 32, 3)}
        >>> keras.applications.MobileNetV2(classes=10, **options).output_shape
        (None, 10)
    """
    rows = _rows(input_shape)
    shown = rows if weights is not None or input_shape is None else input_shape[0]
    file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}.h5"
    return _made(
        "MobileNetV2", lambda x: _bodies.mobilenet_v2(x, alpha),
        _dense_top(classifier_activation, None), file, include_top, weights, input_tensor,
        input_shape, pooling, classes, name or f"mobilenetv2_{alpha:0.2f}_{shown}",
    )  # fmt: skip


def _rows(shape: Any) -> int:
    """Return the size of the images whose weights there are: that of the input, or 224."""
    known = (128, 160, 192, 224)
    rows = [n for n in shape or () if n in known]
    return rows[0] if len(rows) == 2 and rows[0] == rows[1] else 224


def _module(mode: str, *functions: Any) -> SimpleNamespace:
    return SimpleNamespace(
        preprocess_input=_inputs.preprocessing(mode),
        decode_predictions=_inputs.decode_predictions,
        **{function.__name__: function for function in functions},
    )


# Modules of Keras's, of which each has a preprocess_input of its own.
densenet = _module("torch", DenseNet121, DenseNet169, DenseNet201)
imagenet_utils = _module("caffe")
mobilenet = _module("tf", MobileNet)
mobilenet_v2 = _module("tf", MobileNetV2)
resnet = _module("caffe", ResNet50, ResNet101, ResNet152)
resnet50 = _module("caffe", ResNet50)
resnet_v2 = _module("tf", ResNet50V2, ResNet101V2, ResNet152V2)
vgg16 = _module("caffe", VGG16)
vgg19 = _module("caffe", VGG19)

__all__ = [
    "VGG16",
    "VGG19",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "MobileNet",
    "MobileNetV2",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
]  # fmt: skip
__getattr__ = _unsupported.getter(__name__)
