"""Arrays, lists and other things in place of a name, a truth value or data: an error by name."""

import inspect

import numpy as np
import pytest

import pyconv
from pyconv import callbacks, losses, metrics, optimizers
from pyconv.preprocessing.image import ImageDataGenerator, ImageIterator

TWO = np.ones(2)
Y, P = np.eye(2)[[0, 1, 0]], np.full((3, 2), 0.5)
RAGGED = [[1, 2], [3]]
LOSSES = [
    kind
    for kind in map(losses.__dict__.get, losses.__all__)
    if inspect.isclass(kind) and kind not in (losses.Loss, losses.LossFunctionWrapper)
]


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize(
    ("argument", "message"),
    [("reduction", "Invalid value for argument `reduction`"), ("dtype", "dtype must be None or")],
)
def test_options_of_losses(kind, argument, message):
    with pytest.raises(ValueError, match=f"{kind.__name__}: {message}.*array"):
        kind(**{argument: TWO})


@pytest.mark.parametrize("kind", LOSSES)
def test_data_of_losses(kind):
    for given in ((RAGGED, P), (Y, RAGGED)):
        with pytest.raises(ValueError, match="got a list whose rows are of different lengths"):
            kind()(*given)
    if kind is not losses.SparseCategoricalCrossentropy and kind is not losses.Circle:
        labels = Y[:, 0] if "Generalized" in kind.__name__ else Y
        with pytest.raises(ValueError, match="sample_weight must be an array of numbers, got a"):
            kind()(labels, P, sample_weight=RAGGED)


@pytest.mark.parametrize("loss", [losses.Dice(), losses.Tversky(), losses.dice, losses.tversky])
def test_overlaps_of_other_shapes(loss):
    with pytest.raises(ValueError, match=r"the same shape, got \(3, 2\) and \(2, 2\)"):
        loss(Y, P[:2])
    with pytest.raises(TypeError, match="y_true must be an array of numbers"):
        loss([["a", "b"]], [[0.5, 0.5]])


def test_a_weight_of_a_loss_that_is_one_number():
    assert losses.Dice()(Y, P, sample_weight=2.0) == pytest.approx(2 * losses.Dice()(Y, P))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.AUC(curve=TWO), "Invalid AUC curve value"),
        (lambda: metrics.AUC(summation_method=TWO), "Invalid AUC summation method value"),
        (lambda: metrics.AUC(num_labels=TWO, multi_label=True), "AUC: num_labels must be an int"),
        (lambda: metrics.F1Score(average=TWO), "Invalid `average` argument value"),
        (lambda: metrics.R2Score(class_aggregation=TWO), "Invalid value for argument `class_agg"),
        (lambda: metrics.R2Score()(Y, P, sample_weight=[1, 2]), "R2Score: sample_weight must hold"),
        (lambda: metrics.ConfusionMatrix(num_classes="a"), "ConfusionMatrix: num_classes must be"),
        (
            lambda: metrics.SparseTopKCategoricalAccuracy(from_sorted_ids=TWO),
            "from_sorted_ids must",
        ),
        (lambda: optimizers.SGD(gradient_accumulation_steps=TWO), "SGD: gradient_accumulation_st"),
        (lambda: optimizers.SGD(use_ema=TWO), "SGD: use_ema must be True or False"),
        (lambda: optimizers.Adafactor(clip_threshold=0), "Adafactor: clip_threshold must be"),
        (
            lambda: optimizers.Ftrl(0.0).apply([np.ones(1, "f4")], [np.ones(1, "f4")]),
            "Ftrl: learning_rate must be above 0",
        ),
        (lambda: losses.CategoricalCrossentropy(axis=10**30), "axis must be from -32 to 31"),
        (lambda: callbacks.BackupAndRestore(TWO), "BackupAndRestore: backup_dir must be a str"),
        (
            lambda: callbacks.BackupAndRestore("b", save_freq=TWO),
            "Invalid value for argument `save",
        ),
        (lambda: callbacks.CSVLogger("log.csv", append=TWO), "CSVLogger: append must be True or"),
        (lambda: callbacks.CallbackList(add_history=TWO), "add_history must be True or False"),
        (lambda: callbacks.EarlyStopping(restore_best_weights=TWO), "restore_best_weights must be"),
        (lambda: callbacks.EarlyStopping(verbose=TWO), "EarlyStopping: verbose must be an integer"),
        (lambda: callbacks.EarlyStopping(verbose=-1), "EarlyStopping: verbose must be from 0"),
        (lambda: callbacks.ModelCheckpoint("a", save_best_only=TWO), "save_best_only must be True"),
        (lambda: callbacks.ModelCheckpoint("a", save_weights_only=[]), "save_weights_only must be"),
        (lambda: callbacks.TensorBoard(write_steps_per_second=TWO), "write_steps_per_second must"),
        (lambda: ImageIterator(3, shuffle=TWO), "ImageIterator: shuffle must be True or False"),
        (lambda: ImageDataGenerator(horizontal_flip=TWO), "horizontal_flip must be True or False"),
        (
            lambda: ImageDataGenerator(featurewise_center="yes"),
            "featurewise_center must be True or",
        ),
        (lambda: pyconv.Sequential(trainable=TWO), "trainable must be True or False"),
        (
            lambda: model().evaluate(P, P, verbose=0, return_dict=TWO),
            "evaluate: return_dict must be",
        ),
        (lambda: model().train_on_batch(P, P, return_dict=TWO), "train_on_batch: return_dict must"),
        (lambda: setattr(model(), "trainable", TWO), "trainable must be True or False"),
        (lambda: model().input_gradient(P, before_softmax=TWO), "before_softmax must be True or"),
    ],
)
def test_wrong_choices(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def model():
    made = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(2, "softmax")])
    made.compile("sgd", "mse")
    return made


def test_an_unknown_mode_is_that_of_the_name():
    with pytest.warns(UserWarning, match="EarlyStopping mode array.* is unknown, fallback to auto"):
        assert callbacks.EarlyStopping(mode=TWO).mode == "auto"
    assert callbacks.EarlyStopping(verbose=True).verbose == 1


def test_a_metric_without_a_known_direction_is_refused_at_the_first_epoch():
    stop = callbacks.EarlyStopping("unheard_of")
    with pytest.raises(ValueError, match="'unheard_of' should be small or large is not known"):
        model().fit(P, P, verbose=0, callbacks=[stop])
