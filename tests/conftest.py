"""What all tests share."""

import importlib
import os
import signal

import pytest

from pyconv import _devices, _names, backend

# What a run on a device takes: the operations, the layers, and training with them.
ON_DEVICES = (
    "activation_layer activations adaptive_pooling arguments augmentation avgpool2d "
    "avgpool2d_layer batches batchnorm callback_events callbacks callbacks_more comparison "
    "compat_arguments compat_deck compat_functional compat_ops compat_optimizers compat_order "
    "compat_own compat_structured compat_tensorflow containers conv2d conv2d_layer "
    "conv2d_maxpool2d conv2d_winners course course_filters course_gradients custom_layers "
    "custom_objects dense dense_layer dense_sparse device_arrays device_graphs device_training "
    "docstrings dropout_layer elementwise evaluate_predict explain fit fit_arguments fit_options "
    "fit_sources flatten_layer gpu graph hdf5 image_data_generator initializers input_gradient "
    "input_layer interop keras_files keras_ten_epochs layer_weights layers layers_more lines "
    "losses losses_circle losses_in_training losses_options lrn maxpool2d maxpool2d_layer merge "
    "metrics metrics_correlation metrics_goldens metrics_iou model_checkpoint noise_layers "
    "normalization_layer older_keras_files "
    "onnx onnx_files ops_interface optimizer_options optimizer_rules optimizer_state optimizers "
    "optimizers_muon pattern "
    "predict_upto progress random_networks random_rows random_shapes regularizers relu_layer "
    "reproducible rescaling_layer resizing saving schedules sequential sequential_config shapes10 "
    "softmax_layer summary tensorboard tf32 utils viz viz_networks volumes wrong_numbers "
    "zeropadding2d_layer zoo zoo_gradients"
)

NO_GPU = pytest.StashKey()


def pytest_addoption(parser):
    """Let a run choose the backend."""
    parser.addoption(
        "--backend",
        choices=("cpu", "cuda", "cuda-emulated"),
        default="cpu",
        help="what operations run on; on a device only the tests that know of it are run",
    )


def pytest_configure(config):
    """Name the marks that tests use, and choose the backend."""
    config.addinivalue_line("markers", "data: needs CIFAR-10, in both layouts, in PYCONV_DATA")
    config.addinivalue_line("markers", "cpu: of the CPU backend alone")
    config.addinivalue_line("markers", "gpu: all that a GPU runs; without one, what is skipped")
    chosen = config.getoption("--backend")
    if _on_gpu(config):
        config.stash[NO_GPU] = _devices.why_no_cuda()
        if config.stash[NO_GPU] is None:
            _devices.set_device("cuda")
    elif chosen == "cuda":
        _devices.set_device("cuda", "--backend")
    elif chosen == "cuda-emulated":
        _devices.use(importlib.import_module("pyconv._cuda_emulated"))


def pytest_generate_tests(metafunc):
    """Run what takes ``isa`` on each instruction set of this CPU; on a device, once."""
    if "isa" in metafunc.fixturenames:
        on_cpu = backend.active is backend.cpu
        isas = backend.cpu.available_isas() if on_cpu else ["device"]
        metafunc.parametrize("isa", isas, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _away_from_the_sources(tmp_path_factory):
    """Programs that tests start import the installed package, not the folder of the sources."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("working"))
        yield


@pytest.fixture(autouse=True)
def _names_anew():
    """Texts with names of layers are the same whatever tests ran before."""
    _names.reset_names()


@pytest.fixture(autouse=True)
def _same_device_again():
    """A test that chooses another device leaves the run's own to the next one."""
    before = backend.active
    yield
    if backend.active is not before:
        _devices.use(before)


def _on_device(config):
    return config.getoption("--backend") != "cpu" or _on_gpu(config)


def _on_gpu(config):
    return config.getoption("-m") == "gpu"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what needs data that is not there, or another backend."""
    if _on_gpu(config):
        reason = config.stash[NO_GPU]
        for item in items:
            item.add_marker("gpu")
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))
    data = os.environ.get("PYCONV_DATA", "")
    layouts = [os.path.join(data, f"cifar-10-batches-{layout}") for layout in ("bin", "py")]
    if not all(map(os.path.isdir, layouts)):
        without = [item for item in items if item.get_closest_marker("data")]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]
    if _on_device(config):
        without = [item for item in items if item.get_closest_marker("cpu")]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


def pytest_ignore_collect(collection_path, config):
    """On a device leave out what is of the CPU or of no backend."""
    stem = collection_path.stem.removeprefix("test_")
    if _on_device(config) and collection_path.suffix == ".py":
        return stem not in ON_DEVICES.split() or None
    return None


# A shell starts what runs in its background with SIGINT ignored, which children inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def keras3(monkeypatch):
    """Take pyconv.compat for Keras 3, with names and random numbers from their start."""
    import pyconv.compat as compat
    import pyconv.compat.keras as keras

    monkeypatch.setattr(compat._era, "_chosen", "keras3")
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


@pytest.fixture
def isa(request):
    """Runs a test on each instruction set of this CPU."""
    if backend.active is not backend.cpu:
        yield request.param
        return
    before = backend.cpu.isa()
    backend.cpu.set_isa(request.param)
    yield request.param
    backend.cpu.set_isa(before)


@pytest.fixture
def threads():
    """Gives back the number of threads after a test that changes it."""
    before = backend.cpu.get_num_threads()
    yield backend.cpu.set_num_threads
    backend.cpu.set_num_threads(before)
