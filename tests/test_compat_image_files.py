"""Images in files, as ``tf.io``, ``tf.data`` and generators read and write them."""

import io
import os

import numpy as np
import pytest
from PIL import Image

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv import compat
from pyconv.preprocessing.image import ImageDataGenerator, img_to_array, load_img

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 8, 10, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    for i, image in enumerate(IMAGES):
        path = tmp_path / ("cat" if i % 2 else "dog")
        path.mkdir(exist_ok=True)
        Image.fromarray(image).save(path / f"{i}.png")
    return tmp_path


@pytest.fixture(autouse=True)
def era():
    yield
    compat.select("keras2")


def test_a_pipeline_of_files(folder):
    names = np.array(sorted(os.listdir(folder)))

    def read(path):
        label = tf.argmax(tf.strings.split(path, os.path.sep)[-2] == names)
        image = tf.io.decode_png(tf.io.read_file(path), channels=3)
        return tf.image.convert_image_dtype(image, tf.float32), label

    files = tf.data.Dataset.list_files(str(folder / "*/*"), shuffle=False)
    assert tf.data.experimental.cardinality(files).numpy() == len(IMAGES)
    first = next(iter(files)).numpy()
    assert isinstance(first, bytes)
    assert first.decode() == str(folder / "cat" / "1.png")
    found = list(files.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(4))
    wanted = IMAGES[[1, 3, 5, 0, 2, 4]] / 255
    np.testing.assert_allclose(np.concatenate([x for x, _ in found]), wanted, rtol=1e-6)
    assert np.concatenate([y for _, y in found]).tolist() == [0, 0, 0, 1, 1, 1]
    shuffled = [path.numpy() for path in tf.data.Dataset.list_files(str(folder / "*/*"), seed=3)]
    assert sorted(shuffled) == [path.numpy() for path in files]
    with pytest.raises(ValueError, match="list_files: no file matches"):
        tf.data.Dataset.list_files(str(folder / "*.gif"))


@pytest.mark.parametrize(("channels", "mode"), [(0, "RGB"), (1, "L"), (3, "RGB"), (4, "RGBA")])
def test_decoded(folder, channels, mode):
    data = tf.io.read_file(str(folder / "dog/0.png"))
    wanted = np.array(Image.fromarray(IMAGES[0]).convert(mode)).reshape(8, 10, -1)
    for decode in (tf.io.decode_image, tf.image.decode_jpeg):
        assert np.array_equal(decode(data, channels), wanted)
    np.testing.assert_allclose(
        tf.image.decode_image(data, channels, tf.float32), wanted / 255, rtol=1e-6
    )


def test_encoded(tmp_path):
    data = tf.io.encode_png(IMAGES[0])
    assert np.array_equal(tf.io.decode_png(data), IMAGES[0])
    tf.io.write_file(str(tmp_path / "new" / "a.jpg"), tf.io.encode_jpeg(IMAGES[0][..., :1]))
    with io.BytesIO() as file:
        Image.fromarray(IMAGES[0][..., 0]).save(file, "JPEG", quality=95)
        assert (tmp_path / "new" / "a.jpg").read_bytes() == file.getvalue()
    assert tf.io.gfile.exists(str(tmp_path / "new"))
    with pytest.raises(ValueError, match="decode_image: the bytes are no image"):
        tf.io.decode_image(b"nothing")
    with pytest.raises(ValueError, match="channels must be 0, 1, 3 or 4, got 2"):
        tf.io.decode_image(data, 2)


def test_texts():
    assert tf.strings.join(["a", "b"], separator="/").numpy() == b"a/b"
    assert tf.strings.lower(tf.constant("AB")).numpy() == b"ab"
    assert tf.strings.length("abc").numpy() == 3


def test_transformations_of_data_sets():
    seven = tf.data.Dataset.range(7)
    again = seven.apply(tf.data.experimental.shuffle_and_repeat(7, 2))
    assert sorted(int(x) for x in again) == sorted([*range(7), *range(7)])
    assert [x.tolist() for x in seven.shard(3, 1)] == [1, 4]
    assert int(seven.reduce(0, lambda a, b: a + b)) == 21
    pairs = seven.take(2).flat_map(lambda i: tf.data.Dataset.range(int(i) + 1))
    assert [int(x) for x in pairs] == [0, 0, 1]
    one = tf.compat.v1.data.make_one_shot_iterator(seven)
    assert [int(one.get_next()), int(one.get_next())] == [0, 1]


def test_batches_are_saved(tmp_path):
    batches = ImageDataGenerator(rescale=1 / 255).flow(
        IMAGES,
        batch_size=4,
        shuffle=False,
        save_to_dir=tmp_path,
        save_prefix="a",
        save_format="png",
    )
    next(batches)
    files = sorted(os.listdir(tmp_path))
    assert [name.rpartition("_")[0] for name in files] == ["a_0", "a_1", "a_2", "a_3"]
    # They are brought to 0 to 255 by their least and largest numbers, as array_to_img does.
    image = IMAGES[2].astype(float) - IMAGES[2].min()
    found = img_to_array(load_img(tmp_path / files[2]))
    np.testing.assert_allclose(found, image / image.max() * 255, atol=1)
    with pytest.raises(FileNotFoundError, match="as save_to_dir says"):
        ImageDataGenerator().flow(IMAGES, save_to_dir=tmp_path / "nowhere")


def test_batches_of_folders_are_saved(folder, tmp_path_factory):
    saved = tmp_path_factory.mktemp("saved")
    batches = keras.preprocessing.image.ImageDataGenerator().flow_from_directory(
        folder, (8, 10), save_to_dir=saved, save_format="jpeg"
    )
    next(batches)
    assert len(os.listdir(saved)) == len(IMAGES)
    assert all(name.endswith(".jpeg") for name in os.listdir(saved))
