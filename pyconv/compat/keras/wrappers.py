"""``keras.wrappers``: models as scikit-learn's estimators, which need scikit-learn.

``keras.wrappers.scikit_learn`` of Keras 1 and 2.
"""

import copy
import inspect
from typing import Any

import numpy as np

from pyconv.compat import _unsupported
from pyconv.compat.keras.models import Sequential
from pyconv.utils import to_categorical

__all__ = ["KerasClassifier", "KerasRegressor"]

_OF_METHODS = {
    name: set(inspect.signature(getattr(Sequential, name)).parameters) - {"self", "x", "y"}
    for name in ("predict", "evaluate")
}
_OF_METHODS["fit"] = {
    "batch_size", "callbacks", "class_weight", "epochs", "initial_epoch", "nb_epoch",
    "sample_weight", "shuffle", "steps_per_epoch", "validation_data", "validation_split",
    "validation_steps", "verbose",
}  # fmt: skip


class _Estimator:
    """A function that makes a model, with arguments of it and of ``fit`` and ``predict``."""

    _kind = ""

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn, self.sk_params = build_fn, sk_params

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments."""
        return {**copy.copy(self.sk_params), "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Any:
        """Set arguments; return the estimator."""
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.sk_params.update(params)
        return self

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Make the model and train it; return its history."""
        make: Any = self.build_fn or self
        wanted = set(inspect.signature(make).parameters)
        self.model = make(**{k: v for k, v in self.sk_params.items() if k in wanted})
        return self.model.fit(x, y, **self._options("fit", kwargs))

    def _options(self, method: str, kwargs: Any) -> dict[str, Any]:
        names = _OF_METHODS[method]
        return {**{k: v for k, v in self.sk_params.items() if k in names}, **kwargs}

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import (  # type: ignore[import-not-found]
            ClassifierTags,
            InputTags,
            RegressorTags,
            Tags,
            TargetTags,
        )

        tags = Tags(self._kind, TargetTags(required=True), input_tags=InputTags())
        if self._kind == "classifier":
            tags.classifier_tags = ClassifierTags()
        else:
            tags.regressor_tags = RegressorTags()
        return tags

    @property
    def _estimator_type(self) -> str:
        return self._kind


class KerasClassifier(_Estimator):
    """A model that predicts classes, as scikit-learn has them.

    Args:
        build_fn: a function that returns a compiled model; a subclass may define ``__call__``.
        **sk_params: arguments of that function, of ``fit``, ``predict`` and ``evaluate``.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> def make(units=2):
        ...     model = keras.Sequential([keras.layers.Dense(units, input_shape=(3,))])
        ...     model.compile("sgd", "sparse_categorical_crossentropy")
        ...     return model
        >>> classifier = keras.wrappers.KerasClassifier(make, units=2, epochs=1, verbose=0)
        >>> history = classifier.fit(np.eye(3), np.array([0, 1, 1]))
        >>> classifier.classes_.tolist(), classifier.predict(np.eye(3)).shape
        ([0, 1], (3,))
    """

    _kind = "classifier"

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Make the model and train it; labels (N,) or (N, classes). Return its history."""
        labels = np.asarray(y)
        if labels.ndim == 2 and labels.shape[1] > 1:
            self.classes_ = np.arange(labels.shape[1])
        else:
            self.classes_, found = np.unique(labels, return_inverse=True)
            labels = found.reshape(labels.shape[0])
        self.n_classes_ = len(self.classes_)
        return super().fit(x, labels, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> Any:
        """Return the class of each sample."""
        scores = self.model.predict(x, **self._options("predict", kwargs))
        if scores.shape[-1] > 1:
            return self.classes_[scores.argmax(axis=-1)]
        return self.classes_[(scores > 0.5).astype(np.int64).ravel()]

    def predict_proba(self, x: Any, **kwargs: Any) -> Any:
        """Return the probabilities of the classes (N, classes)."""
        scores = self.model.predict(x, **self._options("predict", kwargs))
        return np.hstack([1 - scores, scores]) if scores.shape[1] == 1 else scores

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Return the accuracy.

        Raises:
            ValueError: the model is not compiled with ``metrics=["accuracy"]``.
        """
        labels = np.searchsorted(self.classes_, np.asarray(y)) if np.ndim(y) == 1 else np.asarray(y)
        loss = getattr(self.model.loss, "__name__", self.model.loss)
        if loss == "categorical_crossentropy" and labels.ndim != 2:
            labels = to_categorical(labels, self.n_classes_)
        outputs = self.model.evaluate(x, labels, **self._options("evaluate", kwargs))
        for name, value in zip(self.model.metrics_names, np.atleast_1d(outputs), strict=False):
            if name in ("acc", "accuracy"):
                return float(value)
        raise ValueError(
            "KerasClassifier.score: the model must be compiled with metrics=['accuracy']"
        )


class KerasRegressor(_Estimator):
    """A model that predicts numbers, as scikit-learn has them.

    Args:
        build_fn: a function that returns a compiled model; a subclass may define ``__call__``.
        **sk_params: arguments of that function, of ``fit``, ``predict`` and ``evaluate``.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> def make():
        ...     model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> regressor = keras.wrappers.KerasRegressor(make, epochs=1, verbose=0)
        >>> history = regressor.fit(np.eye(3), np.arange(3.0))
        >>> regressor.predict(np.eye(3)).shape
        (3,)
    """

    _kind = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> Any:
        """Return the number of each sample (N,)."""
        return np.squeeze(self.model.predict(x, **self._options("predict", kwargs)), -1)

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Return the loss with its sign changed: more is better."""
        found = self.model.evaluate(x, y, **self._options("evaluate", kwargs))
        return -float(np.atleast_1d(found)[0])


__getattr__ = _unsupported.getter(__name__)
