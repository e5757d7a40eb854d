"""Writes ``nets.zip`` of this folder with the real Keras 3 (3.15.1, KERAS_BACKEND=jax).

The networks of ``keras_nets.py`` after two epochs, in each format that Keras writes them in; what
they predict, and the losses of three more epochs.
"""

import io
import os
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import keras  # noqa: E402
import keras_nets  # noqa: E402
import numpy as np  # noqa: E402


def losses(model, x, epochs):
    fitted = model.fit(x, keras_nets.Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0)
    return fitted.history["loss"]


with zipfile.ZipFile(HERE / "nets.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for name, net in keras_nets.NETS.items():
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        model, x = net(keras)
        model.compile("adam", "sparse_categorical_crossentropy")
        losses(model, x, 2)
        # Keras 3 cannot write or read its own .h5 of the others.
        older = ["h5"] if name in ("nested", "stacked", "shared", "own_layer") else []
        for ending in ["keras", "weights.h5", *older]:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, f"{name}.{ending}")
                (model.save_weights if ending == "weights.h5" else model.save)(str(path))
                archive.writestr(path.name, path.read_bytes())
        predicted = model.predict(x, verbose=0)
        found = io.BytesIO()
        np.savez(found, predicted=predicted, losses=losses(model, x, 3))
        archive.writestr(f"{name}.npz", found.getvalue())
