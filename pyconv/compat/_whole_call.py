"""The ``call`` of a model of one's own as one layer, where it is not made of layers alone."""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

from pyconv.compat._autodiff import Taped
from pyconv.compat._eager import eager
from pyconv.compat._recording import Recording
from pyconv.compat._tensor import Tensor
from pyconv.compat._tracked import held
from pyconv.compat.keras.layers import Layer
from pyconv.variable import Variable


class SeveralResultsError(NotImplementedError):
    """A call gives something else than one array."""


class WholeCall(Layer):  # type: ignore[misc]
    """A layer that runs a model's ``call``, and takes the gradients by a tape.

    Its weights are those of the model and of the layers that the model holds.

    Args:
        model: the model.
    """

    runs_whole_call = True
    reason = ""  # for which the call was not followed

    def __init__(self, model: Any) -> None:
        self._of = [lambda: model]  # in a function, so that it does not count as a layer within
        super().__init__(name=model.name)
        self.__dict__["_trainable"] = bool(model.trainable)

    def _holder(self) -> Any:
        return self._of[0]()

    @property
    def label(self) -> str:
        """What errors call it: as the model."""
        return str(self._of[0]().label)

    @property
    def _layers(self) -> list[Any]:
        return self._of[0]()._parts() if "_of" in vars(self) else []

    def _loose_variables(self) -> list[Any]:
        """Return the variables that are attributes of the model."""
        added = set(map(id, self._weights.values()))
        found = variables_of(self._of[0]()) if "_of" in vars(self) else []
        return [one for one in found if id(one) not in added]

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return what the model's call gives."""
        model = self._of[0]()
        takes = "training" in inspect.signature(model.call).parameters
        options = {"training": training} if takes else {}
        plain = isinstance(inputs, (Taped, Tensor))
        y = model.call(inputs if plain else eager(inputs), **options)
        if not hasattr(y, "__array__") and not isinstance(y, Tensor):
            reason = f" ({self.reason})" if self.reason else ""
            raise SeveralResultsError(
                f"{self.label}: its call is not made of layers alone{reason}, and must then give "
                f"one array, got a {type(y).__name__}"
            )
        return y

    @contextlib.contextmanager
    def _watching(self, recording: Recording) -> Iterator[None]:
        """Within, weights that are attributes of the model are taped too."""
        model = self._of[0]()
        own = {id(weight) for weight in self.params}
        found = {name: value for name, value in vars(model).items() if id(value) in own}
        try:
            vars(model).update((n, recording.watched(weight)) for n, weight in found.items())
            yield
        finally:
            vars(model).update(found)


def variables_of(model: Any) -> list[Any]:
    """Return the variables that are attributes of a model, also in lists, tuples and dicts."""
    found = (leaf for value in list(vars(model).values()) for leaf in held(value))
    return list({id(leaf): leaf for leaf in found if isinstance(leaf, Variable)}.values())


def has_weights(model: Any) -> bool:
    """Whether a model has weights of its own."""
    whole = vars(model).get("_whole")
    added = whole is not None and bool(whole._weights)
    return added or any(variable.trainable for variable in variables_of(model))


def whole_call(model: Any) -> WholeCall:
    """Return the layer that runs a model's call."""
    found = vars(model).get("_whole")
    if found is None:
        found = vars(model)["_whole"] = WholeCall(model)
    return found  # type: ignore[no-any-return]
