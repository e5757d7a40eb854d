"""What scripts say to TensorFlow of devices and sessions; on pyconv it has no effect."""

import contextlib
import os
from types import SimpleNamespace
from typing import Any

from pyconv.compat._unsupported import NotInPyconvError
from pyconv.compat.keras import optimizers
from pyconv.compat.tensorflow._checkpoint import Checkpoint, CheckpointManager


class Options:
    """Takes any options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        vars(self).update(kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.__dict__[name] = Options()
        return self.__dict__[name]


class Session:
    """Stands for a session, of which there are none: ``run`` is an error."""

    graph = Options()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def run(self, fetches: Any, feed_dict: Any = None) -> None:
        """Raise an error, but for an initializer of variables."""
        if not isinstance(fetches, Options):
            raise NotInPyconvError(
                "tensorflow.Session.run: not in pyconv, which has no graphs; call model.predict"
            )

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error: object) -> None:
        pass


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


def _none(*args: Any, **kwargs: Any) -> list[Any]:
    return []


_devices = {
    "list_physical_devices": _none,
    "list_logical_devices": _none,
    "get_visible_devices": _none,
    "set_visible_devices": _nothing,
    "set_logical_device_configuration": _nothing,
}
CONFIG = SimpleNamespace(
    **_devices,
    run_functions_eagerly=_nothing,
    optimizer=SimpleNamespace(set_jit=_nothing, set_experimental_options=_nothing),
    threading=SimpleNamespace(
        set_inter_op_parallelism_threads=_nothing, set_intra_op_parallelism_threads=_nothing
    ),
    experimental=SimpleNamespace(
        **_devices,
        set_memory_growth=_nothing,
        get_memory_growth=_nothing,
        set_virtual_device_configuration=_nothing,
        VirtualDeviceConfiguration=Options,
        enable_op_determinism=_nothing,
    ),
)


class Strategy:
    """Trains on the one device that there is."""

    num_replicas_in_sync = 1

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def scope(self) -> Any:
        """Return a context that changes nothing."""
        return contextlib.nullcontext()


def latest_checkpoint(checkpoint_dir: Any, latest_filename: Any = None) -> str | None:
    """Return the file of a folder that was written last, None where there is none."""
    if not os.path.isdir(checkpoint_dir):
        return None
    with os.scandir(checkpoint_dir) as entries:
        files = [entry for entry in entries if entry.is_file()]
    return max(files, key=lambda entry: entry.stat().st_mtime_ns).path if files else None


DISTRIBUTE = SimpleNamespace(
    MirroredStrategy=Strategy, OneDeviceStrategy=Strategy, get_strategy=Strategy
)
# TensorFlow 1's optimizers, whose first argument is the learning rate.
TRAIN = SimpleNamespace(
    Checkpoint=Checkpoint,
    CheckpointManager=CheckpointManager,
    latest_checkpoint=latest_checkpoint,
    AdagradOptimizer=optimizers.Adagrad,
    AdamOptimizer=optimizers.Adam,
    GradientDescentOptimizer=optimizers.SGD,
    MomentumOptimizer=optimizers.SGD,
    RMSPropOptimizer=optimizers.RMSprop,
)
PYTHON = SimpleNamespace(
    client=SimpleNamespace(
        device_lib=SimpleNamespace(
            list_local_devices=lambda *args: [Options(name="/device:CPU:0", device_type="CPU")]
        )
    ),
    framework=SimpleNamespace(ops=SimpleNamespace(reset_default_graph=_nothing)),
)
