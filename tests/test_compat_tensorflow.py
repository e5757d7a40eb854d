"""What scripts say to tensorflow beside tf.keras: arrays, data sets, sessions and devices."""

import sys

import numpy as np
import pytest

import pyconv.compat as compat
import pyconv.compat.tensorflow as tf
from pyconv import activations
from pyconv.compat._unsupported import NotInPyconvError
from pyconv.compat.tensorflow import keras

X = np.random.default_rng(0).random((10, 4), np.float32)
Y = np.arange(10) % 3


@pytest.fixture(autouse=True)
def era(monkeypatch):
    monkeypatch.setattr(compat._era, "_chosen", "keras3")
    keras.utils.set_random_seed(0)


def rows(dataset):
    return [x.tolist() for x in dataset]


SEVEN = tf.data.Dataset.range(7)


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: SEVEN.batch(3), [[0, 1, 2], [3, 4, 5], [6]]),
        (lambda: SEVEN.batch(3, drop_remainder=True), [[0, 1, 2], [3, 4, 5]]),
        (lambda: SEVEN.map(lambda x: 2 * x).take(3), [0, 2, 4]),
        (lambda: SEVEN.skip(5).repeat(2), [5, 6, 5, 6]),
        (lambda: SEVEN.repeat().take(9), [0, 1, 2, 3, 4, 5, 6, 0, 1]),
        (lambda: SEVEN.filter(lambda x: x % 3 == 0), [0, 3, 6]),
        (lambda: SEVEN.batch(2).unbatch().prefetch(tf.data.AUTOTUNE).cache(), list(range(7))),
        (lambda: SEVEN.take(1).concatenate(SEVEN.skip(6)), [0, 6]),
        (lambda: SEVEN.take(-1).skip(9), []),
        (lambda: tf.data.Dataset.from_tensors(np.arange(2)), [[0, 1]]),
        (lambda: tf.data.Dataset.from_generator(lambda: iter([1, 2]), tf.int32), [1, 2]),
    ],
)
def test_data_sets(make, wanted):
    dataset = make()
    assert rows(dataset) == rows(dataset) == wanted
    if dataset._size is not None:
        assert len(dataset) == int(dataset.cardinality()) == len(wanted)


def test_a_shuffle_has_all_elements_in_another_order_each_time():
    whole = tf.data.Dataset.range(100)
    first, second = rows(whole.shuffle(100)), rows(whole.shuffle(100))
    assert first != second
    assert sorted(first) == sorted(second) == list(range(100))
    # What is drawn is among so many that come next.
    mixed, again = whole.shuffle(100, seed=1), whole.shuffle(100, seed=1)
    first, second = rows(mixed), rows(mixed)
    assert first != second
    assert [first, second] == [rows(again), rows(again)]
    for seed in (None, 1):
        mixed = whole.shuffle(100, seed=seed, reshuffle_each_iteration=False)
        assert rows(mixed) == rows(mixed)
    near = rows(whole.shuffle(10, seed=1))
    assert near == rows(whole.shuffle(10, seed=1))
    assert all(x < i + 10 for i, x in enumerate(near))


def test_elements_of_several_parts():
    pairs = tf.data.Dataset.from_tensor_slices((X, {"y": Y}))
    x, rest = next(iter(pairs.batch(4)))
    assert (x.shape, rest["y"].tolist()) == ((4, 4), [0, 1, 2, 0])
    zipped = tf.data.Dataset.zip((SEVEN, SEVEN.skip(1)))
    assert [(int(a), int(b)) for a, b in zipped][-1] == (5, 6)
    assert next(int(i) for i, _ in SEVEN.enumerate(3)) == 3
    names = ["a", "b", "c"]
    assert names[next(iter(tf.data.Dataset.from_tensor_slices(Y)))] == "a"
    with pytest.raises(ValueError, match="equally long"):
        tf.data.Dataset.from_tensor_slices((X, Y[:3]))


def test_a_model_takes_a_data_set():
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    data = data.map(
        lambda x, y: (tf.cast(x, tf.float32) / 2, y), num_parallel_calls=tf.data.AUTOTUNE
    )
    data = data.shuffle(10).batch(4)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf.train.AdamOptimizer(0.01), loss, metrics=["accuracy"])
    history = model.fit(data, epochs=2, validation_data=data, verbose=0).history
    assert len(history["val_loss"]) == 2
    model.fit(data.repeat(), epochs=2, steps_per_epoch=2.5, verbose=0)
    assert model.optimizer.iterations == 2 * 3 + 2 * 3
    assert model.predict(data, verbose=0).shape == (10, 3)
    assert isinstance(model(X[:1]).numpy(), np.ndarray)
    logits = model(X).numpy()
    wanted = -np.log(tf.nn.softmax(logits).numpy()[np.arange(10), Y]).mean()
    np.testing.assert_allclose(loss(Y, logits).numpy(), wanted, rtol=1e-5)


def test_functions_are_numpy_s():
    x = tf.constant([[1.0, -2.0]])
    assert tf.reduce_sum(tf.square(x)).numpy() == 5
    assert tf.argmax(x, axis=1).numpy().tolist() == [0]
    assert tf.cast(tf.equal(x, [[1, 1]]), tf.float32).numpy().tolist() == [[1, 0]]
    assert tf.concat([x, x], axis=0).shape == (2, 2)
    assert tf.random.normal((2, 3), stddev=0.1).shape == (2, 3)
    assert (tf.is_tensor(x), tf.is_tensor(x.numpy())) == (True, False)
    assert X[..., tf.newaxis].shape == (10, 4, 1)


def test_activations_are_those_of_pyconv():
    assert keras.layers.Dense(2, activation=tf.nn.relu).activation is activations.relu
    assert keras.layers.Activation(tf.nn.softmax).activation is activations.softmax
    inputs = keras.Input((4,))
    outputs = keras.activations.tanh(tf.nn.relu(keras.layers.Dense(2)(inputs)))
    assert (keras.Model(inputs, outputs).predict(X, verbose=0) >= 0).all()
    assert tf.nn.relu([-1.0, 2.0]).numpy().tolist() == [0, 2]


def test_sessions_and_devices_have_no_effect():
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    keras.backend.set_session(tf.compat.v1.Session(config=config))
    with tf.Session() as session, tf.device("/gpu:0"), tf.distribute.MirroredStrategy().scope():
        session.run(tf.global_variables_initializer())
        with pytest.raises(NotInPyconvError, match="no graphs"):
            session.run(X)
    for gpu in tf.config.experimental.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    assert not tf.test.is_gpu_available()
    tf.get_logger().setLevel("ERROR")
    tf.logging.set_verbosity(tf.logging.ERROR)


@pytest.mark.parametrize(
    "use",
    [
        lambda: tf.while_loop(),
        lambda: tf.while_loop(X),
        lambda: tf.Module.with_name_scope,
        lambda: type("Own", (keras.layers.LSTM,), {}),
    ],
)
def test_what_is_not_there_is_an_error_once_it_is_used(use):
    assert hasattr(tf, "while_loop")
    with pytest.raises(NotInPyconvError, match="not in pyconv"):
        use()


def test_print(capsys):
    tf.print("step", tf.constant([1, 2]), tf.constant(0.5), sep=", ", output_stream=sys.stdout)
    tf.print("x")
    assert capsys.readouterr() == ("step, [1 2], 0.5\n", "x\n")
