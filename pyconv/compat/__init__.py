"""Keras's names and arguments, so that scripts written for Keras run on pyconv.

Three ways in: ``import pyconv.compat.keras as keras`` in place of ``import keras``;
``python -m pyconv.compat SCRIPT.py`` for a script as it stands; ``pyconv.compat.install()`` at its
head. The last two answer ``import keras`` and ``from tensorflow import keras``.
"""

from pyconv.compat._era import compat, select
from pyconv.compat._finder import install, uninstall

__all__ = ["compat", "install", "select", "uninstall"]
