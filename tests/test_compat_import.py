"""Scripts that import keras or tensorflow, in processes of their own."""

import subprocess
import sys

import pytest
from processes import run

INSTALL = "import pyconv.compat; pyconv.compat.install()"


@pytest.mark.parametrize(
    "line",
    [
        "import keras; keras.models.Sequential; keras.__version__",
        "from keras.models import Sequential, Model; from keras.layers import *; Dense",
        "from keras.layers.core import Dense, Dropout, Flatten, Activation",
        "from keras.layers.convolutional import Convolution2D, MaxPooling2D, ZeroPadding2D",
        "from keras.layers.pooling import AveragePooling2D",
        "from keras.utils import np_utils; np_utils.to_categorical([1])",
        "from keras.utils.np_utils import to_categorical",
        "from keras import backend as K; K.image_data_format()",
        "import keras.backend as K; K.clear_session()",
        "from keras.optimizers import SGD, rmsprop, Adam; SGD(lr=.1, decay=1e-6, nesterov=True)",
        "from keras.datasets import cifar10, mnist, fashion_mnist",
        "from keras.callbacks import ModelCheckpoint, EarlyStopping, Callback",
        "from keras.preprocessing.image import ImageDataGenerator, load_img, img_to_array",
        "from keras.utils import Sequence, to_categorical; Sequence",
        "from keras.engine.training import Model",
        "import tensorflow as tf; tf.keras.layers.Dense; tf.random.set_seed(1)",
        "from tensorflow import keras; keras.Sequential",
        "from tensorflow.keras import layers, models; layers.Conv2D",
        "from tensorflow.keras.layers import Dense",
        "import tensorflow.keras as k; k.optimizers.legacy.Adam(lr=.1)",
        "import tensorflow; import pyconv.compat as c; assert c.compat() == 'keras3'",
        "import keras; import pyconv.compat as c; assert c.compat() == 'keras2'",
    ],
)
def test_imports(line):
    assert run(INSTALL, line, check=False).returncode == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("from keras.layers import LSTM; LSTM(3)", "for sequences or text"),
        ("from keras.applications.vgg16 import VGG16; VGG16()", "which is not there; weights=None"),
        ("from keras.layers.recurrent import GRU; GRU(3)", "for sequences or text"),
        ("import keras.layers.capsules", "not in pyconv"),
        ("from keras.backend import gradients; gradients(1, 2)", "tf.GradientTape"),
        ("import tensorflow as tf; tf.while_loop()", "only tf.keras is there"),
        ("import tensorflow.contrib", "use tf.keras"),
        ("from keras import ops; ops.fft2([1])", "use numpy"),
        ("import keras; keras.layers.Desne", "did you mean 'Dense'"),
    ],
)
def test_what_is_not_there(line, message):
    lines = [INSTALL, "try:", f"    {line}", "except Exception as error:", "    print(error)"]
    assert message in run(*lines).stdout


def test_uninstall_gives_the_name_back():
    found = run(
        INSTALL,
        "import keras.layers",
        "pyconv.compat.uninstall()",
        "import sys, importlib.util",
        "spec = importlib.util.find_spec('keras')",
        "print('keras' in sys.modules, spec is None or 'pyconv' not in str(spec.origin))",
    )
    assert found.stdout.split() == ["False", "True"]


def test_a_real_keras_is_not_replaced():
    found = run(
        "import sys, types",
        "sys.modules['keras'] = types.ModuleType('keras')",
        "sys.modules['keras'].__file__ = '/somewhere/keras/__init__.py'",
        "import pyconv.compat",
        "try: pyconv.compat.install()",
        "except RuntimeError as error: print(error)",
    )
    assert "keras is imported already, from /somewhere/keras" in found.stdout


def test_command_line(tmp_path):
    (tmp_path / "helper.py").write_text("value = 7\n")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, helper\nfrom keras.layers import Dense\n"
        "print(__name__, sys.argv[1:], helper.value, Dense(3).name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pyconv.compat", "--compat", "keras3", str(script), "-x", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "__main__ ['-x', '1'] 7 dense\n"
    done = subprocess.run(
        [sys.executable, "-m", "pyconv.compat", "missing.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "there is no file 'missing.py'" in done.stderr
