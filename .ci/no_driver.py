"""Fail where a CUDA build does not import without a driver, or does not say what is missing.

``no_driver.py TEXT``: a part of what ``set_device("cuda")`` must say on a machine without a GPU.
"""

import sys
import warnings

import numpy as np

import pyconv

try:
    pyconv.set_device("cuda")
except ValueError as error:
    reason = str(error)
else:
    sys.exit("set_device('cuda') found a GPU: no test of a machine without one")
print(reason)
if not reason.startswith("set_device: ") or sys.argv[1] not in reason:
    sys.exit(f"it must say {sys.argv[1]!r}")
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    pyconv.set_device("auto")
    pyconv.set_device("auto")
if len(said) != 1 or pyconv.get_device() != "cpu" or len(pyconv.devices()) != 1:
    sys.exit(f"'auto' must take the CPU and say so once, got {[str(w.message) for w in said]}")
layer = pyconv.layers.Dense(2)
if not np.isfinite(layer(np.ones((3, 4)))).all():
    sys.exit("the CPU does not compute")
