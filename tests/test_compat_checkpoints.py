"""``tf.train.Checkpoint`` and its manager."""

import contextlib
import os

import numpy as np
import pytest

import pyconv.compat.tensorflow as tf

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def made():
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
    optimizer = tf.keras.optimizers.Adam(0.1)
    return model, optimizer, tf.Variable(0)


def step(model, optimizer):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(X, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


def test_training_goes_on_where_a_checkpoint_was_written(tmp_path):
    model, optimizer, count = made()
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, count=count)
    step(model, optimizer)
    count.assign_add(1)
    prefix = str(tmp_path / "new" / "ckpt")
    assert checkpoint.save(file_prefix=prefix) == f"{prefix}-1"
    step(model, optimizer)
    other, another, again = made()
    found = tf.train.latest_checkpoint(tmp_path / "new")
    status = tf.train.Checkpoint(model=other, optimizer=another, count=again).restore(found)
    status.assert_consumed()
    assert int(again) == 1
    step(other, another)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_manager_keeps_the_last_ones(tmp_path):
    model, optimizer, _ = made()
    checkpoint = tf.train.Checkpoint(model=model, opt=optimizer)
    manager = tf.train.CheckpointManager(checkpoint, tmp_path, max_to_keep=2)
    assert manager.latest_checkpoint is None
    assert checkpoint.model is model
    checkpoint.restore(manager.latest_checkpoint)
    for _ in range(3):
        step(model, optimizer)
        manager.save()
    assert sorted(os.listdir(tmp_path)) == ["ckpt-2.npz", "ckpt-3.npz"]
    kept = model.get_weights()[0]
    step(model, optimizer)
    again = tf.train.CheckpointManager(checkpoint, tmp_path, max_to_keep=2)
    checkpoint.restore(again.latest_checkpoint)
    np.testing.assert_array_equal(model.get_weights()[0], kept)
    assert again.save().endswith("ckpt-4")


def test_wrong_checkpoints(tmp_path):
    model, _, _ = made()
    with pytest.raises(TypeError, match="model must be a model, .* got a str"):
        tf.train.Checkpoint(model="model.h5")
    path = tf.train.Checkpoint(model=model).write(tmp_path / "one")
    with pytest.raises(ValueError, match="nothing of 'net'"):
        tf.train.Checkpoint(net=model).restore(path)
    with pytest.raises(FileNotFoundError):
        tf.train.Checkpoint(model=model).restore(tmp_path / "two")


def test_damaged_checkpoints(tmp_path):
    model, _, _ = made()
    before = [weight.copy() for weight in model.get_weights()]
    checkpoint = tf.train.Checkpoint(model=model)
    path = tmp_path / "one.npz"
    checkpoint.write(tmp_path / "one")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for size in rng.integers(0, len(whole), 100):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"one\.npz is damaged or no checkpoint"):
            checkpoint.restore(path)
    for at in rng.integers(0, len(whole), 300):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << int(at) % 8]) + whole[at + 1 :])
        with contextlib.suppress(ValueError):  # not all bytes say something
            checkpoint.restore(path)
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    assert os.listdir(tmp_path) == ["one.npz"]


def test_brightness_by_the_name_of_its_argument():
    image = np.zeros((4, 4, 3), np.float32)
    found = tf.image.random_brightness(image, max_delta=0.5, seed=1)
    assert 0 < abs(float(found[0, 0, 0])) <= 0.5
    assert np.ptp(found) == 0
