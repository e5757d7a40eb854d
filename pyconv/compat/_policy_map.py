"""Keras's dtype policies by the paths of layers."""

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from pyconv.compat._dtype_policy import DTypePolicy


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by the path of a layer, or by a pattern of paths.

    Args:
        default_policy: the policy of all other paths; None for that which ``set_dtype_policy``
            chose.
        policy_map: a dict of policies to begin with.

    Raises:
        TypeError: ``policy_map`` is not a dict.
        ValueError: ``default_policy`` is no policy.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> policies = keras.dtype_policies.DTypePolicyMap()
        >>> policies["encoder/.*"] = "mixed_float16"
        >>> policies["encoder/dense"].name, policies["decoder"].name
        ('mixed_float16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: Any = None) -> None:
        from pyconv.compat.keras import dtype_policies

        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("`default_policy` cannot be a `DTypePolicyMap`.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                "If specified, `policy_map` must be a dict. Received: "
                f"policy_map={policy_map!r:.60} of type {type(policy_map).__name__}"
            )
        self._given = default_policy
        self._default = dtype_policies.get(default_policy)
        self._policies: dict[str, DTypePolicy] = dict(policy_map or {})

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths that are not in the map."""
        return self._default

    @property
    def name(self) -> str:
        """The name, which has that of the default policy."""
        return f"map_{self._default.name}"

    @property
    def compute_dtype(self) -> str:
        """The type of results by the default policy."""
        return self._default.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of weights by the default policy."""
        return self._default.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How the default policy quantizes, or None."""
        return self._default.quantization_mode

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        fitting = [pattern for pattern in self._policies if re.fullmatch(pattern, key)]
        if len(fitting) > 1:
            raise ValueError(
                f"Path '{key}' matches multiple dtype policy specification keys: {fitting}; make "
                "the patterns such that each path fits but one"
            )
        return self._policies[fitting[0]] if fitting else self._default

    def __setitem__(self, key: str, policy: Any) -> None:
        from pyconv.compat.keras import dtype_policies

        if key in self._policies:
            raise ValueError(
                f"{key} already exist in the DTypePolicyMap with value {self._policies[key]}; "
                "delete it first"
            )
        try:
            self._policies[key] = dtype_policies.get(policy)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "Cannot interpret the assigned value by `keras.dtype_policies.get`. Received: "
                f"{policy!r:.60} of type {type(policy).__name__}"
            ) from error

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def pop(self, key: str, *default: Any) -> Any:
        """Take a path's own policy out and return it; KeyError where there is none."""
        return self._policies.pop(key, *default)

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return id(self)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data.

        Where no default is given, the policies in it are those of the time of loading, as in
        Keras.
        """
        from pyconv.compat.keras import dtype_policies

        policies = {key: dtype_policies.serialize(one) for key, one in self._policies.items()}
        default = self._given
        if default is None:
            for key, one in self._policies.items():
                policies[key]["config"] = one.deferred_config()
        elif isinstance(default, DTypePolicy):
            default = dtype_policies.serialize(default)
        return {"default_policy": default, "policy_map": policies}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "DTypePolicyMap":
        """Return a new map of what ``get_config`` returned."""
        from pyconv.compat.keras import dtype_policies

        policies = {
            key: dtype_policies.deserialize(one, custom_objects)
            for key, one in config["policy_map"].items()
        }
        default = config.get("default_policy")
        return cls(default, policies)

    def __repr__(self) -> str:
        mapping = [(key, policy.name) for key, policy in self._policies.items()]
        return (
            f"<DTypePolicyMap at {hex(id(self))} default_policy={self._default.name}, "
            f"mapping={mapping}>"
        )
