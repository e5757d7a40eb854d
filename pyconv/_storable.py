"""A model as a file or plain data, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyconv import layers as layers_module
from pyconv._extensions import extension
from pyconv._stack import Stack
from pyconv._types import Array
from pyconv.layers.graph import flat
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer

if TYPE_CHECKING:
    from pyconv.formats.places import Member, Place
    from pyconv.model import Sequential


class Storable(Stack):
    """A stack of layers that is saved, described by its configuration, and made again."""

    # Whether Keras's files have it as a model of the functional API.
    is_functional = False

    def file_places(self, as_network: bool = False) -> "list[Place]":
        """Return where Keras 3's files have the weights of each layer."""
        from pyconv.formats.places import flat_places  # models are used without files, too

        return flat_places([layer for layer in flat(self._layers) if not layer.is_within])

    def file_members(self, as_network: bool = False) -> "list[Member]":
        """Return the layers in order, as files have them."""
        layers = [layer for layer in flat(self._layers) if not layer.is_within]
        return [(layer.name, layer.file_places("", in_order=True)) for layer in layers]

    @property
    def is_network(self) -> bool:
        """Whether the layers are all that it does, so that files can have it by them."""
        return True

    def file_order(self) -> list[int] | None:
        """Return the order in which files have what is trained, None where it is the model's."""
        return None

    def save(
        self: Any,
        filepath: Any,
        overwrite: bool = True,
        include_optimizer: bool = True,
        zipped: bool = True,
    ) -> None:
        """Write architecture, weights, compile arguments and optimizer state to one file.

        The ending says the format: ``.keras``, ``.h5`` and ``.hdf5`` are Keras's, which Keras
        opens; all others are safetensors. The file is written beside its place, synced and
        renamed: a death in the middle leaves the old file.

        Args:
            filepath: the file.
            overwrite: False raises an error where the file exists.
            include_optimizer: False leaves the compile arguments and the optimizer out.
            zipped: False writes a folder with what ``.keras`` files have within, as Keras 3 does.
                One that is there is replaced, unless it holds other files.

        Raises:
            OSError: it cannot be written. FileExistsError: it exists and ``overwrite`` is False.
        """
        from pyconv import saving

        saving.save_model(self, filepath, overwrite, include_optimizer, zipped)

    def save_weights(
        self: Any,
        filepath: Any,
        overwrite: bool = True,
        max_shard_size: float | None = None,
        objects_to_skip: Any = None,
    ) -> None:
        """Write the weights to one file, as ``save`` does.

        Keras's formats are ``.weights.h5`` (of Keras 3), ``.h5`` and ``.hdf5``; ``.keras`` holds
        the architecture too.

        Args:
            filepath: the file.
            overwrite: False raises an error where the file exists.
            max_shard_size: the most gigabytes (2**30 bytes) of one file, where the weights are to
                be in several, as Keras 3 has them: ``filepath`` is ``NAME.weights.json``, which
                says what is in ``NAME_00000.weights.h5`` and so on beside it.
            objects_to_skip: layers and models that are left out, in Keras 3's weights.

        Raises:
            OSError: it cannot be written. FileExistsError: it exists and ``overwrite`` is False.
            ValueError: an array is larger than ``max_shard_size``.
        """
        from pyconv import saving

        saving.save_weights(self, filepath, overwrite, max_shard_size, objects_to_skip)

    def load_weights(
        self: Any,
        filepath: Any,
        skip_mismatch: bool = False,
        by_name: bool = False,
        objects_to_skip: Any = None,
    ) -> None:
        """Read the weights of any file that ``save``, ``save_weights`` or Keras wrote.

        Layers with weights are filled in order; from ``.weights.h5`` and ``.keras`` files by
        their class and number, as Keras 3 does.

        Args:
            filepath: the file, of the weights or of a whole model.
            skip_mismatch: leave layers alone whose shapes differ, instead of raising.
            by_name: fill the layers that have the name of one in the file, and no others.
            objects_to_skip: layers and models that are left as they are, with Keras 3's weights.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no such file, or its weights do not fit; the model is unchanged.
        """
        from pyconv import saving

        saving.load_weights(self, filepath, skip_mismatch, by_name, objects_to_skip)

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data, without weights."""
        return self.stack_config()

    def stack_config(self) -> dict[str, Any]:
        """Return the layers as plain data, whatever a subclass's ``get_config`` returns."""
        stack = [layers_module.serialize(layer) for layer in self._layers]
        shape = self._declared_shape() or (self.input_shape if self.built else None)
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "layers": stack,
            "build_input_shape": None if shape is None else list(shape),
        }
        if not self.is_functional:
            return config
        name = None if self._input is None else self._input.name
        return {**config, "functional": True, "input_name": name}

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, type[Layer]] | None = None,
        weights: Mapping[str, Mapping[str, Array]] | None = None,
    ) -> "Sequential":
        """Return a new model of the configuration that ``get_config`` returned.

        Args:
            config: the configuration.
            custom_objects: your own layer classes by name.
            weights: arrays by layer and name, taken as the weights in place of initial ones.

        Raises:
            ValueError: a layer is not known, or the configuration or a weight does not fit it.
        """
        if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
            raise ValueError("Sequential.from_config: config must have a list of layers")
        from pyconv.formats import keras_graph  # models are used without files, too

        if keras_graph.is_wired(config):
            make = extension("wired_model")
            if make is None:
                raise ValueError(
                    "Sequential.from_config: it has several inputs or outputs, uses a layer again "
                    "or holds a model; import pyconv.compat.keras, which has such models"
                )
            wired: Sequential = make(config, custom_objects)
            return wired
        stack = [layers_module.deserialize(layer, custom_objects) for layer in config["layers"]]
        if weights is not None:
            for layer in flat(stack):
                layer.give_weights(weights.get(layer.name, {}))
        kind: Any = cls
        model: Sequential = kind(stack, config.get("trainable", True), config.get("name"))
        if config.get("functional") is True:
            model.is_functional = True
        shape = config.get("build_input_shape")
        if shape is not None:
            model._input = InputLayer(batch_shape=shape, name=config.get("input_name"))
            model._build_if_known()
        for layer in flat(stack):
            layer.take_given_weights()
        return model

    @classmethod
    def adopted(cls, model: "Sequential") -> "Sequential":
        """Return a model that was read as one of this class's package."""
        return model

    def class_description(self) -> dict[str, Any] | None:
        """Return the class and the configuration of a model of the user's own class; else None."""
        return None

    def wired_config(self, modules: bool) -> dict[str, Any] | None:
        """Return the configuration of a model that is no stack, in Keras's form; else None."""
        return None

    def to_json(self: Any, **kwargs: Any) -> str:
        """Return the architecture as JSON in Keras's form; keywords go to ``json.dumps``.

        ``pyconv.models.model_from_json`` and Keras's make a new model of it.
        """
        import json

        from pyconv.formats import keras_config_writer

        return json.dumps(keras_config_writer.model_config(self, modules=True), **kwargs)
