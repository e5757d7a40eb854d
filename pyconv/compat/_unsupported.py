"""What Keras has and pyconv has not, and what to use instead."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pyconv._names import did_you_mean


class NotInPyconvError(ImportError):
    """A part of Keras that pyconv does not have; the message says what to use instead."""


_SEQUENTIAL = "chain layers in a Sequential([...])"
_TEXT = "pyconv is for images: it has no layers for sequences or text"
_PRETRAINED = (
    "there are VGG, ResNet, ResNetV2, DenseNet, MobileNet and MobileNetV2; build others of layers, "
    "and load their weights"
)
_NUMPY = "use numpy: pyconv's arrays are numpy arrays"

_GROUPS = {
    "LSTM GRU RNN SimpleRNN LSTMCell GRUCell Bidirectional TimeDistributed ConvLSTM2D "
    "MultiHeadAttention Attention TextVectorization CuDNNLSTM CuDNNGRU "
    "Tokenizer": _TEXT,
}
_NAMES: dict[str, str] = {
    **{name: instead for names, instead in _GROUPS.items() for name in names.split()},
    "CTC": _TEXT,
    "CTCDecode": _TEXT,
    "ctc": _TEXT,
    "LocallyConnected2D": "use Conv2D, whose filters are the same at each place",
    "RemoteMonitor": "use CSVLogger, or a Callback of your own",
    "multi_gpu_model": "a model runs on one device; all cores of the processor are used",
    "data": "give numpy arrays, a generator or a keras.utils.Sequence to fit",
    "distribution": "a model runs on one device; all cores of the processor are used",
    "convert_all_kernels_in_model": "filters of Theano are not turned; save them with TensorFlow",
    "HDF5Matrix": "open the file with h5py, and give fit its arrays",
    "SReLU": "use PReLU",
    "TFOptimizer": "use one of keras.optimizers",
    "imdb": _TEXT,
    "reuters": _TEXT,
    "boston_housing": "pyconv is for images; give your own arrays to fit",
    "california_housing": "pyconv is for images; give your own arrays to fit",
    "contrib": "tf.contrib is no part of TensorFlow 2; use tf.keras's layers and optimizers",
    "lite": "save the model as .keras or .h5, which TensorFlow's own converter reads",
    "app": "call the script's main() yourself, and use argparse for its flags",
    "flags": "use argparse",
    "estimator": "use a Sequential's fit and evaluate",
    "tpu": "a model runs on one device; all cores of the processor are used",
}
_MODULES: dict[str, str] = {
    "applications": _PRETRAINED,
    "backend": _NUMPY,
    "ops": _NUMPY,
    "tensorflow.layers": "use tf.keras.layers, and a model's fit",
    "layers": f"build it from the layers that there are, {_SEQUENTIAL}",
    "tensorflow": "only tf.keras is there; " + _NUMPY,
    "preprocessing": "keras.preprocessing has image only",
}


def hint(path: str) -> str:
    """Return what to use in place of the dotted name ``path``."""
    name = path.rpartition(".")[2]
    if path in _MODULES:
        return f"not in pyconv; {_MODULES[path]}"
    if name in _NAMES:
        return f"not in pyconv; {_NAMES[name]}"
    for part in reversed(path.split(".")):
        if part in _NAMES:
            return f"not in pyconv; {_NAMES[part]}"
        if part in _MODULES:
            return f"not in pyconv; {_MODULES[part]}"
    return "not in pyconv; see the table of Keras's names in its documentation"


class _Refusal(type):
    """The type of stand-ins: whatever is done with one is an error."""

    path: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise _missing(cls.path)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise _missing(cls.path)

    def __new__(mcs, name: str, bases: tuple[type, ...], content: dict[str, Any]) -> "_Refusal":
        if bases:
            raise _missing(bases[0].path)  # type: ignore[attr-defined]
        return super().__new__(mcs, name, bases, content)


def stand_in(path: str) -> Any:
    """Return what stands for a name that pyconv does not have, and raises once it is used.

    Scripts import more than they use.
    """
    return _Refusal(path.rpartition(".")[2], (), {"path": path})


def _missing(path: str) -> NotInPyconvError:
    return NotInPyconvError(f"{path}: {hint(path)}", name=path)


def getter(name: str, *sources: ModuleType) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of the module ``name``, whose names are those of ``sources``.

    A name of Keras that is in none of them is a stand-in, whose use is a ``NotInPyconvError``.
    """
    shown = name.replace("pyconv.compat.", "")

    def get(attribute: str) -> Any:
        moved = _older_module(f"{shown}.{attribute}")
        if moved is not None:
            return moved
        for source in sources:
            found = getattr(source, attribute, None)
            if found is not None and _is_public(attribute, found):
                return found
        if attribute.startswith("_"):
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        path = f"{shown}.{attribute}"
        close = _close(sources, attribute)
        if attribute in _NAMES or (not close and shown.rpartition(".")[2] in _MODULES):
            return stand_in(path)
        raise AttributeError(f"module {shown!r} has no attribute {attribute!r}{close}")

    return get


def _older_module(path: str) -> Any:
    """Return what is today's module for one of Keras's older paths, such as keras.layers.core."""
    from pyconv.compat import _finder

    target = _finder.moved(path.partition(".")[2])
    return None if target is None else importlib.import_module(target)


def _is_public(name: str, found: Any) -> bool:
    """Whether it is what a module offers, rather than a file of its package."""
    return not name.startswith("_") and not isinstance(found, ModuleType)


def _close(sources: tuple[ModuleType, ...], attribute: str) -> str:
    names = [name for source in sources for name in dir(source)]
    return did_you_mean(attribute, names, 0.75)
