"""Callbacks: what is called while a model is trained."""

from pyconv.callbacks.backup_and_restore import BackupAndRestore
from pyconv.callbacks.callback import Callback
from pyconv.callbacks.callback_list import CallbackList
from pyconv.callbacks.csv_logger import CSVLogger
from pyconv.callbacks.early_stopping import EarlyStopping
from pyconv.callbacks.history import History
from pyconv.callbacks.lambda_callback import LambdaCallback
from pyconv.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from pyconv.callbacks.model_checkpoint import ModelCheckpoint
from pyconv.callbacks.monitor import MonitorCallback
from pyconv.callbacks.progbar_logger import ProgbarLogger
from pyconv.callbacks.swap_ema_weights import SwapEMAWeights
from pyconv.callbacks.tensorboard import TensorBoard
from pyconv.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "MonitorCallback",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
