"""Training and test steps of the user's own: ``train_step``, ``compute_loss`` and the like."""

import inspect
from typing import Any

import numpy as np

from pyconv._types import Array
from pyconv.batches import Batch
from pyconv.compat._autodiff import Taped, unwrapped
from pyconv.compat._eager import eager
from pyconv.compat._gradient_tape import GradientTape
from pyconv.compat._masking import masks_of, set_masks
from pyconv.compat._no_loss import LossTracker, NoLoss
from pyconv.compat._taped_losses import taped_loss
from pyconv.compat._trees import leaves
from pyconv.losses.loss import Loss
from pyconv.metrics.metric import Metric
from pyconv.model import Sequential
from pyconv.objective import Objective

_METHODS = {
    "train": ("train_step", "compute_loss", "_compute_loss", "compute_metrics", "metrics"),
    "test": ("test_step", "compute_loss", "_compute_loss", "compute_metrics", "metrics"),
    "predict": ("predict_step",),
}


class OwnSteps(Sequential):
    """What a model has of Keras's steps, which a subclass may define anew.

    A model that defines none of them makes its steps without coming here.
    """

    _own: frozenset[str] = frozenset()  # of 'train', 'test' and 'predict'
    _calls_layers = False  # rather than predict_step
    _objective: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Note which steps are the user's own."""
        super().__init_subclass__(**kwargs)
        cls._own = frozenset(
            step
            for step, names in _METHODS.items()
            if any(_definer(cls, name) is not _definer(OwnSteps, name) for name in names)
        )

    # --- what the loops call ------------------------------------------------------------------

    def _train_step(self, batch: Batch) -> None:
        if "train" not in self._own:
            super()._train_step(batch)
            return
        self._give(self.train_step(self._data_of(batch)))

    def _can_run_ahead(self) -> bool:
        return "train" not in self._own and super()._can_run_ahead()

    def _test_step(self, batch: Batch) -> None:
        if "test" not in self._own:
            super()._test_step(batch)
            return
        self._give(self.test_step(self._data_of(batch)))

    def _give(self, results: dict[str, Any]) -> None:
        """Have what a step returned be shown, and listed as Keras does: the metrics are first."""
        metrics = [*self._objective.names(), *(metric.name for metric in self.metrics)]
        names = dict.fromkeys([*metrics, *sorted(results)])
        self._objective.give({name: results[name] for name in names if name in results})

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the output for a batch; see ``pyconv.Sequential``."""
        if "predict" not in self._own:
            return super().__call__(x, training)
        outer, self._calls_layers = self._calls_layers, True
        try:
            return super().__call__(x, training)
        finally:
            self._calls_layers = outer

    def _predicted(self, x: Array) -> Array:
        if "predict" not in self._own or self._calls_layers:
            return super()._predicted(x)
        return np.array(unwrapped(self.predict_step(eager(x))), np.float32)

    def _predicted_again(self, x: Any, most: Any) -> Array | None:
        return None if "predict" in self._own else super()._predicted_again(x, most)

    def _data_of(self, batch: Batch) -> Any:
        """Return inputs, targets and weights as steps of the user's own take them."""
        x, y, weight = eager(batch.x), batch.y, batch.sample_weight
        if self._objective.has_no_targets:
            return x
        return (x, eager(y)) if weight is None else (x, eager(y), eager(weight))

    # --- Keras's steps ------------------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, Any]:
        """Make a step on a batch; return loss and metrics so far.

        Args:
            data: ``(x, y)`` or ``(x, y, sample_weight)``, or x alone.

        Example:
            >>> import numpy as np, pyconv.compat.keras as keras
            >>> class Counting(keras.Sequential):
            ...     def train_step(self, data):
            ...         return {**super().train_step(data), "rows": len(data[0])}
            >>> model = Counting([keras.Input((2,)), keras.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
            >>> history.history["rows"]
            [4.0]
        """
        x, y, weight = _unpacked(data)
        if not self._has_own("compute_loss", "_compute_loss", "compute_metrics", "metrics"):
            super()._train_step(Batch(unwrapped(x), np.asarray(y), weight))
            return self.get_metrics_result()
        optimizer: Any = self.optimizer
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self._loss_of(x, y, y_pred, weight, True)
            scaled = optimizer.scale_loss(loss)
        self._objective.add_loss(float(loss), len(x))
        params = self._params()
        if params:
            if not optimizer.built:
                optimizer.variable_names = self._param_names()
            grads = tape.gradient(scaled, params, unconnected_gradients="zero")
            optimizer.apply([np.asarray(grad, np.float32) for grad in grads], params)
            for layer in self._constrained:
                layer.constrain()
        return self.compute_metrics(x, y, _plain(y_pred), weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure a batch; return loss and metrics so far. See ``train_step``."""
        x, y, weight = _unpacked(data)
        y_pred = self(x, training=False)
        loss = self._loss_of(x, y, y_pred, weight, False)
        self._objective.add_loss(float(loss), len(x))
        return self.compute_metrics(x, y, y_pred, weight)

    def predict_step(self, data: Any) -> Any:
        """Return the outputs of a batch."""
        return self(_unpacked(data)[0], training=False)

    def _loss_of(self, x: Any, y: Any, y_pred: Any, weight: Any, training: bool) -> Any:
        takes = "training" in inspect.signature(self.compute_loss).parameters
        options = {"training": training} if takes else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight, **options)

    def _give_targets(self, y: Any, y_pred: Any) -> None:
        """Take up the targets of a batch, where losses of tensors are computed of them."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of a batch with the penalties of the regularizers.

        Args:
            x: inputs; not used.
            y: targets.
            y_pred: the model's outputs.
            sample_weight: a weight a sample, or None.
            training: whether it is a step of training.

        Raises:
            ValueError: there is neither a loss nor a penalty.
        """
        self._give_targets(y, y_pred)
        parts = list(self.losses)
        own = None if self._objective is None else self._objective.loss
        if isinstance(own, Loss) and not isinstance(own, NoLoss) and y is not None:
            parts.insert(0, _loss_of(own, y, y_pred, sample_weight) * self._objective.loss_weight)
        if not parts:
            raise ValueError(
                "No loss to compute. Provide a `loss` argument in `compile()`, or an "
                "activity_regularizer on a layer"
            )
        return sum(parts[1:], parts[0])

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Take up a batch in the metrics of ``compile``; return loss and metrics so far."""
        if y is not None:
            mask = getattr(y_pred, "_keras_mask", None)
            self._objective.update_metrics(np.asarray(y), np.asarray(y_pred), sample_weight, mask)
        return self.get_metrics_result()

    # --- steps as TensorFlow 2 has them -------------------------------------------------------

    def compiled_loss(
        self, y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None
    ) -> Any:
        """Return the loss of a batch by what ``compile`` was given, and take it up in the mean.

        Args:
            y: targets.
            y_pred: the model's outputs.
            sample_weight: a weight a sample, or None.
            regularization_losses: penalties to add, such as ``losses``.
        """
        own = None if self._objective is None else self._objective.loss
        if own is None or isinstance(own, NoLoss):
            raise ValueError("compiled_loss: compile was given no loss")
        total = _loss_of(own, y, y_pred, sample_weight) * self._objective.loss_weight
        for penalty in regularization_losses or ():
            total = total + penalty
        self._objective.add_loss(float(total), len(y_pred))
        return total

    @property
    def compiled_metrics(self) -> Any:
        """What has ``update_state(y, y_pred, sample_weight=None)`` for the metrics of compile."""
        return _CompiledMetrics(self)

    # --- metrics ------------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """The mean loss, the metrics of ``compile``, and those that are attributes."""
        found = self._own_metrics()
        if self._objective is None:
            return found
        return [LossTracker(self._objective), *self._objective.metrics, *found]

    def _own_metrics(self) -> list[Metric]:
        """Return the metrics that are attributes of the model, alone or in lists."""
        found: list[Metric] = []
        for value in vars(self).values():
            parts = value if isinstance(value, (list, tuple)) else [value]
            found += [part for part in parts if isinstance(part, Metric)]
        return found

    def _has_own(self, *names: str) -> bool:
        defined = any(_definer(type(self), name) is not _definer(OwnSteps, name) for name in names)
        return defined or bool(self._own_metrics())

    def get_metrics_result(self) -> dict[str, Any]:
        """Return loss and metrics of the batches so far, by name."""
        return {} if self._objective is None else self._objective.measured()

    def reset_metrics(self) -> None:
        """Forget the batches that loss and metrics were taken of so far."""
        if self._objective is not None:
            self._objective.reset()
        for metric in self._other_metrics():
            metric.reset_state()

    def _other_metrics(self) -> list[Metric]:
        """Return the metrics that are not those of ``compile``."""
        known = [] if self._objective is None else self._objective._metrics
        return [
            metric
            for metric in self.metrics
            if not isinstance(metric, LossTracker) and all(metric is not one for one in known)
        ]

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Say how the model is to be trained; see ``pyconv.Sequential.compile``."""
        if self._own_metrics() and "train" not in self._own:
            self._own = self._own | {"train", "test"}  # they are to be reset and shown
        super().compile(*args, **kwargs)

    def _made_objective(
        self, loss: Loss | None, weight: float, metrics: list[Any], weighted: list[Any]
    ) -> Objective | None:
        if loss is None and "train" in self._own:
            loss = NoLoss()
        made = super()._made_objective(loss, weight, metrics, weighted)
        if made is not None and self._own:
            made.others = self._other_metrics
        return made

    def _arranged_batch(self, owner: str, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
        if y is None and ("train" in self._own or self._has_no_loss):
            self._objective.has_no_targets = True
            first = leaves(x)[0]  # of several inputs, or of the rows of a list
            return x, np.zeros(len(first if np.ndim(first) else x)), weight
        if self._own and self._objective is not None:
            self._objective.has_no_targets = False
        return super()._arranged_batch(owner, x, y, weight)

    def _takes_no_targets(self) -> bool:
        return "train" in self._own or self._has_no_loss

    @property
    def _has_no_loss(self) -> bool:
        """Whether only what the layers add is to be made small."""
        return self._objective is not None and isinstance(self._objective.loss, NoLoss)

    def _require_compiled(self, method: str) -> None:
        if self._objective is None and self._compiled_with is not None and self._loss is None:
            adds = any(layer.has_penalties for layer in self._layers)
            if adds:
                given = self._compiled_with
                ids = given["metrics"], given["weighted_metrics"]
                self._objective = self._made_objective(NoLoss(), 1.0, *ids)
        super()._require_compiled(method)


class _CompiledMetrics:
    def __init__(self, model: OwnSteps) -> None:
        self._model = model

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch."""
        mask = getattr(y_pred, "_keras_mask", None)
        given = (np.asarray(y), np.asarray(unwrapped(y_pred)), sample_weight, mask)
        self._model._objective.update_metrics(*given)


def _definer(cls: Any, name: str) -> Any:
    return getattr(cls, name, None)


def _unpacked(data: Any) -> tuple[Any, Any, Any]:
    if not isinstance(data, (tuple, list)):
        return data, None, None
    x, y, weight = (*data, None, None)[:3]
    return x, y, weight


def _plain(y: Any) -> Any:
    return set_masks(eager(unwrapped(y)), masks_of(y))


def _loss_of(loss: Loss, y: Any, y_pred: Any, weight: Any) -> Any:
    if isinstance(y_pred, Taped) and y_pred.node is not None:
        return taped_loss(loss, y, y_pred, weight)
    return eager(loss(y, y_pred, weight))
