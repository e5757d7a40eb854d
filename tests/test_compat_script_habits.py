"""What public scripts do beside the plain path."""

import os

import numpy as np
import pytest

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf

layers = keras.layers
rng = np.random.default_rng(0)
A, B = rng.random((20, 6)).astype(np.float32), np.eye(3, dtype=np.float32)[np.arange(20) % 3]


def test_models_of_several_inputs_that_add_their_loss_need_no_targets():
    first, second = keras.Input((6,)), keras.Input((3,))
    output = layers.Dense(6)(layers.concatenate([first, second]))
    model = keras.Model([first, second], output)
    model.add_loss(keras.backend.mean(keras.backend.square(output - first)))
    model.compile("rmsprop")
    history = model.fit([A, B], epochs=2, validation_data=([A, B], None), verbose=0).history
    wanted = np.mean((model.predict([A, B], verbose=0) - A) ** 2)
    assert history["val_loss"][-1] == pytest.approx(wanted, rel=1e-5)
    assert model.evaluate([A, B], verbose=0) == pytest.approx(wanted, rel=1e-5)


def test_a_flag_of_a_checkpoint_may_be_text(tmp_path):
    with pytest.warns(UserWarning, match="save_best_only='False' is True"):
        callback = keras.callbacks.ModelCheckpoint(tmp_path / "m.keras", save_best_only="False")
    assert callback.save_best_only is True


def test_a_folder_that_is_not_there_has_no_checkpoint(tmp_path):
    assert tf.train.latest_checkpoint(tmp_path / "none") is None
    assert tf.train.latest_checkpoint(tmp_path) is None


def test_saved_models_are_folders(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
    folder = os.path.join(tmp_path, "a", "export")
    tf.saved_model.save(model, folder)
    again = tf.saved_model.load(folder)
    np.testing.assert_array_equal(again.predict(A, verbose=0), model.predict(A, verbose=0))
    with pytest.raises(ImportError, match=r"obj must be a Keras model, got a EagerArray"):
        tf.saved_model.save(tf.constant(1.0), folder)


def test_names_are_changed_by_their_private_attribute():
    members = [keras.Sequential([layers.Dense(2, input_dim=6)], name="same") for _ in range(2)]
    for number, member in enumerate(members):
        member._name = f"member_{number}"
    members[0].layers[0]._name = "first"
    x = keras.Input((6,))
    model = keras.Model(x, layers.average([member(x) for member in members]))
    assert [member.name for member in members] == ["member_0", "member_1"]
    assert model.get_layer("member_0").get_layer("first")._name == "first"
    wanted = (members[0].predict(A, verbose=0) + members[1].predict(A, verbose=0)) / 2
    np.testing.assert_allclose(model.predict(A, verbose=0), wanted, rtol=1e-6)


def test_counts_of_steps_may_be_numbers_of_tensorflow():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    batches = ((A[:4], B[:4]) for _ in iter(int, 1))
    steps = tf.math.floor(20 / 8)
    epochs = tf.cast(tf.math.floor(7 / steps), dtype=tf.int64)
    history = model.fit(
        batches, epochs=epochs, steps_per_epoch=steps, validation_data=(A, B),
        validation_steps=tf.constant(1), verbose=0,
    )  # fmt: skip
    assert len(history.history["loss"]) == 3
    assert history.params["steps"] == 2


def test_input_is_found_among_the_models():
    from pyconv.compat.keras.models import Input

    assert Input is keras.Input


def test_patience_may_be_a_fraction():
    for patience, wanted in [(0.0, 0), (2.0, 2), (2.5, 3)]:
        assert keras.callbacks.EarlyStopping(patience=patience).patience == wanted
        assert keras.callbacks.ReduceLROnPlateau(patience=patience).patience == wanted
    with pytest.raises(ValueError, match="patience must be an integer, got 'a'"):
        keras.callbacks.EarlyStopping(patience="a")


def test_accuracy_of_an_output_has_both_names():
    inputs = keras.Input((6,))
    heads = [layers.Dense(3, activation="softmax", name=name)(inputs) for name in ("a", "b")]
    model = keras.Model(inputs, heads)
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(A, [B, B], validation_data=(A, [B, B]), verbose=0).history
    for name in ("a_", "b_", "val_a_", "val_b_"):
        assert history[f"{name}acc"] == history[f"{name}accuracy"]
    assert "c_acc" not in history
    with pytest.raises(KeyError, match="c_acc"):
        history["c_acc"]


def test_all_layers_come_with_the_backend():
    found = {}
    exec("from pyconv.compat.keras.layers import *", found)
    assert found["K"] is keras.backend
    assert found["Dense"] is layers.Dense


def test_a_loss_may_sum_over_the_batch_and_keep_an_axis():
    def total(y_true, y_pred):
        return 0.5 * keras.backend.sum(y_true * y_pred, axis=0)

    model = keras.Sequential([keras.Input((6,)), layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.125), total)
    before = model.get_weights()[0]
    y = np.arange(20, dtype=np.float32)[:, None]
    loss = model.train_on_batch(A, y)
    assert float(loss) == pytest.approx(0.5 * np.sum(y * (A @ before)), rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], before - 0.0625 * A.T @ y, rtol=1e-4)
