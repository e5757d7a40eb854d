"""``tensorflow``, of which there is ``tf.keras`` only."""

from types import SimpleNamespace
from typing import Any

from pyconv.compat import _unsupported, keras
from pyconv.utils import set_random_seed

__all__ = ["config", "keras", "random"]

__version__ = "2.0.0"
random = SimpleNamespace(set_seed=set_random_seed)
config = SimpleNamespace(
    list_physical_devices=lambda device_type=None: [],
    experimental=SimpleNamespace(
        list_physical_devices=lambda device_type=None: [],
        set_memory_growth=lambda device, enable: None,
    ),
)
__getattr__: Any = _unsupported.getter(__name__)
