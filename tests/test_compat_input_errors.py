"""What models of the functional API say of inputs and outputs that are not theirs."""

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers


def several(form):
    """Return a model whose two inputs are in a list or a dict, by these names."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    total = layers.Dense(2)(layers.Add()([a, b]))
    return keras.Model([a, b] if form is None else dict(zip(form, (a, b), strict=True)), total)


def rows(*shape):
    return np.zeros(shape, np.float32)


def test_one_input():
    start = keras.Input((4,), name="foo")
    model = keras.Model(start, layers.Dense(2)(start))
    with pytest.raises(ValueError, match=r"expected shape=\(None, 4\), found shape=\(2, 3\)"):
        model(rows(2, 3))
    with pytest.raises(ValueError, match=r"name 'foo' and path ''. Expected shape \(None, 4\)"):
        model(rows(2, 3, 4))
    with pytest.raises(ValueError, match=r"expects 1 input\(s\), but it received 2"):
        model([rows(2, 4), rows(2, 4)])
    assert model([rows(2, 4)]).shape == (2, 2)


def test_a_last_axis_of_one_may_be_left_out_or_more():
    start = keras.Input((5, 5, 1))
    model = keras.Model(start, layers.Flatten()(layers.Conv2D(2, 3)(start)))
    x = np.random.default_rng(0).random((3, 5, 5, 1), np.float32)
    for same in (x[..., 0], x[..., None]):
        np.testing.assert_array_equal(model(same), model(x))
    grey = keras.Input((5, 5))
    np.testing.assert_array_equal(keras.Model(grey, model(grey))(x[..., 0]), model(x))
    with pytest.raises(ValueError, match=r"Expected shape \(None, 5, 5, 1\)"):
        model(rows(3, 5))
    with pytest.raises(ValueError, match=r"Expected shape \(None, 5, 5, 1\)"):
        model(rows(3, 5, 5, 1, 2))


@pytest.mark.parametrize(
    ("form", "words"),
    [(None, r"expects 2 input\(s\)"), ("ab", r"expects 2 named input\(s\) with keys \['a', 'b'\]")],
)
def test_two_inputs(form, words):
    model = several(form)
    with pytest.raises(ValueError, match=words):
        model(rows(2, 4))
    given = {"a": rows(2, 3), "b": rows(2, 4)}
    with pytest.raises(ValueError, match=r"'a' .*expected shape=\(None, 4\), found shape=\(2, 3\)"):
        model(given if form else list(given.values()))


def test_a_list_for_a_dict_of_another_order():
    # By the names in order the two would change places.
    with pytest.raises(ValueError, match=r"structure of `inputs` doesn't match .* \['b', 'a'\]"):
        several("ba")([rows(2, 4), rows(2, 4)])
    with pytest.warns(UserWarning, match="structure of `inputs` doesn't match"):
        several("ab")([rows(2, 4), rows(2, 4)])


def test_outputs_that_are_not_made_of_the_inputs():
    a, b = keras.Input((4,)), keras.Input((4,))
    outputs = {"first": layers.Dense(1)(a), "second": [layers.Dense(2)(b)]}
    with pytest.raises(ValueError, match=r"Output with path `second.0` is not connected"):
        keras.Model(a, outputs)


def test_clones_of_another_structure():
    model = several("ab")
    c, d = keras.Input((4,)), keras.Input((4,))
    assert set(keras.models.clone_model(model, {"a": c, "b": d}).input) == {"a", "b"}
    with pytest.raises(
        ValueError, match=r"same structure as model.input.* \['a', 'b'\], got .*'0'"
    ):
        keras.models.clone_model(model, (c, d))


def test_what_is_no_layer():
    for error in (TypeError, ValueError):  # that of Keras 2 and that of Keras 3
        with pytest.raises(error, match="Only instances of Layer can be added"):
            keras.Sequential().add({})
