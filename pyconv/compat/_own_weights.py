"""Weights that layers of the user's own add."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pyconv.compat._autodiff import unwrapped
from pyconv.compat._tracked import Tracked
from pyconv.variable import Variable

_NOTHING = (
    "You cannot add new elements of state (variables or sub-layers) to a layer that is already "
    "built. All state must be created in the `__init__()` method or in the `build()` method."
)


class Lock:
    """Whether weights may be added, as Keras's ``_tracker`` says."""

    def __init__(self) -> None:
        self.locked = False

    def lock(self, *args: Any) -> None:
        """Refuse more weights."""
        self.locked = True

    def unlock(self) -> None:
        """Take weights again."""
        self.locked = False


class OwnWeights(Tracked):
    """The weights of such a layer, of any type of numbers, as long as they may be added."""

    def add_weight(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Add a weight; see ``pyconv.layers.Layer.add_weight``.

        A weight of integers or of truth values must not be trainable.
        """
        from pyconv.compat import _era

        if len(args) > 3:
            raise TypeError(
                f"{self.label}: add_weight takes at most 3 positional arguments: shape, "
                f"initializer and dtype; got {len(args)}"
            )
        if args and isinstance(args[0], str) and not _era.is_keras2():
            raise ValueError(
                f"{self.label}: the first argument of add_weight is shape, got {args[0]!r:.60}; "
                "give the name of the weight as the `name` keyword argument"
            )
        if args and "shape" in kwargs and not isinstance(args[0], str):
            raise ValueError(
                f"{self.label}: add_weight: `shape` was passed both positionally and as a keyword "
                "argument"
            )
        if self._tracker.locked:
            raise ValueError(f"{self.label}: {_NOTHING}")
        if args and isinstance(args[0], str):  # Keras 2 has the name first
            kwargs.setdefault("name", args[0])
            args = args[1:]
        given = {**dict(zip(("shape", "initializer", "dtype"), args, strict=False)), **kwargs}
        dtype = given.pop("dtype", None)
        if dtype is not None and np.dtype(dtype).kind in "iub":
            weight = self._add_whole_numbers(np.dtype(dtype), given)
        else:
            weight = super().add_weight(**given)  # type: ignore[misc]
        weight.trainable = given.get("trainable", True) and self.trainable
        weight._path = f"{self.path}/{weight.name}"
        return weight

    _updates: tuple[tuple[Any, Any], ...] = ()  # weights and their new values, of this call

    def add_update(self: Any, updates: Any, inputs: Any = None) -> None:
        """Give weights new values at the end of this call, where it is one of training.

        Args:
            updates: a pair of a weight and its new value, or a list of such pairs. What
                ``K.update`` gave has been done.
            inputs: has no effect.

        Raises:
            TypeError: the first of a pair is not a weight.
        """
        pairs = [updates] if isinstance(updates, tuple) else updates
        for pair in pairs if isinstance(pairs, list) else []:
            if isinstance(pair, tuple):
                if len(pair) != 2 or not hasattr(pair[0], "assign"):
                    raise TypeError(
                        f"{self.label}: add_update takes pairs of a weight and its new value, got "
                        f"{pair!r:.60}"
                    )
                self._updates += ((pair[0], pair[1]),)

    _told_bound: frozenset[str] = frozenset()  # attributes of which the warning has been given

    def _holder(self) -> Any:
        """Return what has the weights as attributes."""
        return self

    @contextmanager
    def _weights_of_call(self: Any, training: Any) -> Iterator[None]:
        """Keep attributes that are weights through a call, and then do the updates it added.

        ``self.centers -= ...`` in a call binds the attribute to the result. Keras's graphs, which
        are made once, have the weight there in each step all the same.
        """
        self._updates = ()
        attributes = vars(self._holder())
        # Under a tape attributes are arrays whose source is the weight.
        sources = [getattr(value, "source", None) for value in attributes.values()]
        taped = [source for source in sources if isinstance(source, Variable)]
        own = {id(w): w for w in [*self._weights.values(), *self._loose_variables(), *taped]}
        held = {
            name: value
            for name, value in attributes.items()
            if id(value) in own or id(getattr(value, "source", None)) in own
        }
        before = [w for w in own.values() if isinstance(w, Variable) and not w._kept]
        for weight in before:
            weight._kept = True
        try:
            yield
        finally:
            for weight in before:
                weight._kept = False
            own.update((id(w), w) for w in self._weights.values())
            for name, value in held.items():
                now = attributes.get(name)
                if now is value or not hasattr(now, "__array__") or id(now) in own:
                    continue
                attributes[name] = value
                if name not in self._told_bound:
                    self._told_bound |= {name}
                    self._tell_bound(name)
            updates, self._updates = self._updates, ()
        for weight, value in updates if training else ():
            weight.assign(np.asarray(unwrapped(value)))

    def _tell_bound(self: Any, name: str) -> None:
        warnings.warn(
            f"{self.label}: its call binds self.{name}, which is a weight, to a result; the "
            f"weight keeps its value, as in Keras's graphs: to change it, self.{name}.assign(...), "
            f"or self.{name}.assign_sub(...) for -=",
            stacklevel=2,
        )

    def _add_whole_numbers(self: Any, dtype: Any, given: dict[str, Any]) -> Any:
        """Add a weight that is no float32, kept as a variable of its type."""
        if given.get("trainable", True):
            raise ValueError(
                f"{self.label}: a weight of {dtype.name} must have trainable=False: only float32 "
                "is trained"
            )
        given.setdefault("initializer", "zeros")
        first = super().add_weight(**given)  # type: ignore[misc]
        weight = np.asarray(first).astype(dtype).view(type(first))
        weight.name, weight.trainable = first.name, False
        self._weights[first.name] = weight
        return weight

    def _untrack_variable(self: Any, variable: Any) -> None:
        """Forget a weight."""
        self._forgotten |= {id(variable)}
        for name, weight in list(self._weights.items()):
            if weight is variable:
                del self._weights[name]
                self._untrained.discard(name)
                self.weight_regularizers.pop(name, None)
                self.weight_constraints.pop(name, None)
                self._grads.clear()
