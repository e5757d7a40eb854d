"""``keras.saving``: models in files."""

from pyconv.compat import _unsupported
from pyconv.compat.keras import models

__all__ = [name for name in ("load_model", "save_model") if name in models.__all__]
__getattr__ = _unsupported.getter(__name__, models)
