"""The variables of a model in dicts by path, as ``Model.get_state_tree`` of Keras 3 has them."""

from typing import Any

import numpy as np

from pyconv._args import is_one_of

_KINDS = ("trainable_variables", "non_trainable_variables", "optimizer_variables",
          "metrics_variables")  # fmt: skip


class StateTree:
    """A model whose variables are given and taken in dicts of dicts."""

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict[str, Any]]:
        """Return the values of all variables.

        Args:
            value_format: ``"backend_tensor"`` or ``"numpy_array"``: arrays of numpy's, copies.

        Returns:
            Dicts by kind: ``trainable_variables``, ``non_trainable_variables``,
            ``optimizer_variables`` and ``metrics_variables``; in each the parts of the paths of
            its variables lead to the values: ``tree["trainable_variables"]["dense"]["kernel"]``.

        Raises:
            ValueError: ``value_format`` is neither, or two variables have one path.

        Example:
            >>> import pyconv.compat.keras as keras
            >>> layer = keras.layers.Dense(1, kernel_initializer="ones", name="head")
            >>> model = keras.Sequential([keras.Input((2,)), layer])
            >>> model.get_state_tree()["trainable_variables"]["head"]["bias"].tolist()
            [0.0]
        """
        if not is_one_of(value_format, ("backend_tensor", "numpy_array")):
            raise ValueError(
                "get_state_tree: value_format must be 'backend_tensor' or 'numpy_array', got "
                f"{value_format!r:.60}"
            )
        return {
            kind: _tree({path: np.array(v) for path, v in self._by_path(kind).items()})
            for kind in _KINDS
        }

    def set_state_tree(self, state_tree: dict[str, dict[str, Any]]) -> None:
        """Set variables to the values of a tree as ``get_state_tree`` returns, or of parts of it.

        Args:
            state_tree: dicts by kind, and by the parts of paths.

        Raises:
            TypeError: it is no dict.
            ValueError: a kind is not known, or a value has another shape than its variable.
        """
        if not isinstance(state_tree, dict):
            raise TypeError(f"set_state_tree: state_tree must be a dict, got {state_tree!r:.60}")
        unknown = sorted(set(state_tree) - set(_KINDS))
        if unknown:
            raise ValueError(f"set_state_tree: unknown kinds {unknown}; there are {list(_KINDS)}")
        for kind, tree in state_tree.items():
            if kind == "optimizer_variables":
                self._set_optimizer(tree)
                continue
            for path, variable in self._by_path(kind).items():
                value = _found(tree, path)
                if value is None:
                    continue
                if np.shape(value) != np.shape(variable):
                    raise ValueError(
                        f"set_state_tree: {path} must be of shape {np.shape(variable)}, got "
                        f"{np.shape(value)}"
                    )
                variable[...] = value

    @property
    def metrics_variables(self: Any) -> list[Any]:
        """The variables of the metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def _by_path(self: Any, kind: str) -> dict[str, Any]:
        """Return the variables of a kind by path, without the model's own name."""
        if kind == "optimizer_variables":
            optimizer = self.optimizer
            variables = [] if optimizer is None else list(optimizer.variables)
            start = "" if optimizer is None else f"{optimizer.name}/"
        else:
            variables, start = list(getattr(self, kind)), ""
        found: dict[str, Any] = {}
        for variable in variables:
            path = str(variable.path).removeprefix(f"{self.name}/")
            path = path if path.startswith(start) else start + path
            if path in found:
                raise ValueError(
                    "get_state_tree: The following variable path is found twice in the model: "
                    f"{path!r}; give the layers names that differ"
                )
            found[path] = variable
        return found

    def _set_optimizer(self: Any, tree: Any) -> None:
        optimizer = self.optimizer
        if optimizer is None:
            raise ValueError("set_state_tree: the model has no optimizer; compile it first")
        values = []
        for path, variable in self._by_path("optimizer_variables").items():
            value = _found(tree, path)
            last = path.rpartition("/")[2]
            if value is not None and last == "learning_rate":
                optimizer.learning_rate = float(np.asarray(value))
            values.append(np.asarray(variable) if value is None else np.asarray(value))
        if optimizer.built:
            optimizer.set_weights(values)


def _tree(by_path: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in by_path.items():
        *parts, last = path.split("/")
        node = tree
        for part in parts:
            node = node.setdefault(part, {})
        node[last] = value
    return tree


def _found(tree: Any, path: str) -> Any:
    """Return what a tree has at a path, None where it has nothing."""
    for part in path.split("/"):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree
