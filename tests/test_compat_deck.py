"""The course's code as its slides have it, run on a small data set."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pyconv.datasets import shapes10

SCRIPT = Path(__file__).parents[1] / "examples" / "course_deck.py"

# As the slides print it, and Keras 2.0 did.
CNN_SUMMARY = """\
_________________________________________________________________
Layer (type)                 Output Shape              Param #   
=================================================================
conv2d_1 (Conv2D)            (None, 32, 32, 16)        208       
_________________________________________________________________
max_pooling2d_1 (MaxPooling2 (None, 16, 16, 16)        0         
_________________________________________________________________
conv2d_2 (Conv2D)            (None, 16, 16, 32)        2080      
_________________________________________________________________
max_pooling2d_2 (MaxPooling2 (None, 8, 8, 32)          0         
_________________________________________________________________
conv2d_3 (Conv2D)            (None, 8, 8, 64)          8256      
_________________________________________________________________
max_pooling2d_3 (MaxPooling2 (None, 4, 4, 64)          0         
_________________________________________________________________
dropout_3 (Dropout)          (None, 4, 4, 64)          0         
_________________________________________________________________
flatten_2 (Flatten)          (None, 1024)              0         
_________________________________________________________________
dense_4 (Dense)              (None, 500)               512500    
_________________________________________________________________
dropout_4 (Dropout)          (None, 500)               0         
_________________________________________________________________
dense_5 (Dense)              (None, 10)                5010      
=================================================================
Total params: 528,054
Trainable params: 528,054
Non-trainable params: 0
_________________________________________________________________
"""  # noqa: W291
NUMBER = r"\d\.\d{4}(?:e-\d\d)?"
LINE = rf"\d+s - loss: {NUMBER} - acc: {NUMBER} - val_loss: {NUMBER} - val_acc: {NUMBER}"
IMPROVED = (
    r"Epoch 0000\d: val_loss improved from (?:inf|\d\.\d{5}) to \d\.\d{5}, "
    r"saving model to model\.weights\.best\.hdf5"
)


def write_cifar10(folder, images):
    """Write embedded images in CIFAR-10's binary layout, so many a batch."""
    folder.mkdir()
    (x, y), test = shapes10.load_data(n_train=5 * images, n_test=images)
    parts = [(x[i * images :][:images], y[i * images :][:images]) for i in range(5)]
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    for name, (part, labels) in zip(names, [*parts, test], strict=True):
        pixels = part.transpose(0, 3, 1, 2).reshape(len(part), -1)
        np.hstack([labels.reshape(-1, 1), pixels]).tofile(folder / f"{name}.bin")


# As `python -m pyconv.compat SCRIPT`, from known first weights: after 80 steps they tell.
RUN = """
import runpy, sys, pyconv
pyconv.utils.set_random_seed(4)
sys.argv[0] = "pyconv.compat"
runpy.run_module("pyconv.compat", run_name="__main__")
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deck")
    write_cifar10(folder / "cifar-10-batches-bin", 1100)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(SCRIPT)],
        cwd=folder,
        env={**os.environ, "PYCONV_DATA": str(folder), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "model.weights.best.hdf5").is_file()
    return done.stdout


def test_prints_what_the_slides_show(printed):
    assert printed.startswith(
        "x_train shape: (500, 32, 32, 3)\n500 train samples\n1100 test samples\n"
        "5000 validation samples\n_"
    )
    assert "Total params: 3,590,642\n" in printed
    assert CNN_SUMMARY in printed


def test_prints_the_lines_of_keras_2(printed):
    runs = printed.split("Train on 500 samples, validate on 5000 samples\n")[1:]
    assert len(runs) == 2
    for run in runs:
        lines = run.splitlines()[:15]
        for epoch in range(5):
            title, checkpoint, line = lines[3 * epoch : 3 * epoch + 3]
            assert title == f"Epoch {epoch + 1}/5"
            assert checkpoint == f"Epoch {epoch:05d}: val_loss did not improve" or re.fullmatch(
                IMPROVED, checkpoint
            )
            assert re.fullmatch(LINE, line)
        assert lines[1].startswith("Epoch 00000: val_loss improved from inf to ")


def test_ends_with_the_accuracy_on_the_test_set(printed):
    found = re.findall(r"\n Test accuracy: (\d\.\d+)", printed)
    assert len(found) == 2
    # Chance is 0.1: 500 images are few, but enough to learn from.
    assert float(found[1]) > 0.15
