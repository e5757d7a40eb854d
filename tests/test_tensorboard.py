"""Event files, read back by a parser of the format; TensorBoard's own reader reads them alike."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

import pyconv
import pyconv.compat.keras as keras
from pyconv.callbacks import TensorBoard
from pyconv.callbacks._event_file import EventFile, masked_crc32c


def records(path):
    """Return the data of a file's records, whose checksums must be right."""
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12])[0] == masked_crc32c(data[:8])
        body = data[12 : 12 + length]
        assert struct.unpack("<I", data[12 + length : 16 + length])[0] == masked_crc32c(body)
        found.append(body)
        data = data[16 + length :]
    return found


def fields(message):
    """Return (number, value) of each field of a protocol buffer."""

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    at, found = 0, []
    while at < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            value, at = message[at : at + size], at + size
        found.append((number, value))
    return found


def events(folder):
    """Return (tag, step, value or histogram) of the one file in a folder."""
    (path,) = folder.glob("events.out.tfevents.*")
    first, *rest = (dict(fields(record)) for record in records(path))
    assert first[3] == b"brain.Event:2"
    found = []
    for event in rest:
        assert struct.unpack("<d", event[1])[0] > 1e9
        value = dict(fields(dict(fields(event[5]))[1]))
        number = struct.unpack("<f", value[2])[0] if 2 in value else dict(fields(value[5]))
        found.append((value[1].decode(), event[2], number))
    return found


def fitted(callback, schedule=False, **arguments):
    rate = pyconv.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5) if schedule else 0.1
    model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(2, name="out")])
    model.compile(pyconv.optimizers.SGD(rate), "mse", metrics=["mae"])
    rng = np.random.default_rng(0)
    x, y = rng.random((10, 3)), rng.random((10, 2))
    arguments.setdefault("validation_data", (x, y))
    history = model.fit(x, y, 4, 2, verbose=0, callbacks=[callback], **arguments)
    return model, history.history


def test_checksum():
    # CRC-32C of '123456789' is 0xE3069283 (RFC 3720, and the check value of the algorithm).
    crc = 0xE3069283
    assert masked_crc32c(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def test_metrics_of_epochs(tmp_path):
    _, history = fitted(TensorBoard(tmp_path))
    train, validation = events(tmp_path / "train"), events(tmp_path / "validation")
    assert {tag for tag, *_ in train} == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    for tag, step, value in train:
        if tag != "epoch_learning_rate":
            assert value == pytest.approx(history[tag.removeprefix("epoch_")][step], rel=1e-6)
    got = {(tag, step): value for tag, step, value in validation}
    for step in (0, 1):
        wanted = pytest.approx(history["val_loss"][step], rel=1e-6)
        assert got["epoch_loss", step] == wanted
        assert got["evaluation_loss_vs_iterations", 3 * (step + 1)] == wanted


def test_no_file_without_validation(tmp_path):
    fitted(TensorBoard(tmp_path), validation_data=None)
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


def test_rate_of_a_schedule(tmp_path):
    fitted(TensorBoard(str(tmp_path)), schedule=True)
    rates = [v for tag, _, v in events(tmp_path / "train") if tag == "epoch_learning_rate"]
    np.testing.assert_allclose(rates, [0.1 / 8, 0.1 / 64], rtol=1e-6)


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", range(1, 7)), (2, [2, 4, 6])])
def test_metrics_of_batches(tmp_path, update_freq, steps):
    fitted(TensorBoard(tmp_path, update_freq=update_freq, write_steps_per_second=True))
    train = events(tmp_path / "train")
    assert [step for tag, step, _ in train if tag == "batch_loss"] == list(steps)
    for tag in ("batch_steps_per_second", "epoch_steps_per_second"):
        assert all(value > 0 for name, _, value in train if name == tag)
        assert any(name == tag for name, *_ in train)


def test_batches_are_not_asked_for_metrics_of_epochs():
    listeners = pyconv.callbacks.CallbackList([TensorBoard()]).listeners
    assert listeners("on_train_batch_end") == []


def test_histograms(tmp_path):
    model, _ = fitted(TensorBoard(tmp_path, histogram_freq=1))
    found = {(tag, step): v for tag, step, v in events(tmp_path / "train") if isinstance(v, dict)}
    assert set(found) == {(f"out/{w}/histogram", e) for w in ("kernel", "bias") for e in (0, 1)}
    kernel, histogram = model.get_weights()[0], found["out/kernel/histogram", 1]
    low, high, count, total, _squares = (
        struct.unpack("<d", histogram[field])[0] for field in range(1, 6)
    )
    assert (low, high, count) == (kernel.min(), kernel.max(), kernel.size)
    assert total == pytest.approx(kernel.sum(dtype=float))
    limits, heights = (np.frombuffer(histogram[field]) for field in (6, 7))
    assert heights.sum() == kernel.size
    assert limits[-1] == high


def pictures(folder):
    """Return the (width, height) that are said, and the pixels, of each tag's images."""
    (path,) = folder.glob("events.out.tfevents.*")
    found = {}
    for record in records(path)[1:]:
        value = dict(fields(dict(fields(dict(fields(record))[5]))[1]))
        if 8 not in value:
            continue
        assert dict(fields(dict(fields(value[9]))[1])) == {1: b"images"}
        tensor = fields(value[8])
        width, height, *images = [part for field, part in tensor if field == 8]
        assert dict(tensor)[1] == 7  # strings
        assert dict(fields(dict(fields(dict(tensor)[2]))[2]))[1] == 2 + len(images)
        opened = [np.asarray(Image.open(io.BytesIO(image))) for image in images]
        found[value[1].decode()] = (int(width), int(height)), opened
    return found


def test_images_of_weights(tmp_path):
    layers = pyconv.layers
    model = pyconv.Sequential(
        [
            pyconv.Input((5, 4, 1)),
            layers.Conv2D(4, (3, 2), name="conv"),
            layers.Flatten(),
            layers.Dense(2, name="dense"),
        ]
    )
    model.compile(pyconv.optimizers.SGD(0.0), "mse")
    x, y = np.ones((2, 5, 4, 1)), np.ones((2, 2))
    board = TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    model.fit(x, y, verbose=0, callbacks=[board])
    found, weights = pictures(tmp_path / "train"), model.get_weights()
    assert set(found) == {f"{n}/{w}/image" for n in ("conv", "dense") for w in ("kernel", "bias")}

    def grey(values):  # as TensorFlow converts float images
        return np.minimum(np.clip(values, 0, None) * 255.5, 255).astype(np.uint8)

    size, kernels = found["conv/kernel/image"]
    assert size == (2, 3)
    np.testing.assert_array_equal(kernels, grey(weights[0][:, :, 0, :3].transpose(2, 0, 1)))
    size, (dense,) = found["dense/kernel/image"]
    assert size == (36, 2)
    np.testing.assert_array_equal(dense, grey(weights[2].T))
    size, (bias,) = found["dense/bias/image"]
    assert (size, bias.tolist()) == ((1, 2), [[0], [0]])


def embedded(board):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Embedding(5, 2, name="words"), keras.layers.Flatten()]
    )
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 3)), np.ones((2, 6)), epochs=3, verbose=0, callbacks=[board])
    return model


def test_projector_of_embeddings(tmp_path):
    pytest.importorskip("h5py")
    board = TensorBoard(tmp_path, embeddings_freq=2, embeddings_metadata={"words": "labels.tsv"})
    model = embedded(board)
    # The text of a message ProjectorConfig (tensorboard/plugins/projector).
    assert (tmp_path / "projector_config.pbtxt").read_text() == (
        'embeddings {\n  tensor_name: "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"'
        '\n  metadata_path: "labels.tsv"\n}\n'
    )
    files = sorted(path.name for path in (tmp_path / "train").glob("*.h5"))
    assert files == [f"keras_embedding.ckpt-{epoch}.weights.h5" for epoch in (0, 2)]
    trained = model.get_weights()[0]
    model.load_weights(tmp_path / "train" / files[1])
    np.testing.assert_array_equal(model.get_weights()[0], trained)


def test_labels_of_no_embedding(tmp_path):
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"word": "labels.tsv"})
    with pytest.raises(ValueError, match=r"of which the model has \['words'\], got \['word'\]"):
        embedded(board)


def test_histogram_of_what_is_not_finite(tmp_path):
    file = EventFile(str(tmp_path))
    file.histogram("nothing", np.array([np.nan, np.inf]), 300)
    file.close()
    assert events(tmp_path)[0][:2] == ("nothing", 300)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"update_freq": "step"}, ValueError, "update_freq must be 'epoch', 'batch'"),
        ({"update_freq": 0}, ValueError, "update_freq must be a positive"),
        ({"log_dir": 5}, TypeError, "log_dir must be a str or a path"),
        ({"histogram_freq": -1}, ValueError, "histogram_freq must be from 0"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        TensorBoard(**arguments)


def test_profile_says_what_to_use():
    with pytest.warns(UserWarning, match="pyconv.profile"):
        TensorBoard(profile_batch=2)
