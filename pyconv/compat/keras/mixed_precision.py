"""``keras.mixed_precision``: policies of types; pyconv computes in float32 whatever the policy."""

from pyconv.compat import _unsupported
from pyconv.compat.keras.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from pyconv.compat.keras.optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
    "set_policy",
]

__getattr__ = _unsupported.getter(__name__)
