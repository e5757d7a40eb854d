"""Stopping where the loss is no number."""

import math

from pyconv._args import bool_arg
from pyconv._messages import say
from pyconv.callbacks.callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stops training after a batch that makes the loss NaN or infinite.

    With it ``fit`` takes targets that are not finite, which are an error otherwise.

    Args:
        raise_error: whether to raise RuntimeError instead.

    Example:
        >>> import pyconv
        >>> pyconv.callbacks.TerminateOnNaN().raise_error
        False
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = bool_arg(type(self).__name__, "raise_error", raise_error)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. Terminating "
                "training immediately."
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
