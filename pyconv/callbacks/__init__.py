"""Callbacks: what is called while a model is trained."""

from pyconv.callbacks.callback import Callback, CallbackList
from pyconv.callbacks.csv_logger import CSVLogger
from pyconv.callbacks.early_stopping import EarlyStopping
from pyconv.callbacks.history import History
from pyconv.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from pyconv.callbacks.model_checkpoint import ModelCheckpoint

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
]
