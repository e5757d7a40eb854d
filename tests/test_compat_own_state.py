"""What layers and models of the user's own write to files themselves, as Keras 3 asks them."""

import json
import os
import zipfile

import h5py
import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

X = np.random.default_rng(0).random((5, 4), np.float32)


pytestmark = pytest.mark.usefixtures("keras3")


class Packed(layers.Layer):
    """Has its kernel in files as its transpose, under a name of its own, and a number beside."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.count = 0

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")

    def call(self, x):
        return keras.ops.matmul(x, self.kernel)

    def get_config(self):
        return {**super().get_config(), "units": self.units}

    def save_own_variables(self, store):
        store["transposed"] = np.array(self.kernel).T
        store["count"] = np.array(self.count)

    def load_own_variables(self, store):
        assert sorted(store.keys()) == ["count", "transposed"]
        self.kernel.assign(np.array(store["transposed"]).T)
        self.count = int(store["count"])


class Halved(layers.Dense):
    """Asks the base, and then changes what it gave."""

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["0"] = np.array(store["0"]) / 2

    def load_own_variables(self, store):
        super().load_own_variables({"0": store["0"] * 2, "1": store["1"]})


class Words(layers.Layer):
    words = ""

    def call(self, x):
        return x * 1.0

    def save_assets(self, inner_path):
        with open(os.path.join(inner_path, "words.txt"), "w") as file:
            file.write(self.words)

    def load_assets(self, inner_path):
        with open(os.path.join(inner_path, "words.txt")) as file:
            self.words = file.read()


class Around(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.packed = Packed(3)
        self.head = layers.Dense(2)

    def call(self, x):
        return self.head(self.packed(x))


class Counted(Around):
    """A model with a state that is its own."""

    seen = 0

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["seen"] = np.array(self.seen)

    def load_own_variables(self, store):
        self.seen = int(store["seen"])


OWN = {found.__name__: found for found in (Packed, Halved, Words, Around, Counted)}


def stack():
    return keras.Sequential([keras.Input((4,)), Packed(3), Halved(3), layers.Dense(2)])


def functional():
    x = keras.Input((4,))
    y = Packed(3)(layers.Dense(4)(x))
    return keras.Model(x, layers.Add()([y, Halved(3)(y)]))


def own():
    model = Around()
    model(X)
    return model


def packed(model):
    return next(la for la in model._flatten_layers() if isinstance(la, Packed))


MAKERS = [stack, functional, own]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("ending", ["keras", "weights.h5", "weights.json", "folder"])
def test_layers_say_what_files_have_of_them(make, ending, tmp_path):
    model = make()
    packed(model).count = 7
    want = np.array(model(X))
    path = tmp_path / f"model.{ending}"
    if "weights" in ending:
        shards = {"max_shard_size": 1e-6} if ending.endswith("json") else {}
        model.save_weights(path, **shards)
        found = make()
        found.load_weights(path)
    else:
        model.save(path, zipped=ending == "keras")
        found = keras.models.load_model(path, custom_objects=OWN)
    np.testing.assert_array_equal(np.array(found(X)), want)
    assert packed(found).count == 7


def test_the_arrays_are_in_the_file_by_the_names_that_the_layer_gives(tmp_path):
    model = stack()
    model.save_weights(tmp_path / "a.weights.h5")
    with h5py.File(tmp_path / "a.weights.h5") as file:
        group = file["layers/packed/vars"]
        assert sorted(group) == ["count", "transposed"]
        np.testing.assert_array_equal(group["transposed"][()], model.layers[0].kernel.T)
        halved = file["layers/halved/vars/0"][()]
        np.testing.assert_array_equal(halved, model.layers[1].kernel / 2)


def test_a_model_may_have_a_state_of_its_own(tmp_path):
    model = Counted()
    want = np.array(model(X))
    model.seen = 12
    model.save(tmp_path / "model.keras")
    found = keras.models.load_model(tmp_path / "model.keras", custom_objects=OWN)
    assert found.seen == 12
    np.testing.assert_array_equal(np.array(found(X)), want)


@pytest.mark.parametrize("zipped", [True, False])
def test_assets_are_files_beside_the_weights(zipped, tmp_path):
    model = keras.Sequential([keras.Input((4,)), Words(), Words(), layers.Dense(2)])
    model.layers[0].words, model.layers[1].words = "one", "two"
    path = tmp_path / ("model.keras" if zipped else "model")
    model.save(path, zipped=zipped)
    names = ["assets/layers/words/words.txt", "assets/layers/words_1/words.txt"]
    if zipped:
        with zipfile.ZipFile(path) as archive:
            assert sorted(archive.namelist())[:2] == names
    else:
        assert (path / names[0]).read_text() == "one"
    found = keras.models.load_model(path, custom_objects=OWN)
    assert [layer.words for layer in found.layers[:2]] == ["one", "two"]


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt", "a\\..\\out.txt"])
def test_assets_that_lead_out_of_their_folder_are_refused(name, tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((4,)), Words()]).save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"assets/{name}", "text")
    with pytest.raises(ValueError, match="leads out of the assets"):
        keras.models.load_model(path, custom_objects=OWN)


def test_assets_larger_than_the_file_are_refused(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((4,)), Words()]).save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for i in range(4):
            archive.writestr(f"assets/{i}.txt", bytes(2**20))
    with pytest.raises(ValueError, match="its assets are to be of"):
        keras.models.load_model(path, custom_objects=OWN)


class Failing(layers.Dense):
    def load_own_variables(self, store):
        raise RuntimeError("not like this")


def test_errors_of_own_code_name_the_layer(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Failing(2)])
    model.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(ValueError, match=r"Failing 'failing': load_own_variables: .*not like this"):
        model.load_weights(tmp_path / "a.weights.h5")
    with pytest.warns(UserWarning, match="not like this"):
        model.load_weights(tmp_path / "a.weights.h5", skip_mismatch=True)


class Text(layers.Layer):
    def save_own_variables(self, store):
        store["text"] = "word"

    def call(self, x):
        return x * 1.0


def test_what_is_no_array_of_numbers_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Text()])
    with pytest.raises(TypeError, match="Text 'text': save_own_variables must put arrays"):
        model.save(tmp_path / "model.keras")
    assert os.listdir(tmp_path) == []


def test_formats_that_do_not_know_it_refuse(tmp_path):
    with pytest.raises(NotImplementedError, match="take .keras or .weights.h5"):
        stack().save_weights(tmp_path / "a.safetensors")


def test_the_base_refuses_arrays_that_do_not_fit():
    layer = layers.Dense(2)
    layer.build((None, 3))
    with pytest.raises(ValueError, match="expected 2 variables, but received 0 variables"):
        layer.load_own_variables({})
    with pytest.raises(ValueError, match=r"kernel must be \(3, 2\), got \(3, 1\)"):
        layer.load_own_variables({"0": np.zeros((3, 1)), "1": np.zeros(2)})


class Twice(layers.Layer):
    """Is built for a number that its shape does not say."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.rows = None

    def prepare(self, rows, columns):
        self.rows = rows
        self.table = self.add_weight((rows, columns), name="table")
        self.columns = columns

    def build(self, input_shape):
        if self.rows is None:
            self.prepare(9, input_shape[-1])

    def call(self, x):
        return x + keras.ops.sum(self.table, axis=0)

    def get_build_config(self):
        return {"rows": self.rows, "columns": self.columns}

    def build_from_config(self, config):
        self.prepare(config["rows"], config["columns"])


def test_a_layer_is_built_as_it_says(tmp_path):
    layer = Twice()
    layer.prepare(2, 4)
    model = keras.Sequential([keras.Input((4,)), layer, layers.Dense(2)])
    path = tmp_path / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    made = config["config"]["layers"][1]
    assert made["build_config"] == {"rows": 2, "columns": 4}
    found = keras.models.load_model(path, custom_objects={"Twice": Twice})
    assert found.layers[0].rows == 2
    np.testing.assert_array_equal(np.array(found(X)), np.array(model(X)))


@pytest.mark.parametrize("ending", ["weights.h5", "weights.json"])
def test_what_is_to_be_skipped_is_neither_written_nor_read(ending, tmp_path):
    model, path = functional(), tmp_path / f"a.{ending}"
    shards = {"max_shard_size": 1} if ending.endswith("json") else {}
    first = packed(model)
    model.save_weights(path, objects_to_skip=[first], **shards)
    with pytest.raises(ValueError, match="KeyError|AssertionError"):
        functional().load_weights(path)
    found = functional()
    kernel = np.array(packed(found).kernel)
    found.load_weights(path, objects_to_skip=[packed(found)])
    model.save_weights(path, **shards)
    other = functional()
    dense = np.array(other.layers[1].kernel)
    other.load_weights(path, objects_to_skip=[other.layers[1]])
    np.testing.assert_array_equal(packed(found).kernel, kernel)
    np.testing.assert_array_equal(found.layers[1].kernel, model.layers[1].kernel)
    np.testing.assert_array_equal(packed(other).kernel, first.kernel)
    np.testing.assert_array_equal(other.layers[1].kernel, dense)


def test_skipping_needs_the_weights_of_keras_3(tmp_path):
    model = stack()
    with pytest.raises(ValueError, match="only supports '.weights.h5' files"):
        model.save_weights(tmp_path / "a.h5", objects_to_skip=[model.layers[0]])
    with pytest.raises(ValueError, match="only supports loading '.weights.h5' files"):
        model.load_weights(tmp_path / "a.keras", objects_to_skip=[])


class OwnCompile(Around):
    def compile(self, rate):
        super().compile(keras.optimizers.SGD(rate), "mse")


def test_a_compile_of_one_s_own_is_not_called_at_loading(tmp_path):
    model = OwnCompile()
    model.compile(0.5)
    model(X)
    model.save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="method is custom"):
        found = keras.models.load_model(
            tmp_path / "model.keras", custom_objects={**OWN, "OwnCompile": OwnCompile}
        )
    assert found.optimizer is None
    np.testing.assert_array_equal(np.array(found(X)), np.array(model(X)))
