"""Initializers: limits, distributions, names and seeds, by the formulas of Keras."""

import json
import math

import numpy as np
import pytest

import pyconv
from pyconv import initializers

FILTER = (3, 3, 16, 32)
DENSE = (400, 600)
FANS = {FILTER: (144, 288), DENSE: (400, 600)}
# Variance times n, and what n is.
SCALING = {
    "GlorotUniform": (1, "avg"),
    "GlorotNormal": (1, "avg"),
    "HeUniform": (2, "in"),
    "HeNormal": (2, "in"),
    "LecunUniform": (1, "in"),
    "LecunNormal": (1, "in"),
}


def fan(shape, mode):
    fans = FANS[shape]
    return {"in": fans[0], "out": fans[1], "avg": sum(fans) / 2}[mode]


def cumulative(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def truncated_cumulative(x):
    """Distribution function of a standard normal cut off at -2 and 2."""
    return (cumulative(x) - cumulative(-2)) / (cumulative(2) - cumulative(-2))


def distance(values, distribution):
    """Kolmogorov's distance; above 1.95 / sqrt(n) once in a thousand."""
    ordered = np.sort(values, axis=None).astype(np.float64)
    exact = np.array([distribution(x) for x in ordered[:: max(1, ordered.size // 4000)]])
    steps = np.arange(ordered.size)[:: max(1, ordered.size // 4000)] / ordered.size
    return np.abs(exact - steps).max()


@pytest.mark.parametrize("shape", FANS, ids=str)
@pytest.mark.parametrize("name", SCALING)
def test_scaling(name, shape):
    scale, mode = SCALING[name]
    variance = scale / fan(shape, mode)
    values = getattr(initializers, name)(seed=1)(shape)
    assert values.dtype == np.float32
    assert values.shape == shape
    close = 1.95 / math.sqrt(values.size)
    if name.endswith("Uniform"):
        limit = math.sqrt(3 * variance)
        assert 0.99 * limit < np.abs(values).max() <= np.float32(limit)
        assert distance(values, lambda x: (x + limit) / (2 * limit)) < close
        return
    # The deviation of the normal before the cut; sqrt(variance) after it.
    stddev = math.sqrt(variance) / 0.87962566103423978
    assert 1.9 * stddev < np.abs(values).max() <= np.float32(2 * stddev) * (1 + 1e-6)
    assert values.std() == pytest.approx(math.sqrt(variance), rel=0.02)
    assert distance(values / stddev, truncated_cumulative) < close


@pytest.mark.parametrize("mode", ["in", "out", "avg"])
def test_variance_scaling(mode):
    variance = 3 / fan(DENSE, mode)
    made = initializers.VarianceScaling(3.0, f"fan_{mode}", "untruncated_normal", seed=2)
    values = made(DENSE) / math.sqrt(variance)
    assert distance(values, cumulative) < 1.95 / math.sqrt(values.size)
    assert np.abs(values).max() > 3
    alias = initializers.VarianceScaling(3.0, f"fan_{mode}", "normal", seed=2)
    full = initializers.VarianceScaling(3.0, f"fan_{mode}", "truncated_normal", seed=2)
    assert np.array_equal(alias(DENSE), full(DENSE))


def test_the_limits_of_the_course():
    conv, dense = (initializers.GlorotUniform(seed=0)(s) for s in ((2, 2, 3, 16), (1024, 500)))
    assert np.abs(conv).max() == pytest.approx(0.2810, abs=0.005)
    assert np.abs(dense).max() == pytest.approx(0.0627, abs=0.0001)


def test_fixed_distributions():
    size = (200_000,)
    close = 1.95 / math.sqrt(size[0])
    uniform = initializers.RandomUniform(seed=3)(size)
    assert distance(uniform, lambda x: (x + 0.05) / 0.1) < close
    assert uniform.min() >= -0.05
    assert uniform.max() <= np.float32(0.05)
    uniform = initializers.RandomUniform(2, 6, seed=3)(size)
    assert distance(uniform, lambda x: (x - 2) / 4) < close
    normal = initializers.RandomNormal(1.0, 2.0, seed=4)(size)
    assert distance((normal - 1) / 2, cumulative) < close
    assert np.abs(normal - 1).max() > 6
    truncated = initializers.TruncatedNormal(1.0, 2.0, seed=5)(size)
    assert distance((truncated - 1) / 2, truncated_cumulative) < close
    assert 3.9 < np.abs(truncated - 1).max() <= 4
    defaults = [initializers.RandomNormal(seed=6)(size), initializers.TruncatedNormal(seed=6)(size)]
    assert defaults[0].std() == pytest.approx(0.05, rel=0.02)
    assert np.abs(defaults[1]).max() <= np.float32(0.1)


def test_constants():
    assert initializers.Zeros()((2, 3)).tolist() == [[0] * 3] * 2
    assert initializers.Ones()((3,)).tolist() == [1] * 3
    assert initializers.Constant(-2.5)((2,)).tolist() == [-2.5] * 2
    assert initializers.Constant()((1,)).tolist() == [0]


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (3, 3, 2, 7)], ids=str)
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_orthogonal(shape, gain):
    values = initializers.Orthogonal(gain, seed=7)(shape)
    assert values.shape == shape
    matrix = values.reshape(-1, shape[-1]).astype(float)
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-5)


def test_seeds():
    for name in (*SCALING, "RandomUniform", "RandomNormal", "TruncatedNormal", "Orthogonal"):
        made = getattr(initializers, name)
        assert np.array_equal(made(seed=1)((4, 5)), made(seed=1)((4, 5)))
        assert not np.array_equal(made(seed=1)((4, 5)), made(seed=2)((4, 5)))
        again = made(seed=1)
        assert np.array_equal(again((4, 5)), again((4, 5)))
        free = made()
        pyconv.utils.set_random_seed(8)
        first, second = free((4, 5)), free((4, 5))
        assert not np.array_equal(first, second)
        pyconv.utils.set_random_seed(8)
        assert np.array_equal(first, free((4, 5)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("glorot_uniform", "GlorotUniform"),
        ("GlorotNormal", "GlorotNormal"),
        ("he_uniform", "HeUniform"),
        ("he_normal", "HeNormal"),
        ("lecun_uniform", "LecunUniform"),
        ("lecun_normal", "LecunNormal"),
        ("zeros", "Zeros"),
        ("zero", "Zeros"),
        ("ones", "Ones"),
        ("one", "Ones"),
        ("constant", "Constant"),
        ("uniform", "RandomUniform"),
        ("random_uniform", "RandomUniform"),
        ("normal", "RandomNormal"),
        ("RandomNormal", "RandomNormal"),
        ("truncated_normal", "TruncatedNormal"),
        ("variance_scaling", "VarianceScaling"),
        ("orthogonal", "Orthogonal"),
    ],
)
def test_names(name, expected):
    made = initializers.get(name)
    assert type(made) is getattr(initializers, expected)
    again = initializers.get(initializers.serialize(made))
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()
    assert initializers.get(made) is made
    assert type(initializers.get(type(made))) is type(made)


def test_configurations():
    made = initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=3)
    expected = {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", "seed": 3}
    assert made.get_config() == expected
    again = initializers.get({"class_name": "VarianceScaling", "config": expected})
    assert np.array_equal(again((4, 4)), made((4, 4)))
    assert repr(initializers.HeNormal(3)) == "HeNormal(seed=3)"


def test_fans():
    from pyconv.initializers.scaling import compute_fans

    assert compute_fans(()) == (1, 1)
    assert compute_fans((5,)) == (5, 5)
    assert compute_fans((5, 7)) == (5, 7)
    assert compute_fans((2, 3, 5, 7)) == (30, 42)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: initializers.get("glorot"), ValueError, "initializers.get: unknown identifier"),
        (lambda: initializers.get(3), TypeError, "identifier must be a name, such as"),
        (lambda: initializers.get({"class_name": 1}), ValueError, "config must be"),
        (lambda: initializers.HeNormal(-1), ValueError, "HeNormal: seed must be from 0"),
        (lambda: initializers.HeNormal(0.5), TypeError, "HeNormal: seed must be an integer"),
        (lambda: initializers.Constant("1"), TypeError, "Constant: value must be a number"),
        (lambda: initializers.Constant(math.nan), ValueError, "Constant: value must be finite"),
        (lambda: initializers.RandomNormal(0, -1), ValueError, "RandomNormal: stddev must be at"),
        (lambda: initializers.VarianceScaling(0), ValueError, "VarianceScaling: scale must be pos"),
        (
            lambda: initializers.VarianceScaling(-1),
            ValueError,
            "VarianceScaling: scale must be positive",
        ),
        (lambda: initializers.VarianceScaling(1, "in"), ValueError, "mode must be one of fan_in"),
        (
            lambda: initializers.VarianceScaling(1, "fan_in", "cauchy"),
            ValueError,
            "distribution must be one of truncated_normal",
        ),
        (lambda: initializers.Orthogonal()((3,)), ValueError, "Orthogonal: shape must have at le"),
        (lambda: initializers.Zeros()(3), TypeError, "Zeros: shape must be a tuple"),
        (lambda: initializers.Zeros()((2, -1)), ValueError, r"Zeros: shape\[1\] must be from 0"),
        (lambda: initializers.Ones()((2,), "int32"), ValueError, "Ones: dtype must be None or"),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_identity():
    assert initializers.get("identity")((2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match="only be used for 2D matrices"):
        initializers.Identity()((2,))


def test_functions_other_names_and_clones():
    layer = pyconv.layers.Dense(2, kernel_initializer=lambda shape, dtype: np.full(shape, 3, dtype))
    assert (layer([[1.0]]) == 3).all()
    assert (initializers.get(np.ones)((2,)) == 1).all()
    with pytest.raises(ValueError, match="a function is no plain data"):
        layer.get_config()
    assert initializers.he_normal is initializers.HeNormal
    assert isinstance(initializers.get("OrthogonalInitializer"), initializers.Orthogonal)
    known = initializers.RandomNormal(stddev=2.0, seed=1)
    assert np.array_equal(known.clone()((3,)), known((3,)))
    assert initializers.deserialize("ones")((1,)) == 1
    config = initializers.serialize(known)
    assert initializers.deserialize(config).get_config() == known.get_config()


def test_variance_scaling_by_axes():
    """Keras's fans of a weight (512, 8, 64) whose first axis is the input."""
    w = initializers.VarianceScaling(
        1.0, "fan_in", "untruncated_normal", seed=1, input_axes=[0], output_axes=[1, 2]
    )((512, 8, 64))
    assert abs(w.std() * 512**0.5 - 1) < 0.01
    made = initializers.VarianceScaling(input_axes=[0], output_axes=[1, 2])
    again = initializers.VarianceScaling.from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert "input_axes" not in initializers.VarianceScaling().get_config()


def test_values_that_are_given():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    given = initializers.get(values)
    np.testing.assert_array_equal(given((2, 3)), values)
    with pytest.raises(ValueError, match=r"Expected `shape` to be \(2, 3\)"):
        given((3, 2))
    layer = pyconv.layers.Dense(3, kernel_initializer=values)
    layer.build((None, 2))
    np.testing.assert_array_equal(layer.kernel, values)
    rows = initializers.Constant(values[0])
    np.testing.assert_array_equal(rows((2, 3)), [values[0]] * 2)
    again = initializers.deserialize(json.loads(json.dumps(initializers.serialize(rows))))
    np.testing.assert_array_equal(again((3,)), values[0])


def test_seeds_that_give_others_at_each_call():
    import pyconv.compat.keras as keras

    seed = keras.random.SeedGenerator(3)
    initializer = initializers.RandomNormal(seed=seed)
    assert not np.array_equal(initializer((3,)), initializer((3,)))
    config = initializer.get_config()["seed"]
    assert (config["module"], config["class_name"]) == ("keras.random", "SeedGenerator")
    again = initializers.RandomNormal.from_config(initializer.get_config())
    assert again.get_config() == initializer.get_config()
    assert keras.initializers.get(None) is None
    assert keras.initializers.compute_fans((3, 3, 2, 5)) == (18, 45)
    with pytest.raises(ValueError, match="expected a non-negative float"):
        keras.regularizers.validate_float_arg(float("nan"), "l1")
