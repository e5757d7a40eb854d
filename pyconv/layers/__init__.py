"""Layers, as Keras has them."""

from collections.abc import Mapping
from typing import Any

from pyconv import _registry
from pyconv._own_state import build_by_config
from pyconv.layers._container import Container
from pyconv.layers.activation import Activation
from pyconv.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from pyconv.layers.avgpool2d import AveragePooling2D
from pyconv.layers.batchnorm import BatchNormalization
from pyconv.layers.branches import Branches
from pyconv.layers.clahe import ContrastLimitedAdaptiveHistogramEqualization
from pyconv.layers.concatenate import Concatenate
from pyconv.layers.conv1d import Conv1D
from pyconv.layers.conv1d_transpose import Conv1DTranspose
from pyconv.layers.conv2d import Conv2D
from pyconv.layers.conv2d_transpose import Conv2DTranspose
from pyconv.layers.conv3d import Conv3D
from pyconv.layers.conv3d_transpose import Conv3DTranspose
from pyconv.layers.cropping import Cropping1D, Cropping2D, Cropping3D
from pyconv.layers.dense import Dense
from pyconv.layers.depthwise_conv1d import DepthwiseConv1D
from pyconv.layers.depthwise_conv2d import DepthwiseConv2D
from pyconv.layers.dot import Dot
from pyconv.layers.dropout import Dropout
from pyconv.layers.equalization import AutoContrast, Equalization
from pyconv.layers.flatten import Flatten
from pyconv.layers.global_avgpool2d import GlobalAveragePooling2D
from pyconv.layers.global_maxpool2d import GlobalMaxPooling2D
from pyconv.layers.graph import Graph
from pyconv.layers.group_normalization import GroupNormalization
from pyconv.layers.identity import ActivityRegularization, Identity
from pyconv.layers.input import Input, InputLayer
from pyconv.layers.layer import Layer
from pyconv.layers.layernorm import LayerNormalization
from pyconv.layers.leakyrelu import ELU, LeakyReLU, PReLU
from pyconv.layers.lrn import LocalResponseNormalization
from pyconv.layers.masking import Masking
from pyconv.layers.max_num_bounding_boxes import MaxNumBoundingBoxes
from pyconv.layers.maxpool2d import MaxPooling2D
from pyconv.layers.merging import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from pyconv.layers.mixing import CutMix, MixUp
from pyconv.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from pyconv.layers.normalization import Normalization
from pyconv.layers.pipeline import Pipeline
from pyconv.layers.policies import AugMix, RandAugment
from pyconv.layers.pooling1d import (
    AveragePooling1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
)
from pyconv.layers.pooling3d import (
    AveragePooling3D,
    GlobalAveragePooling3D,
    GlobalMaxPooling3D,
    MaxPooling3D,
)
from pyconv.layers.random_brightness import RandomBrightness, RandomContrast
from pyconv.layers.random_color import (
    RandomColorDegeneration,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from pyconv.layers.random_color_jitter import RandomColorJitter
from pyconv.layers.random_crop import RandomCrop
from pyconv.layers.random_elastic_transform import RandomElasticTransform
from pyconv.layers.random_erasing import Cutout, RandomErasing
from pyconv.layers.random_flip import RandomFlip
from pyconv.layers.random_gaussian_blur import RandomGaussianBlur
from pyconv.layers.random_perspective import RandomPerspective
from pyconv.layers.random_rotation import RandomRotation
from pyconv.layers.random_shear import RandomShear
from pyconv.layers.random_tones import (
    RandomInvert,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from pyconv.layers.random_translation import RandomTranslation
from pyconv.layers.random_zoom import RandomZoom
from pyconv.layers.relu import ReLU
from pyconv.layers.rescaling import Rescaling
from pyconv.layers.reshape import Permute, RepeatVector, Reshape
from pyconv.layers.residual import Residual
from pyconv.layers.resizing import CenterCrop, Resizing
from pyconv.layers.rms_normalization import RMSNormalization, UnitNormalization
from pyconv.layers.separable_conv1d import SeparableConv1D
from pyconv.layers.separable_conv2d import SeparableConv2D
from pyconv.layers.softmax import Softmax
from pyconv.layers.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from pyconv.layers.spectral_normalization import SpectralNormalization
from pyconv.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from pyconv.layers.zeropadding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D

# Keras's other names.
Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
MaxPool1D = MaxPooling1D
MaxPool3D = MaxPooling3D
AvgPool1D = AveragePooling1D
AvgPool3D = AveragePooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool3D = GlobalMaxPooling3D
Convolution1DTranspose = Conv1DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D = SeparableConv1D
MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
Convolution2DTranspose = Conv2DTranspose
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AlphaDropout",
    "AugMix",
    "AutoContrast",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Branches",
    "CenterCrop",
    "Concatenate",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CutMix",
    "Cutout",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Equalization",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "Graph",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocalResponseNormalization",
    "Masking",
    "MaxNumBoundingBoxes",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MixUp",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "Pipeline",
    "RMSNormalization",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Residual",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "Softmax",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "Subtract",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "deserialize",
    "serialize",
]

_CLASSES: dict[str, type[Layer]] = {
    found.__name__.lower(): found
    for found in list(globals().values())
    if isinstance(found, type) and issubclass(found, Layer) and found not in (Container, Layer)
}


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the layer's class and configuration as plain data, without its weights.

    Example:
        >>> import pyconv
        >>> pyconv.layers.serialize(pyconv.layers.Flatten(name="flat"))["class_name"]
        'Flatten'
    """
    return _registry.to_config(layer)


def deserialize(config: Any, custom_objects: dict[str, type[Layer]] | None = None) -> Layer:
    """Return a new layer of the class and configuration that ``serialize`` returned.

    Args:
        config: ``{"class_name": ..., "config": {...}}``, also as Keras 1, 2 and 3 have it. The
            class is looked up in a fixed table; nothing is imported or run.
        custom_objects: your own layer classes by name, beside those of ``pyconv.layers``.

    Raises:
        ValueError: the class is not known, or the configuration does not fit it.

    Example:
        >>> import pyconv
        >>> config = {"class_name": "Dense", "config": {"units": 3, "name": "head"}}
        >>> pyconv.layers.deserialize(config)
        <Dense name=head, built=False>
    """
    from pyconv.formats import keras_config_reader

    owner = "layers.deserialize"
    own = {name.lower(): layer for name, layer in (custom_objects or {}).items()}
    plain = keras_config_reader.plain_layer(config)
    found, arguments = _registry.find_config(owner, "layer", plain, {**_CLASSES, **own})
    given: dict[str, Any] = {"config": arguments}
    if issubclass(found, Container):
        given["custom_objects"] = custom_objects
    made = _registry.construct(owner, found.from_config, given)
    if isinstance(config, Mapping):
        build_by_config(made, config)
    return made
