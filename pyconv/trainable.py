"""What compiling adds to a model, and a step of its training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyconv import backend
from pyconv._args import float_arg, int_arg
from pyconv._passes import Passes
from pyconv._spans import span
from pyconv.batches import Batch
from pyconv.callbacks.history import History, OfModel
from pyconv.layers._factored import factored

if TYPE_CHECKING:
    from pyconv._graph_steps import GraphSteps
    from pyconv.losses.loss import Loss
    from pyconv.objective import Objective
    from pyconv.optimizers.optimizer import Optimizer


class Trainable(Passes):
    """A model that can be compiled and make steps."""

    optimizer: "Optimizer | None" = None
    # What callbacks set to end a run after the batch.
    stop_training: bool = False
    stop_evaluating: bool = False
    stop_predicting: bool = False
    # Batches between the calls of callbacks.
    steps_per_execution: int = 1
    # Whether the last training ended by an error or an interrupt.
    interrupted: bool = False
    # Whether an epoch with ``steps_per_epoch`` ends with the arrays, as in Keras 3.
    ends_epoch_with_pass: bool = False
    # The epoch with which a callback has training begin.
    resumed_epoch: int | None = None
    _objective: "Objective | None" = None
    _loss: Any = None
    _compiled_with: dict[str, Any] | None = None
    _graph_steps: "GraphSteps | None" = None
    _history: Any = None

    # Steps with regularizers and layers with constraints, as the last forward found them.
    _penalized: Sequence[Any] = ()
    _factorable: Sequence[Any] = ()
    _constrained: Sequence[Any] = ()

    @property
    def history(self) -> "History | None":
        """The history of the last training; None before the first."""
        history = self._history
        return history.get(self) if isinstance(history, OfModel) else history

    @history.setter
    def history(self, value: Any) -> None:
        self._history = OfModel(value) if isinstance(value, History) else value

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is to be trained.

        Args:
            optimizer: a name such as 'rmsprop', or an ``Optimizer``.
            loss: a name such as 'categorical_crossentropy', or 'crossentropy' for the one that
                fits labels and output, a ``Loss``, or a function ``fn(y_true, y_pred)`` (see
                ``losses.Loss`` for its gradient); None for a model that is only to predict.
            loss_weights: a factor of the loss, or None.
            metrics: a list of names such as 'accuracy', functions ``fn(y_true, y_pred)`` and
                ``Metric`` objects. 'accuracy' is binary, categorical or sparse, as the shapes
                of labels and output say.
            weighted_metrics: the same, taken with the sample weights.
            run_eagerly: has no effect.
            steps_per_execution: batches between the calls of callbacks' methods of a batch.
            jit_compile: has no effect.
            auto_scale_loss: has no effect.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: a name is not known.

        Example:
            >>> import pyconv
            >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(1)])
            >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        """
        # Not with the module: a model that is not trained pays nothing for them.
        from pyconv import losses, optimizers

        made_optimizer = optimizers.get(optimizer)
        if made_optimizer is None:
            raise ValueError("compile: optimizer must be a name such as 'adam' or an Optimizer")
        lists = [
            _as_list("metrics", metrics),
            _as_list("weighted_metrics", weighted_metrics),
        ]
        if isinstance(loss_weights, (list, tuple)) and len(loss_weights) == 1:
            loss_weights = loss_weights[0]
        weight = 1.0 if loss_weights is None else float_arg("compile", "loss_weights", loss_weights)
        found = None if loss is None else losses.as_loss(_single(loss))
        objective = self._made_objective(found, weight, *lists)
        self.steps_per_execution = int_arg("compile", "steps_per_execution", steps_per_execution)
        self.optimizer = made_optimizer
        self._objective = objective
        self._graph_steps = None  # they hold the optimizer's state
        self._loss = loss
        self._compiled_with = {
            "loss_weights": None if loss_weights is None else weight,
            "metrics": lists[0],
            "weighted_metrics": lists[1],
        }

    def _made_objective(
        self, loss: "Loss | None", weight: float, metrics: list[Any], weighted: list[Any]
    ) -> "Objective | None":
        """Return what is to be made small and measured; None for a model that only predicts."""
        from pyconv.objective import Objective

        return None if loss is None else Objective(loss, weight, metrics, weighted)

    @property
    def compiled(self) -> bool:
        """Whether ``compile`` was called."""
        return self.optimizer is not None

    @property
    def objective(self) -> "Objective":
        """Loss and metrics, once compiled with a loss."""
        if self._objective is None:
            raise ValueError("compile: give a loss before the model is trained or evaluated")
        return self._objective

    @property
    def loss(self) -> Any:
        """The loss, as ``compile`` was given it."""
        return self._loss

    @property
    def metrics(self) -> list[Any]:
        """The metrics; those that depend on the shapes are known after the first batch."""
        return [] if self._objective is None else self._objective.metrics

    @property
    def metrics_names(self) -> list[str]:
        """Names of what ``evaluate`` returns."""
        return [] if self._objective is None else self._objective.names()

    def reset_metrics(self) -> None:
        """Forget the batches that loss and metrics were taken of so far."""
        if self._objective is not None:
            self._objective.reset()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return loss and metrics of the batches so far, by name."""
        return {} if self._objective is None else self._objective.results()

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of ``compile`` as JSON-able values; None before ``compile``.

        Example:
            >>> import pyconv
            >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> model.get_compile_config()["optimizer"]["class_name"]
            'SGD'
        """
        from pyconv import compile_config

        if self.optimizer is None or self._compiled_with is None:
            return None
        loss = None if self._objective is None else self._objective.loss
        return compile_config.to_config(self.optimizer, loss, **self._compiled_with)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what ``get_compile_config`` gave; the classes come from fixed tables.

        Raises:
            TypeError: the config is not a dict.
            ValueError: something in it is not known.

        Example:
            >>> import pyconv
            >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(1)])
            >>> model.compile_from_config({"optimizer": {"class_name": "SGD", "config": {}}})
            >>> model.optimizer.learning_rate
            0.01
        """
        from pyconv import compile_config

        self.compile(**compile_config.from_config(config))

    def _logged(self, results: dict[str, float]) -> dict[str, float]:
        """Return the metrics of an epoch or a batch as callbacks and progress lines get them."""
        return dict(sorted(results.items()))

    def _train_step(self, batch: Batch) -> None:
        objective = self.objective
        assert batch.y is not None
        logits = objective.takes_logits(self._ends_in_softmax)
        with span("step"):
            batch = self._arrived(batch)
            if not self._run_graph(batch, logits):
                self._pass(batch, logits)
                self._update_params(self._grads(), self._params())
            for layer in self._constrained:
                layer.constrain()

    def _update_params(self, grads: list[Any], params: list[Any]) -> None:
        """Have the optimizer update the parameters."""
        optimizer = self.optimizer
        assert optimizer is not None
        with span("optimizer"):
            if not optimizer.built:
                optimizer.variable_names = self._param_names()
            optimizer.apply(grads, params)

    def _pass(self, batch: Batch, logits: bool) -> None:
        """Go forward and backward through the layers."""
        assert batch.y is not None
        assert self.optimizer is not None
        with span("forward"):
            output = self._forward(batch.x, True, logits, batch.augmented)
        dy = self.objective.measure(
            batch.y, output, batch.sample_weight, logits, True, self._output_mask()
        )
        assert dy is not None
        factor = self.optimizer.loss_scale_factor
        if self._penalized:
            self._add_penalties(len(batch.x), factor)
        if factor is not None:
            dy *= factor
        products = backend.active is backend.cpu and self.optimizer.takes_products
        with span("backward"), factored(self._factorable if products else ()):
            self._backward(dy)

    def _run_graph(self, batch: Batch, logits: bool) -> bool:
        """Make a step where it can be recorded; return whether it was made."""
        if self._graph_steps is None:
            from pyconv._graph_steps import GraphSteps

            self._graph_steps = GraphSteps()
        return self._graph_steps.run(self, batch, logits)

    def _can_run_ahead(self) -> bool:
        """Whether the steps to come are like the last: Python need not see them one by one."""
        return self._graph_steps is not None and not self._constrained

    def _test_step(self, batch: Batch) -> None:
        objective = self.objective
        assert batch.y is not None
        logits = objective.takes_logits(self._ends_in_softmax)
        with span("test step"):
            with span("forward"):
                output = self._forward(batch.x, training=False, logits=logits)
            mask = self._output_mask()
            objective.measure(batch.y, output, batch.sample_weight, logits, False, mask)
            if self._penalized:
                self._add_penalties(len(batch.x), None)

    def _add_penalties(self, samples: int, scale: float | None) -> None:
        for step in self._penalized:
            step.scale = 1.0 if scale is None else scale
        self.objective.add_penalty(sum(step.penalty() for step in self._penalized), samples)

    def _require_compiled(self, method: str) -> None:
        if self.optimizer is None:
            raise ValueError(
                f"{method}: the model is not compiled; call compile(optimizer, loss) first"
            )
        if self._objective is None:
            raise ValueError(f"{method}: the model has no loss; call compile with a loss")


def _single(loss: Any) -> Any:
    """Return the loss of the one output, which may be in a list or a dict of one."""
    if isinstance(loss, (list, tuple)) and len(loss) == 1:
        return _single(loss[0])
    if isinstance(loss, dict) and len(loss) == 1 and "class_name" not in loss:
        return _single(next(iter(loss.values())))
    return loss


def _as_list(name: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, dict) and len(value) == 1:
        # Of the one output, by its name, as a list of lists of one is.
        value = next(iter(value.values()))
        value = value if isinstance(value, (list, tuple)) else [value]
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"compile: {name} must be a list, such as [{value!r}], got {value!r}")
    if len(value) == 1 and isinstance(value[0], (list, tuple)):
        value = value[0]
    return list(value)
