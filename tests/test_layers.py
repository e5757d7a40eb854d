"""What all layers have in common: arguments, names, weights, configuration, errors."""

import inspect
import json
import re

import numpy as np
import pytest

import pyconv
from pyconv import initializers, layers

KERNEL = (
    "use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros', "
    "kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, "
    "kernel_constraint=None, bias_constraint=None, **kwargs"
)
WITH_LORA = KERNEL.replace("**", "lora_rank=None, lora_alpha=None, **")
WARP = (
    "fill_mode='reflect', interpolation='bilinear', seed=None, fill_value=0.0, data_format=None, "
    "**kwargs"
)
# Keras 3: names, order and defaults.
SIGNATURES = {
    "AlphaDropout": "rate, noise_shape=None, seed=None, **kwargs",
    "BatchNormalization": "axis=-1, momentum=0.99, epsilon=0.001, center=True, scale=True, "
    "beta_initializer='zeros', gamma_initializer='ones', moving_mean_initializer='zeros', "
    "moving_variance_initializer='ones', beta_regularizer=None, gamma_regularizer=None, "
    "beta_constraint=None, gamma_constraint=None, renorm=False, renorm_clipping=None, "
    "renorm_momentum=0.99, synchronized=False, **kwargs",
    "Conv2DTranspose": "filters, kernel_size, strides=(1, 1), padding='valid', "
    f"output_padding=None, data_format=None, dilation_rate=(1, 1), activation=None, {KERNEL}",
    "Cropping2D": "cropping=((0, 0), (0, 0)), data_format=None, **kwargs",
    "DepthwiseConv2D": "kernel_size, strides=(1, 1), padding='valid', depth_multiplier=1, "
    "data_format=None, dilation_rate=(1, 1), activation=None, use_bias=True, "
    "depthwise_initializer='glorot_uniform', bias_initializer='zeros', "
    "depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, "
    "depthwise_constraint=None, bias_constraint=None, **kwargs",
    "ELU": "alpha=1.0, **kwargs",
    "GaussianDropout": "rate, seed=None, **kwargs",
    "GaussianNoise": "stddev, seed=None, **kwargs",
    "GlobalMaxPooling2D": "data_format=None, keepdims=False, **kwargs",
    "LayerNormalization": "axis=-1, epsilon=0.001, center=True, scale=True, "
    "beta_initializer='zeros', gamma_initializer='ones', beta_regularizer=None, "
    "gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs",
    "LeakyReLU": "negative_slope=0.3, **kwargs",
    "Normalization": "axis=-1, mean=None, variance=None, invert=False, **kwargs",
    "PReLU": "alpha_initializer='zeros', alpha_regularizer=None, alpha_constraint=None, "
    "shared_axes=None, **kwargs",
    "Permute": "dims, **kwargs",
    "Reshape": "target_shape, **kwargs",
    "SeparableConv2D": "filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, "
    "dilation_rate=(1, 1), depth_multiplier=1, activation=None, use_bias=True, "
    "depthwise_initializer='glorot_uniform', pointwise_initializer='glorot_uniform', "
    "bias_initializer='zeros', depthwise_regularizer=None, pointwise_regularizer=None, "
    "bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None, "
    "pointwise_constraint=None, bias_constraint=None, **kwargs",
    "SpatialDropout2D": "rate, data_format=None, seed=None, **kwargs",
    "UpSampling2D": "size=(2, 2), data_format=None, interpolation='nearest', **kwargs",
    "Activation": "activation, **kwargs",
    "AveragePooling2D": "pool_size, strides=None, padding='valid', data_format=None, **kwargs",
    "Conv2D": "filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, "
    f"dilation_rate=(1, 1), groups=1, activation=None, {WITH_LORA}",
    "Dense": f"units, activation=None, {WITH_LORA}",
    "Dropout": "rate, noise_shape=None, seed=None, **kwargs",
    "Flatten": "data_format=None, **kwargs",
    "GlobalAveragePooling2D": "data_format=None, keepdims=False, **kwargs",
    "Input": "shape=None, batch_size=None, dtype=None, batch_shape=None, name=None",
    "MaxPooling2D": "pool_size=(2, 2), strides=None, padding='valid', data_format=None, **kwargs",
    "RandomBrightness": "factor, value_range=(0, 255), seed=None, **kwargs",
    "RandomContrast": "factor, value_range=(0, 255), seed=None, **kwargs",
    "RandomErasing": "factor=1.0, scale=(0.02, 0.33), fill_value=None, value_range=(0, 255), "
    "seed=None, data_format=None, **kwargs",
    "RandomFlip": "mode='horizontal_and_vertical', seed=None, data_format=None, **kwargs",
    "RandomRotation": f"factor, {WARP}",
    "RandomTranslation": f"height_factor, width_factor, {WARP}",
    "RandomZoom": f"height_factor, width_factor=None, {WARP}",
    "ReLU": "max_value=None, negative_slope=0.0, threshold=0.0, **kwargs",
    "Rescaling": "scale, offset=0.0, **kwargs",
    "Softmax": "axis=-1, **kwargs",
    "ZeroPadding2D": "padding=(1, 1), data_format=None, **kwargs",
}
IMAGE = (None, 8, 9, 6)
# (class, arguments, shape of the input, what the configuration must say)
LAYERS = [
    ("Activation", {"activation": "softmax"}, (None, 5), {}),
    ("Activation", {"activation": None}, (None, 5), {"activation": "linear"}),
    ("AveragePooling2D", {"pool_size": (2, 3), "strides": 1, "padding": "SAME"}, IMAGE, {}),
    ("AveragePooling2D", {"pool_size": 3, "padding": ((1, 0), (2, 1))}, IMAGE, {"strides": (3, 3)}),
    ("Conv2D", {"filters": 4, "kernel_size": 3}, IMAGE, {"padding": "valid", "groups": 1}),
    (
        "Conv2D",
        {
            "filters": 9,
            "kernel_size": (3, 2),
            "padding": "same",
            "dilation_rate": 2,
            "groups": 3,
            "activation": "relu",
            "use_bias": False,
            "kernel_initializer": "he_normal",
        },
        IMAGE,
        {"dilation_rate": (2, 2)},
    ),
    ("Conv2D", {"filters": 2, "kernel_size": 3, "strides": (1, 2), "padding": 1}, IMAGE, {}),
    ("Dense", {"units": 7}, (None, 5), {"activation": "linear", "use_bias": True}),
    (
        "Dense",
        {
            "units": 7,
            "activation": "tanh",
            "bias_initializer": initializers.Constant(0.5),
            "kernel_initializer": initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=4),
        },
        (None, 3, 5),
        {},
    ),
    ("Dropout", {"rate": 0.25, "seed": 7}, (None, 5), {"rate": 0.25, "seed": 7}),
    ("Flatten", {}, IMAGE, {}),
    ("GlobalAveragePooling2D", {"keepdims": True}, IMAGE, {"keepdims": True}),
    ("InputLayer", {"shape": (32, None, 3), "batch_size": 4}, None, {}),
    ("MaxPooling2D", {}, IMAGE, {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}),
    ("MaxPooling2D", {"pool_size": (2, 3), "strides": 1, "padding": "same"}, IMAGE, {}),
    ("CenterCrop", {"height": 3, "width": 4}, IMAGE, {"height": 3}),
    ("Resizing", {"height": 3, "width": 4, "interpolation": "nearest"}, IMAGE, {"width": 4}),
    ("Cutout", {"size": 3, "seed": 1}, IMAGE, {"size": (3, 3)}),
    ("RandomBrightness", {"factor": 0.1, "seed": 1}, IMAGE, {"factor": (-0.1, 0.1)}),
    ("RandomContrast", {"factor": 0.1, "seed": 1}, IMAGE, {"factor": (0.1, 0.1)}),
    ("RandomCrop", {"height": 4, "width": 3, "per_image": True, "seed": 1}, IMAGE, {}),
    ("RandomErasing", {"factor": (0.5, 1), "fill_value": [1] * 6, "seed": 1}, IMAGE, {}),
    ("RandomFlip", {"mode": "vertical", "seed": 1}, IMAGE, {}),
    ("RandomRotation", {"factor": (0, 0.2), "seed": 1}, IMAGE, {"factor": (0, 0.2)}),
    ("RandomTranslation", {"height_factor": 0.1, "width_factor": 0.2, "seed": 1}, IMAGE, {}),
    ("RandomZoom", {"height_factor": (-0.1, 0.2), "seed": 1}, IMAGE, {"width_factor": None}),
    ("ReLU", {"max_value": 6, "negative_slope": 0.1, "threshold": 1}, (None, 5), {}),
    ("Rescaling", {"scale": 1 / 255, "offset": -1}, IMAGE, {"offset": -1.0}),
    ("Rescaling", {"scale": [1, 2, 3, 4, 5, 6]}, IMAGE, {}),
    ("Softmax", {"axis": 1}, (None, 3, 5), {"axis": 1}),
    ("ZeroPadding2D", {"padding": (1, 2)}, IMAGE, {"padding": ((1, 1), (2, 2))}),
]


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature_is_that_of_keras(name):
    signature = inspect.signature(getattr(layers, name))
    shown = [re.sub(r": .*?(?= = |$)", "", str(p)) for p in signature.parameters.values()]
    assert ", ".join(shown).replace(" = ", "=") == SIGNATURES[name]


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("Convolution2D", "Conv2D"),
        ("MaxPool2D", "MaxPooling2D"),
        ("AvgPool2D", "AveragePooling2D"),
        ("GlobalAvgPool2D", "GlobalAveragePooling2D"),
        ("GlobalMaxPool2D", "GlobalMaxPooling2D"),
        ("Convolution2DTranspose", "Conv2DTranspose"),
        ("SeparableConvolution2D", "SeparableConv2D"),
    ],
)
def test_other_names(alias, name):
    assert getattr(layers, alias) is getattr(layers, name)


@pytest.mark.parametrize(
    ("name", "arguments", "shape", "config"), LAYERS, ids=lambda v: str(v)[:30]
)
def test_configuration_round_trip(name, arguments, shape, config):
    layer = getattr(layers, name)(**arguments, name="x")
    assert config.items() <= layer.get_config().items()
    assert set(arguments) <= {*layer.get_config(), "shape", "batch_size"}
    stored = json.loads(json.dumps(layers.serialize(layer)))
    again = layers.deserialize(stored)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    if shape is None:
        assert again.output_shape == layer.output_shape
        return
    assert again.compute_output_shape(shape) == layer.compute_output_shape(shape)
    layer.build(shape)
    again.build(shape)
    again.set_weights(layer.get_weights())
    x = np.random.default_rng(0).standard_normal((2, *shape[1:]))
    assert np.array_equal(layer(x, training=True), again(x, training=True))
    assert layer(x).shape == (2, *layer.compute_output_shape(shape)[1:])
    assert layer.output_shape == layer.compute_output_shape(shape)


@pytest.mark.parametrize(
    "name", [n for n in layers.__all__ if isinstance(getattr(layers, n), type)]
)
def test_names_are_counted_as_in_keras(name):
    made = getattr(layers, name)
    words = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", made.__name__))
    lines = ("Conv1D", "Conv1DTranspose", "SeparableConv1D")
    required = {name: [2, 2] for name in (*lines, "Conv3D", "Conv3DTranspose")}
    required.update({name: [2] for name in ("AveragePooling1D", "AveragePooling3D")})
    required["DepthwiseConv1D"] = [2]
    colours = ("ColorDegeneration", "Hue", "Saturation", "Sharpness")
    required.update({f"Random{kind}": [0.1] for kind in colours} | {"RandomPosterization": [1]})
    for rank in (1, 2, 3):
        required.update({f"Adaptive{k}Pooling{rank}D": [2] for k in ("Average", "Max")})
    required |= {"Activation": ["relu"], "AveragePooling2D": [2], "Conv2D": [1, 1], "Dense": [1]}
    required.update({"Cutout": [2], "RandomCrop": [2, 2], "RandomTranslation": [0.1, 0.1]})
    required.update({f"Random{kind}": [0.1] for kind in ("Brightness", "Contrast", "Rotation")})
    required.update(
        {
            "SpectralNormalization": [layers.Dense(1)],
            "Dot": [1],
            "RandomZoom": [0.1],
            "CenterCrop": [2, 2],
            "Resizing": [2, 2],
        }
    )
    required.update({"MaxNumBoundingBoxes": [2], "Pipeline": [[]]})
    inner = layers.Dense(1)
    required.update({"Residual": [[inner]], "Branches": [[[inner], []]], "Graph": [[(inner, [0])]]})
    required.update({name: [2] for name in ("DepthwiseConv2D", "RepeatVector", "Reshape")})
    required.update({name: [2, 2] for name in ("Conv2DTranspose", "SeparableConv2D")})
    required.update({name: [0.5] for name in ("AlphaDropout", "GaussianDropout", "GaussianNoise")})
    required.update({"Permute": [(2, 1)], **{f"SpatialDropout{r}D": [0.5] for r in (1, 2, 3)}})
    required.update({"Dropout": [0.5], "InputLayer": [(2,)], "Rescaling": [1]})
    first, second = (made(*required.get(made.__name__, [])).name for _ in range(2))
    base, _, number = first.rpartition("_")
    assert re.fullmatch(f"{words.lower()}(_[0-9]+)?", first)
    expected = f"{base}_{int(number) + 1}" if first != words.lower() else f"{first}_1"
    assert second == expected


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"name": 3}, TypeError, "Flatten: name must be a string, got a int"),
        ({"name": ""}, ValueError, "Flatten: name must be"),
        ({"name": "a/b"}, ValueError, "without '/', got 'a/b'"),
        (
            {"dtype": "float16"},
            ValueError,
            "Flatten: dtype must be None or 'float32', got 'float16'",
        ),
        (
            {"dtype": "no type"},
            ValueError,
            "Flatten: dtype must be None or 'float32', got 'no type'",
        ),
        ({"input_shape": 3}, TypeError, r"Flatten: input_shape must be a tuple such as .*, got 3"),
        (
            {"input_shape": (3, -1)},
            ValueError,
            r"Flatten: input_shape\[1\] must be a positive integer, got -1",
        ),
        ({"input_shape": (0.5,)}, TypeError, r"Flatten: input_shape\[0\] must be an integer"),
        ({"input_dim": 0}, ValueError, "Flatten: input_dim"),
        (
            {"wrong": 1},
            ValueError,
            "Unrecognized keyword arguments passed to Flatten: {'wrong': 1}",
        ),
        ({"data_form": None}, ValueError, "did you mean 'data_format' in place of 'data_form'"),
        ({"data_format": "relu"}, ValueError, "an activation is given by name"),
    ],
)
def test_wrong_arguments_of_any_layer(arguments, error, text):
    with pytest.raises(error, match=text):
        layers.Flatten(**arguments)


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        ("text", TypeError, "Dense 'd': x must be an array of real numbers"),
        (np.ones((2, 3), complex), TypeError, "got a complex128 array"),
        ([[1], [2, 3]], ValueError, "Dense 'd': x must be an array of numbers"),
        (3.0, ValueError, "Dense 'd': x must have a batch axis"),
        ([1.0, 2.0], ValueError, r"Dense 'd': input must be \(N, ..., IN\)"),
        (np.ones((2, 4)), ValueError, "Dense 'd': it was built for a last axis of 3"),
        (layers.Flatten(name="f"), TypeError, "chained in a Sequential"),
    ],
)
def test_wrong_inputs(x, error, text):
    layer = layers.Dense(2, name="d")
    layer.build((None, 3))
    with pytest.raises(error, match=text):
        layer(x)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float64", "bool", "float16"])
def test_any_numbers_are_taken(dtype):
    x = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    y = layers.Dense(2, kernel_initializer="ones")(x)
    assert y.dtype == np.float32
    assert y.tolist() == [[2, 2], [2, 2]]


def test_a_layer_of_the_users_own():
    class Double(layers.Layer):
        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, training):
            return 2 * x

        def backward(self, dy, need_dx):
            return 2 * dy if need_dx else None

    layer = Double(name="twice")
    assert layer(np.ones((1, 2))).tolist() == [[2, 2]]
    config = layers.serialize(layer)
    assert isinstance(layers.deserialize(config, {"Double": Double}), Double)
    with pytest.raises(ValueError, match="layers.deserialize: unknown layer 'Double'"):
        layers.deserialize(config)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (3, "a layer's config must be"),
        ({"class_name": "Dense"}, "the config does not fit"),
        ({"class_name": "Dense", "config": {"units": 2, "colour": 1}}, "Unrecognized keyword"),
        ({"class_name": "Dens", "config": {}}, "did you mean 'dense'"),
        ({"class_name": "os.system", "config": {"command": "id"}}, "unknown layer 'os.system'"),
    ],
)
def test_wrong_configurations(config, text):
    with pytest.raises(ValueError, match=text):
        layers.deserialize(config)


@pytest.mark.parametrize("name", ["kernel_regularizer", "bias_constraint", "activity_regularizer"])
@pytest.mark.parametrize(
    "made", [lambda **k: layers.Conv2D(1, 1, **k), lambda **k: layers.Dense(1, **k)]
)
def test_unknown_penalties_say_so(made, name):
    with pytest.raises(ValueError, match=f"unknown {name} 'colour'; .*known are"):
        made(**{name: "colour"})


def test_representation():
    assert repr(pyconv.layers.Flatten(name="f")) == "<Flatten name=f, built=False>"
