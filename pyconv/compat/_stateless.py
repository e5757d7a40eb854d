"""Steps of optimizers on arrays that are given, as JAX wants them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Stateless:
    """What an optimizer has for such steps."""

    def stateless_apply(
        self: Any,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Return (parameters, variables) after a step; the optimizer's own stay as they are.

        Args:
            optimizer_variables: arrays as ``variables`` lists them.
            grads: a gradient a parameter.
            trainable_variables: the parameters, as arrays.

        Raises:
            ValueError: the optimizer is not built, or there are too many or too few arrays.
        """
        owner = type(self).__name__
        if not self.built:
            raise ValueError(
                f"{owner}: To call `stateless_apply`, the optimizer must be built (i.e. its "
                "variables must have been created); call build(trainable_variables) first"
            )
        if len(optimizer_variables) != len(self.variables):
            raise ValueError(
                f"{owner}: Argument `optimizer_variables` must hold {len(self.variables)} arrays, "
                f"as `variables` does, got {len(optimizer_variables)}"
            )
        kept = [np.array(own) for own in self.variables]
        params = [np.array(param, np.float32) for param in trainable_variables]
        try:
            self.set_weights([np.asarray(value) for value in optimizer_variables])
            self.apply(grads, params)
            return params, [np.array(own) for own in self.variables]
        finally:
            self.set_weights(kept)
