"""Steps of optimizers and calls of layers on arrays that are given, as JAX wants them."""

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


class StatelessCall:
    """What a layer of the user's own has for such calls."""

    def stateless_call(
        self: Any,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return the result for these values of the variables, and what the others became.

        Args:
            trainable_variables: values of ``trainable_variables``.
            non_trainable_variables: values of ``non_trainable_variables``.
            *args: what the layer is called with.
            return_losses: whether the losses are returned as well.
            **kwargs: what it is called with by name.

        Raises:
            ValueError: there are too many or too few values, or the layer is not built.
        """
        if not self.built:
            raise ValueError(f"{self.label}: stateless_call needs a built layer; call build first")
        pairs = []
        for name, given in (
            ("trainable_variables", trainable_variables),
            ("non_trainable_variables", non_trainable_variables),
        ):
            own = getattr(self, name)
            if len(own) != len(given):
                raise ValueError(
                    f"{self.label}: {name} must be {len(own)} arrays, got {len(given)}"
                )
            pairs += [
                (variable, np.array(value)) for variable, value in zip(own, given, strict=True)
            ]
        before = [np.array(variable) for variable, _ in pairs]
        try:
            for variable, value in pairs:
                variable[...] = value
            y = self(*args, **kwargs)
            states = [np.array(variable) for variable in self.non_trainable_variables]
            losses = list(self.losses)
        finally:
            for (variable, _), value in zip(pairs, before, strict=True):
                variable[...] = value
        return (y, states, losses) if return_losses else (y, states)
