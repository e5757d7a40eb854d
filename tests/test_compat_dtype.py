"""Keras's dtype policies: names, types, descriptions, and layers that have one."""

import copy
import pickle

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat import _types_of_arrays
from pyconv.compat.keras import dtype_policies, layers, mixed_precision
from pyconv.formats import keras_config_writer

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def float32():
    yield
    mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize(
    ("name", "kind", "compute", "variable", "mode"),
    [
        ("float32", "DTypePolicy", "float32", "float32", None),
        ("mixed_float16", "DTypePolicy", "float16", "float32", None),
        ("mixed_bfloat16", "DTypePolicy", "bfloat16", "float32", None),
        ("bfloat16", "DTypePolicy", "bfloat16", "bfloat16", None),
        ("uint8", "DTypePolicy", "uint8", "uint8", None),
        ("int8_from_mixed_bfloat16", "QuantizedDTypePolicy", "bfloat16", "float32", "int8"),
        ("float8_from_float32", "QuantizedFloat8DTypePolicy", "float32", "float32", "float8"),
        ("int4/64_from_float32", "Int4DTypePolicy", "float32", "float32", "int4"),
        ("gptq/4/-1_from_float32", "GPTQDTypePolicy", "float32", "float32", "gptq"),
        ("awq/4/128_from_float32", "AWQDTypePolicy", "float32", "float32", "awq"),
    ],
)
def test_names(name, kind, compute, variable, mode):
    policy = dtype_policies.get(name)
    assert (type(policy).__name__, policy.name) == (kind, name)
    assert (policy.compute_dtype, policy.variable_dtype) == (compute, variable)
    assert policy.quantization_mode == mode
    assert repr(policy) == f'<{kind} "{name}">'
    described = dtype_policies.serialize(policy)
    assert described["module"] == ("keras" if mode is None else "keras.dtype_policies")
    for again in (
        dtype_policies.get(described),
        keras.saving.deserialize_keras_object(described),
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(policy)),
        copy.deepcopy(policy),
        pickle.loads(pickle.dumps(policy)),
    ):
        assert again == policy
        assert again.get_config() == policy.get_config()
    assert policy != "float32"
    assert len({policy, dtype_policies.get(name)}) == 1


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ("mixed_float15", ValueError, "Cannot convert"),
        ("int8_from_", ValueError, "Cannot convert"),
        ("int8_abc", ValueError, "valid pair"),
        ("int8_from_float16", ValueError, "doesn't work well"),
        ("gptq/5/2_from_float32", ValueError, "Invalid weight_bits"),
        ("gptq/4_from_float32", ValueError, "Expected format"),
        ("gptq/a/2_from_float32", ValueError, "must be integers"),
        ("awq/8/2_from_float32", ValueError, "only supports 4-bit"),
        ("int4/0_from_float32", ValueError, "Invalid block_size"),
        (12, ValueError, "Cannot interpret `dtype`"),
        ({"class_name": "Policies"}, ValueError, "class_name must be one of"),
    ],
)
def test_wrong_names(wrong, error, text):
    with pytest.raises(error, match=text):
        dtype_policies.get(wrong)
    with pytest.raises(ValueError, match=r"."):
        layers.Dense(2, dtype=wrong)


def test_the_chosen_policy():
    assert keras.config.dtype_policy() == keras.DTypePolicy("float32")
    keras.config.set_dtype_policy("mixed_float16")
    assert mixed_precision.global_policy().name == "mixed_float16"
    assert layers.Dense(2).dtype_policy.name == "mixed_float16"
    assert layers.Dense(2, dtype="float32").compute_dtype == "float32"
    with pytest.raises(ValueError, match="Invalid `policy` argument"):
        mixed_precision.set_global_policy(None)
    # A network is trained in float32 all the same.
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu"), layers.Dense(1)])
    model.compile(mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.1)), "mse")
    history = model.fit(X, X[:, :1], epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert model.get_weights()[0].dtype == np.float32


def test_policies_by_path():
    policies = dtype_policies.DTypePolicyMap("float32")
    policies["block/dense"] = "bfloat16"
    policies["encoder/.*"] = keras.DTypePolicy("mixed_float16")
    assert policies["block/dense"].name == "bfloat16"
    assert policies["encoder/a"].name == "mixed_float16"
    assert policies["block"] is policies.default_policy
    assert (policies.name, policies.compute_dtype) == ("map_float32", "float32")
    assert list(policies) == ["block/dense", "encoder/.*"]
    again = dtype_policies.get(dtype_policies.serialize(policies))
    assert again == policies
    policies["encoder/a.*"] = "float16"
    with pytest.raises(ValueError, match="matches multiple"):
        policies["encoder/a"]
    with pytest.raises(ValueError, match="already exist"):
        policies["encoder/.*"] = "float32"
    with pytest.raises(ValueError, match="Cannot interpret"):
        policies["x"] = 3
    with pytest.raises(KeyError):
        policies.pop("nothing")
    # Without a default it takes the policy of the time of loading.
    late = dtype_policies.DTypePolicyMap(policy_map={"a": keras.DTypePolicy("float16")})
    config = late.get_config()
    keras.config.set_dtype_policy("bfloat16")
    assert dtype_policies.DTypePolicyMap.from_config(config)["a"].name == "bfloat16"


@pytest.mark.parametrize("name", ["float16", "mixed_float16", "bfloat16", "float64"])
def test_a_layer_s_results_are_rounded(name):
    layer = layers.Dense(5, dtype=name)
    y = layer(X)
    policy = keras.DTypePolicy(name)
    assert y.dtype.name == policy.compute_dtype
    assert layer.dtype == layer.variable_dtype == policy.variable_dtype
    x = X if name == "float64" else _types_of_arrays.as_type(X, policy.compute_dtype)
    wanted = np.asarray(x, np.float64) @ np.asarray(layer.kernel, np.float64)
    tolerance = {"float16": 1e-3, "bfloat16": 8e-3}.get(policy.compute_dtype, 1e-6)
    np.testing.assert_allclose(np.asarray(y, np.float64), wanted, rtol=tolerance, atol=tolerance)
    assert layers.Dense.from_config(layer.get_config()).dtype_policy == policy
    layer.dtype_policy = "float32"
    assert layer(X).dtype == np.float32
    large = layers.GroupNormalization(groups=2, dtype=name)(np.full((2, 4, 8), 70000.0))
    assert not np.isnan(np.asarray(large, np.float32)).any()
    # What holds no fractions is not rounded first.
    assert layers.Flatten(dtype=name)(np.array([[2049]])).tolist() == [[2049 - (name[-2:] == "16")]]


def test_bfloat16_without_its_package(monkeypatch):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.concatenate([X.ravel(), [0.0, np.inf, -np.inf, np.nan, 1e-40, 3.4e38]]).astype("f4")
    wanted = x.astype(ml_dtypes.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(_types_of_arrays.rounded_to_bfloat16(x), wanted)
    monkeypatch.setattr(_types_of_arrays, "_bfloat16", lambda: None)
    assert layers.ReLU(dtype="bfloat16")(X).dtype == np.float32


def test_files_name_the_policy(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, dtype="mixed_float16")])
    config = keras.saving.serialize_keras_object(model.layers[0])["config"]
    assert config["dtype"]["config"] == {"name": "mixed_float16"}
    plain = keras_config_writer.layer_config(model.layers[0], False)
    assert plain["config"]["dtype"] == "float32"  # whose weights they are
    for path in (tmp_path / "m.h5", tmp_path / "m.keras"):
        model.save(path)
        again = keras.models.load_model(path)
        np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
