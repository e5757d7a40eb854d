"""Parameters that weight decay leaves alone."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv._types import Array


class Exclusion:
    """What ``exclude_from_weight_decay`` was told, and the decay of the other parameters."""

    def __init__(self, var_list: Sequence[Any] | None, var_names: Sequence[str] | None) -> None:
        self._variables = list(var_list or [])
        self._pattern = re.compile("|".join(sorted(set(var_names)))) if var_names else None
        self._decays: list[bool] = []

    def resolve(self, variables: Sequence[Any], names: Sequence[str] | None) -> None:
        """Find out which of these parameters decay.

        Raises:
            ValueError: parameters are excluded by name, and have none.
        """
        known: Sequence[Any] = names or [getattr(variable, "name", None) for variable in variables]
        if self._pattern is not None and None in known:
            raise ValueError(
                "exclude_from_weight_decay: var_names needs parameters with names, got arrays "
                "without; set the optimizer's variable_names, or give var_list"
            )
        self._decays = [
            not any(variable is other for other in self._variables)
            and not (self._pattern is not None and self._pattern.search(_last(str(name))))
            for variable, name in zip(variables, known, strict=True)
        ]

    def of(self, indices: Sequence[int]) -> "Exclusion":
        """Return what holds for some of the parameters."""
        some = Exclusion(self._variables, None)
        some._decays = [self._decays[i] for i in indices]
        return some

    def decays(self, index: int) -> bool:
        """Whether the parameter of that number decays."""
        return self._decays[index]

    def decay(self, params: Sequence[Array], factor: float) -> None:
        """Take ``w * factor`` from each parameter that decays."""
        for param, decays in zip(params, self._decays, strict=True):
            if decays:
                np.subtract(param, param * np.float32(factor), out=param)


def _last(path: str) -> str:
    """Return the name at the end of a path: that of 'dense/kernel' is 'kernel'."""
    return path.rpartition("/")[2]
