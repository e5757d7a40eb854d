"""Answers ``import keras`` and ``import tensorflow`` with the modules of this package."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

from pyconv.compat import _era, _older_packages
from pyconv.compat._unsupported import NotInPyconvError, hint, stand_in

_HERE = "pyconv.compat.keras"
_ROOTS = ("keras", "keras_preprocessing", "tensorflow", "tensorflow_datasets")
_OTHERS = {
    "keras_preprocessing": f"{_HERE}.preprocessing",
    "keras_preprocessing.image": f"{_HERE}.preprocessing.image",
    "tensorflow_datasets": "pyconv.compat._tensorflow_datasets",
}
# Keras's older paths, and where their names are now.
_APPLICATIONS = (
    "densenet", "imagenet_utils", "mobilenet", "mobilenet_v2", "resnet", "resnet50", "resnet_v2",
    "vgg16", "vgg19",
)  # fmt: skip
_SCHEDULES = "pyconv.optimizers.schedules"
_MOVED = {
    "backend.common": "backend",
    "backend.tensorflow_backend": "backend",
    "backend.theano_backend": "backend",
    "engine.base_layer": "engine",
    "engine.functional": "engine",
    "engine.input_layer": "engine",
    "engine.input_spec": "engine",
    "engine.network": "engine",
    "engine.sequential": "engine",
    "layers.advanced_activations": "layers",
    "layers.convolutional": "layers",
    "layers.convolutional_recurrent": "_absent",
    "layers.core": "layers",
    "layers.embeddings": "layers",
    "layers.experimental": "layers",
    "layers.experimental.preprocessing": "layers",
    "layers.local": "_absent",
    "layers.merge": "layers",
    "layers.noise": "layers",
    "layers.normalization": "layers",
    "layers.pooling": "layers",
    "layers.recurrent": "_absent",
    "layers.wrappers": "_absent",
    "engine.saving": "models",
    "engine.topology": "engine",
    "engine.training": "engine",
    "experimental": _SCHEDULES,
    "mixed_precision.experimental": "mixed_precision",
    "objectives": "losses",
    "optimizers.experimental": "optimizers",
    "optimizers.legacy": "optimizers",
    "optimizers.schedules": _SCHEDULES,
    "preprocessing.image_dataset": "preprocessing.image",
    "preprocessing.sequence": "utils",
    "preprocessing.text": "_absent",
    "utils.vis_utils": "utils",
    "utils.generic_utils": "utils",
    "utils.io_utils": "utils",
    "utils.data_utils": "utils",
    "utils.layer_utils": "utils",
    "utils.training_utils": "utils",
    "utils.visualize_util": "utils",
    "wrappers.scikit_learn": "wrappers",
}


def install(compat: str | None = None) -> None:
    """Let ``import keras``, ``tensorflow.keras`` and their parts mean pyconv in this process.

    Args:
        compat: 'keras2' or 'keras3', see ``select``; None for 'keras2', and for 'keras3' where
            the program imports ``tensorflow``.

    Raises:
        ValueError: ``compat`` is neither.
        RuntimeError: the real keras or tensorflow is imported already.

    Example:
        >>> import pyconv.compat
        >>> pyconv.compat.install()
        >>> from keras.layers import Convolution2D
        >>> Convolution2D(32, 3, 3, border_mode="same").padding
        'same'
        >>> pyconv.compat.uninstall()
    """
    for root in _ROOTS:
        module = sys.modules.get(root)
        if module is not None and not isinstance(module.__loader__, _Loader):
            raise RuntimeError(
                f"install: {root} is imported already, from {module.__file__}; call "
                "pyconv.compat.install() before anything imports it"
            )
    if compat is not None:
        _era.select(compat)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def uninstall() -> None:
    """Undo ``install``: from now on ``import keras`` finds what Python itself finds.

    Example:
        >>> import pyconv.compat
        >>> pyconv.compat.uninstall()
    """
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name, module in list(sys.modules.items()):
        if isinstance(module, _Alias):
            del sys.modules[name]


class _Loader(importlib.abc.Loader):
    """Makes a module of the name asked for that has the content of one of this package."""

    def __init__(self, target: str) -> None:
        self._target = target

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Alias(spec.name, importlib.import_module(self._target))

    def exec_module(self, module: ModuleType) -> None:
        module.__path__ = []  # every module may have children, which the finder knows


class _Alias(ModuleType):
    """A module under another name: what it is asked for, the other one answers."""

    def __init__(self, name: str, target: ModuleType) -> None:
        super().__init__(name, target.__doc__)
        self.__dict__["_target"] = target
        self.__dict__["__all__"] = list(getattr(target, "__all__", ()))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_target"], name)

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_target"])


class _StandInLoader(importlib.abc.Loader):
    """Answers for a name that is not in pyconv with a stand-in: scripts import more than they use.

    ``from keras.utils import name`` asks for a module of this name where there is nothing else.
    """

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        return stand_in(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _AllStandIns:
    """A part of TensorFlow's own source: whatever it is asked for is a stand-in."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return stand_in(f"{self._path}.{name}")


class _NamespaceLoader(importlib.abc.Loader):
    """Makes a module of what is an attribute of another one, such as ``tensorflow.data``."""

    def __init__(self, namespace: Any) -> None:
        self._namespace = namespace

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Alias(spec.name, self._namespace)

    def exec_module(self, module: ModuleType) -> None:
        module.__path__ = []


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        root, _, rest = fullname.partition(".")
        if root not in _ROOTS:
            older = _older_packages.target_of(fullname)
            if older is None:
                return None
            return importlib.machinery.ModuleSpec(fullname, _Loader(older))
        if root.startswith("tensorflow"):
            _era.suggest("keras3")
        name = _target_of(root, rest)
        if name is None:
            if path is not None and _is_probe(fullname):
                return None
            loader = _loader_of(fullname)
            if loader is None:
                raise NotInPyconvError(f"{fullname}: {hint(fullname)}", name=fullname)
            return importlib.machinery.ModuleSpec(fullname, loader)
        return importlib.machinery.ModuleSpec(fullname, _Loader(name), is_package=True)


def _loader_of(fullname: str) -> importlib.abc.Loader | None:
    """Return what makes a module of a name that no file of this package is for."""
    above, _, name = fullname.rpartition(".")
    parent = sys.modules.get(above)
    if not isinstance(parent, _Alias):
        return None
    found = getattr(parent, name, None)
    if isinstance(found, SimpleNamespace):
        return _NamespaceLoader(found)
    if above == "tensorflow.python":
        return _NamespaceLoader(_AllStandIns(fullname))
    # A module of this name that is not known may hold anything.
    is_module = name.islower() and above.rpartition(".")[2] in (
        *_ROOTS,
        "compat",
        "layers",
        "python",
    )
    return None if is_module else _StandInLoader()


def _is_probe(fullname: str) -> bool:
    """Whether the name is of a kind that tools ask every package for."""
    return fullname.rpartition(".")[2].startswith("_")


def _target_of(root: str, rest: str) -> str | None:
    """Return the module that answers for ``root.rest``, or None."""
    if root in ("keras_preprocessing", "tensorflow_datasets"):
        return _OTHERS.get(f"{root}.{rest}" if rest else root)
    if root == "tensorflow":
        if not rest:
            return "pyconv.compat.tensorflow"
        for prefix in ("keras", "python.keras", "compat.v1.keras", "compat.v2.keras"):
            if rest == prefix or rest.startswith(prefix + "."):
                return _keras_module(rest[len(prefix) + 1 :])
        known = ("python", "compat", "compat.v1", "compat.v2")
        return "pyconv.compat.tensorflow" if rest in known else None
    return _keras_module(rest)


def moved(path: str) -> str | None:
    """Return the module that answers for an older path below ``keras``, or None."""
    return _keras_module(path) if path in _MOVED else None


def _nearest(rest: str) -> str | None:
    """Return the module that answers for a file of Keras's own source: the nearest above it."""
    while rest:
        found = _keras_module(rest)
        if found is not None or "." not in rest:
            return found
        rest = rest.rpartition(".")[0]
    return _HERE


def _keras_module(rest: str) -> str | None:
    for prefix in ("api.", "src.", "_v2.keras.", "_tf_keras.keras.", "_tf_keras."):
        if f"{rest}.".startswith(prefix):
            rest = rest[len(prefix) :]
            return _nearest(rest) if prefix == "src." else _keras_module(rest)
    rest = _MOVED.get(rest, rest)
    if rest.startswith("applications."):
        is_known = rest.partition(".")[2] in _APPLICATIONS
        return None if is_known else f"{_HERE}.applications"
    if rest == _SCHEDULES:
        return rest
    of_version = rest.rpartition("_")[2] in ("v1", "v2")  # optimizers.adam_v2
    above = rest.rpartition(".")[0]
    if (above == "optimizers" and of_version) or above == "layers.normalization":
        rest = above.partition(".")[0]
    name = f"{_HERE}.{rest}" if rest else _HERE
    try:
        return name if importlib.util.find_spec(name) else None
    except ModuleNotFoundError:
        return None
