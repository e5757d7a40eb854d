"""The networks of ``keras.applications`` up to their last features, by Keras's names of layers.

They are functions of a tensor. Files of weights are read by the order and the names of layers.
"""

from collections.abc import Sequence
from typing import Any

from pyconv.compat.keras import layers as L  # noqa: N812

_EPSILON = 1.001e-5  # of the residual and the dense networks


def _axis() -> int:
    from pyconv.compat import _image_order

    return -1 if _image_order.data_format() == "channels_last" else 1


def _norm(x: Any, name: str, **kwargs: Any) -> Any:
    return L.BatchNormalization(axis=_axis(), name=name, **kwargs)(x)


def _relu(x: Any, name: str) -> Any:
    return L.Activation("relu", name=name)(x)


def _relu6(x: Any, name: str) -> Any:
    return L.ReLU(6.0, name=name)(x)


def vgg(x: Any, convolutions: Sequence[int]) -> Any:
    """Simonyan and Zisserman, 2014: five blocks of so many 3x3 convolutions."""
    for block, count in enumerate(convolutions, 1):
        filters = min(64 * 2 ** (block - 1), 512)
        for i in range(1, count + 1):
            name = f"block{block}_conv{i}"
            x = L.Conv2D(filters, (3, 3), activation="relu", padding="same", name=name)(x)
        x = L.MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    return x


def _stem(x: Any, bias: bool, names: Sequence[str | None]) -> Any:
    x = L.ZeroPadding2D(((3, 3), (3, 3)), name=names[0])(x)
    return L.Conv2D(64, 7, strides=2, use_bias=bias, name="conv1_conv")(x)


def _pooled_stem(x: Any, names: Sequence[str | None]) -> Any:
    x = L.ZeroPadding2D(((1, 1), (1, 1)), name=names[0])(x)
    return L.MaxPooling2D(3, strides=2, name=names[1])(x)


def resnet(x: Any, blocks: Sequence[int]) -> Any:
    """He et al., "Deep residual learning", 2015: blocks of three convolutions."""
    x = _stem(x, True, ["conv1_pad"])
    x = _relu(_norm(x, "conv1_bn", epsilon=_EPSILON), "conv1_relu")
    x = _pooled_stem(x, ["pool1_pad", "pool1_pool"])
    for stage, count in enumerate(blocks):
        for i in range(1, count + 1):
            strides = 2 if stage > 0 and i == 1 else 1
            x = _bottleneck(x, 64 * 2**stage, strides, i == 1, f"conv{stage + 2}_block{i}")
    return x


def _bottleneck(x: Any, filters: int, strides: int, projects: bool, name: str) -> Any:
    shortcut = x
    if projects:
        shortcut = L.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
        shortcut = _norm(shortcut, f"{name}_0_bn", epsilon=_EPSILON)
    x = L.Conv2D(filters, 1, strides=strides, name=f"{name}_1_conv")(x)
    x = _relu(_norm(x, f"{name}_1_bn", epsilon=_EPSILON), f"{name}_1_relu")
    x = L.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = _relu(_norm(x, f"{name}_2_bn", epsilon=_EPSILON), f"{name}_2_relu")
    x = L.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = _norm(x, f"{name}_3_bn", epsilon=_EPSILON)
    return _relu(L.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def resnet_v2(x: Any, blocks: Sequence[int]) -> Any:
    """He et al., "Identity mappings", 2016: normalization before the convolutions."""
    x = _pooled_stem(_stem(x, True, ["conv1_pad"]), ["pool1_pad", "pool1_pool"])
    for stage, count in enumerate(blocks):
        for i in range(1, count + 1):
            strides = 2 if i == count and stage < len(blocks) - 1 else 1
            x = _bottleneck_v2(x, 64 * 2**stage, strides, i == 1, f"conv{stage + 2}_block{i}")
    return _relu(_norm(x, "post_bn", epsilon=_EPSILON), "post_relu")


def _bottleneck_v2(x: Any, filters: int, strides: int, projects: bool, name: str) -> Any:
    before = _norm(x, f"{name}_preact_bn", epsilon=_EPSILON)
    before = _relu(before, f"{name}_preact_relu")
    if projects:
        shortcut = L.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(before)
    else:
        shortcut = L.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    x = L.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(before)
    x = _relu(_norm(x, f"{name}_1_bn", epsilon=_EPSILON), f"{name}_1_relu")
    x = L.ZeroPadding2D(((1, 1), (1, 1)), name=f"{name}_2_pad")(x)
    x = L.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
    x = _relu(_norm(x, f"{name}_2_bn", epsilon=_EPSILON), f"{name}_2_relu")
    x = L.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return L.Add(name=f"{name}_out")([shortcut, x])


def densenet(x: Any, blocks: Sequence[int]) -> Any:
    """Huang et al., 2016: each layer adds 32 channels to those before."""
    x = _stem(x, False, [None])
    x = _relu(_norm(x, "conv1_bn", epsilon=_EPSILON), "conv1_relu")
    x = _pooled_stem(x, [None, "pool1"])
    for stage, count in enumerate(blocks, 2):
        for i in range(1, count + 1):
            name = f"conv{stage}_block{i}"
            y = _relu(_norm(x, f"{name}_0_bn", epsilon=_EPSILON), f"{name}_0_relu")
            y = L.Conv2D(128, 1, use_bias=False, name=f"{name}_1_conv")(y)
            y = _relu(_norm(y, f"{name}_1_bn", epsilon=_EPSILON), f"{name}_1_relu")
            y = L.Conv2D(32, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
            x = L.Concatenate(axis=_axis(), name=f"{name}_concat")([x, y])
        if stage < 5:
            name = f"pool{stage}"
            x = _relu(_norm(x, f"{name}_bn", epsilon=_EPSILON), f"{name}_relu")
            channels = x.shape[_axis()] // 2
            x = L.Conv2D(channels, 1, use_bias=False, name=f"{name}_conv")(x)
            x = L.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)
    return _relu(_norm(x, "bn", epsilon=_EPSILON), "relu")


def mobilenet(x: Any, alpha: float, depth_multiplier: int) -> Any:
    """Howard et al., 2017: depthwise convolutions, each with one across channels."""
    x = L.Conv2D(
        int(32 * alpha), (3, 3), strides=(2, 2), padding="same", use_bias=False, name="conv1"
    )(x)
    x = _relu6(_norm(x, "conv1_bn"), "conv1_relu")
    sizes = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
    for i, filters in enumerate(sizes, 1):
        strides = 2 if i in (2, 4, 6, 12) else 1
        if strides == 2:
            x = L.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
        x = L.DepthwiseConv2D(
            (3, 3), strides=strides, padding="same" if strides == 1 else "valid",
            depth_multiplier=depth_multiplier, use_bias=False, name=f"conv_dw_{i}",
        )(x)  # fmt: skip
        x = _relu6(_norm(x, f"conv_dw_{i}_bn"), f"conv_dw_{i}_relu")
        x = L.Conv2D(
            int(filters * alpha), (1, 1), padding="same", use_bias=False, name=f"conv_pw_{i}"
        )(x)
        x = _relu6(_norm(x, f"conv_pw_{i}_bn"), f"conv_pw_{i}_relu")
    return x


# (filters, how many, stride of the first) of the blocks, and by how much they widen.
_INVERTED = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
_WIDER = 6


def mobilenet_v2(x: Any, alpha: float) -> Any:
    """Sandler et al., 2018: blocks that are wide inside and narrow between."""
    kept: dict[str, Any] = {"epsilon": 1e-3, "momentum": 0.999}
    x = L.Conv2D(
        _by_8(32 * alpha), 3, strides=(2, 2), padding="same", use_bias=False, name="Conv1"
    )(x)
    x = _relu6(_norm(x, "bn_Conv1", **kept), "Conv1_relu")
    number = 0
    for filters, count, first in _INVERTED:
        for i in range(count):
            x = _inverted(x, _by_8(int(filters * alpha)), first if i == 0 else 1, number, kept)
            number += 1
    last = _by_8(1280 * alpha) if alpha > 1 else 1280
    x = L.Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    return _relu6(_norm(x, "Conv_1_bn", **kept), "out_relu")


def _inverted(x: Any, filters: int, strides: int, number: int, kept: dict[str, Any]) -> Any:
    start, channels = x, x.shape[_axis()]
    name = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = L.Conv2D(_WIDER * channels, 1, padding="same", use_bias=False, name=f"{name}expand")(x)
        x = _relu6(_norm(x, f"{name}expand_BN", **kept), f"{name}expand_relu")
    if strides == 2:
        sides = [n for axis, n in enumerate(x.shape) if axis not in (0, _axis() % 4)]
        before = [1 if n is None or n % 2 else 0 for n in sides]
        x = L.ZeroPadding2D([(one, 1) for one in before], name=f"{name}pad")(x)
    x = L.DepthwiseConv2D(
        3, strides=strides, padding="same" if strides == 1 else "valid", use_bias=False,
        name=f"{name}depthwise",
    )(x)  # fmt: skip
    x = _relu6(_norm(x, f"{name}depthwise_BN", **kept), f"{name}depthwise_relu")
    x = L.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = _norm(x, f"{name}project_BN", **kept)
    return L.Add(name=f"{name}add")([start, x]) if (channels, strides) == (filters, 1) else x


def _by_8(size: float) -> int:
    """Return the multiple of 8 next to a size, not below nine tenths of it."""
    nearest = max(8, int(size + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * size else nearest
