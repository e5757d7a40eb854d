"""`pyconv evaluate`, `predict`, `summary` and `doctor`."""

import json
import re

import cli_helpers
import numpy as np
import pytest
from PIL import Image

import pyconv
from pyconv import backend
from pyconv.cli import doctor, main
from pyconv.layers import Dense, Flatten, Input


@pytest.fixture(autouse=True)
def no_data(tmp_path, monkeypatch):
    """No data set in the usual places."""
    for variable in ("PYCONV_DATA", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def cifar(tmp_path):
    return cli_helpers.write_cifar10(tmp_path / "cifar")


@pytest.fixture
def trained(cifar, tmp_path, capsys):
    """The file of a model that `pyconv train` wrote, and the test accuracy that it printed."""
    assert cli_helpers.train(cifar, tmp_path / "run", "--epochs", "3") == 0
    return str(tmp_path / "run" / "best.safetensors"), capsys.readouterr().out.splitlines()[-1]


def save(path, *layers):
    """Save a model of these layers; return its file's name."""
    pyconv.Sequential(list(layers)).save(path)
    return str(path)


def constant(path, shape, scores):
    """Save a model whose output is always the softmax of ``scores``."""
    dense = Dense(len(scores), activation="softmax", kernel_initializer="zeros")
    model = pyconv.Sequential([Input(shape), Flatten(), dense])
    dense.set_weights([dense.get_weights()[0], np.array(scores, "float32")])
    model.save(path)
    return str(path)


def test_evaluate(trained, cifar, capsys):
    model, accuracy = trained
    assert main(["evaluate", model, "--data", str(cifar)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"CIFAR-10 from {cifar} (60 training and 12 test images)."
    assert lines[2] == accuracy
    _, (x, y) = pyconv.datasets.cifar10.load_data(cifar)
    p = pyconv.models.load_model(model).predict(x / 255, verbose=0).astype(float)
    loss = -np.log(p[np.arange(12), y.reshape(-1)]).mean()
    assert float(lines[1].removeprefix("test loss: ")) == pytest.approx(loss, abs=1e-4)


def test_evaluate_takes_the_data_set_of_the_training(tmp_path, capsys, monkeypatch):
    folder = cli_helpers.write_fashion_mnist(tmp_path / "fashion")
    assert cli_helpers.train(folder, tmp_path / "run", "--model", "mlp") == 0
    monkeypatch.setenv("PYCONV_DATA", str(folder))
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run" / "best.safetensors")]) == 0
    assert capsys.readouterr().out.startswith(f"Fashion-MNIST from {folder}")


def test_evaluate_on_images_of_another_shape(trained, tmp_path, capsys):
    folder = cli_helpers.write_fashion_mnist(tmp_path / "fashion")
    assert main(["evaluate", trained[0], "--data", str(folder)]) == 1
    assert (
        "maps (None, 32, 32, 3) to (None, 10), fashion_mnist needs (None, 28, 28, 1) to (None, 10)"
    ) in capsys.readouterr().err


def test_evaluate_on_other_classes(trained, capsys):
    assert main(["evaluate", trained[0], "--dataset", "shapes10"]) == 1
    assert "was trained on cifar10, whose classes are not those of shapes10" in (
        capsys.readouterr().err
    )


def test_evaluate_without_a_record(cifar, tmp_path, capsys):
    model = constant(tmp_path / "model", (32, 32, 3), [9.0] + [0.0] * 9)
    assert main(["evaluate", model, "--data", str(cifar)]) == 0
    # Labels 0 to 9, 0, 1, and always the class 0.
    assert capsys.readouterr().out.endswith("test accuracy: 0.1667\n")


@pytest.mark.parametrize("text", ["", "{}", "[" * 100000, '{"dataset": 1, "class_names": 2}'])
def test_damaged_record(text, trained, tmp_path, cifar, capsys):
    record = tmp_path / "run" / "training.json"
    record.write_text(text)
    assert main(["evaluate", trained[0], "--data", str(cifar)]) == 1
    assert capsys.readouterr().err == (
        f"pyconv evaluate: {record} is damaged; remove it to go on without it\n"
    )


def test_predict(trained, cifar, tmp_path, capsys):
    _, (x, _) = pyconv.datasets.cifar10.load_data(cifar)
    paths = []
    for i in range(3):
        paths.append(str(tmp_path / f"{i}.png"))
        Image.fromarray(x[i]).save(paths[-1])
    assert main(["predict", trained[0], *paths, "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    scores = pyconv.models.load_model(trained[0]).predict(x[:3] / 255, verbose=0)
    names = pyconv.datasets.cifar10.CLASS_NAMES
    for path, line, row in zip(paths, lines, scores, strict=True):
        first, second = np.argsort(-row)[:2]
        first, second = (f"{names[i]} {row[i]:.1%}" for i in (first, second))
        assert line == f"{path}: {first}, {second}"


def test_predict_without_class_names(tmp_path, capsys):
    model = constant(tmp_path / "model", (8, 8, 3), [0.0, 2.0, 1.0])
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert main(["predict", model, str(tmp_path / "a.png")]) == 0
    assert capsys.readouterr().out.endswith("a.png: class 1 66.5%, class 2 24.5%, class 0 9.0%\n")


@pytest.mark.parametrize(
    ("mode", "colour"),
    [
        ("RGB", (255, 0, 0)),
        ("RGBA", (255, 0, 0, 255)),
        ("L", 255),
        ("LA", (255, 255)),
        ("1", 1),
        ("P", 255),
        ("CMYK", (0, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_predict_images_of_all_kinds_and_sizes(mode, colour, channels, tmp_path, capsys):
    model = constant(tmp_path / "model", (8, 8, channels), [0.0, 1.0])
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new(mode, (50, 3), colour).save(path)
    assert main(["predict", model, str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: class 1 73.1%, class 0 26.9%\n"


def test_predict_turns_photographs_upright(tmp_path, capsys):
    # The scores are the first row's red and the last row's red.
    dense = Dense(2, use_bias=False)
    model = pyconv.Sequential([Input((2, 1, 3)), Flatten(), dense])
    dense.set_weights([np.eye(6, dtype="float32")[:, [0, 3]]])
    model.save(tmp_path / "model")
    image = Image.new("RGB", (1, 2))
    image.putpixel((0, 0), (255, 0, 0))
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    image.save(tmp_path / "plain.png")
    image.save(tmp_path / "turned.png", exif=turned)
    paths = [str(tmp_path / name) for name in ("plain.png", "turned.png")]
    assert main(["predict", str(tmp_path / "model"), *paths, "--top", "1"]) == 0
    plain, turned = capsys.readouterr().out.splitlines()
    assert plain.endswith("plain.png: class 0 100.0%")
    assert turned.endswith("turned.png: class 1 100.0%")


def test_predict_goes_on_after_what_it_cannot_read(tmp_path, capsys, monkeypatch):
    model = constant(tmp_path / "model", (8, 8, 3), [0.0, 1.0])
    monkeypatch.chdir(tmp_path)
    Image.effect_noise((64, 64), 90).convert("RGB").save("good.png")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:3000])
    Image.new("I;16", (8, 8)).save("deep.png")
    Image.new("1", (2000, 2000)).save("large.png")
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000000)
    bad = {
        "nothing.png": "No such file",
        "empty": "a folder that holds no images",
        "text.png": "cannot identify",
        "cut.png": "truncated",
        "deep.png": "its pixels are of mode I;16; convert it to 8 bits",
        "large.png": "decompression bomb",
    }
    assert main(["predict", model, *bad, "good.png"]) == 1
    out, err = capsys.readouterr()
    assert out == "good.png: class 1 73.1%, class 0 26.9%\n"
    for (name, reason), line in zip(bad.items(), err.splitlines(), strict=True):
        assert line.startswith(f"pyconv predict: {name}: ")
        assert reason in line


def test_predict_a_folder_for_kaggle(tmp_path, capsys):
    model = constant(tmp_path / "model", (8, 8, 3), [0.0, 1.0])
    folder = tmp_path / "test"
    folder.mkdir()
    (folder / "notes.txt").write_text("no image")
    for number in (10, 9, 100, 1):
        Image.new("RGB", (32, 32)).save(folder / f"{number}.png")
    assert main(["predict", model, str(folder), "--submission", str(tmp_path / "out.csv")]) == 0
    assert capsys.readouterr().out == f"4 labels in {tmp_path / 'out.csv'}\n"
    written = (tmp_path / "out.csv").read_text()
    assert written == "id,label\n1,class 1\n9,class 1\n10,class 1\n100,class 1\n"
    # What can be read is written, and the exit status tells of the rest.
    (folder / "11.png").write_text("no image")
    assert main(["predict", model, str(folder), "--submission", str(tmp_path / "out.csv")]) == 1
    assert "11.png: cannot identify" in capsys.readouterr().err
    assert (tmp_path / "out.csv").read_text() == written
    assert main(["predict", model, str(folder), "--submission", str(folder / "no" / "x")]) == 1
    assert "--submission: there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shape", "message"),
    [((4,), r"it maps \(None, 4\) to \(None, 2\)"), ((8, 8, 2), r"\(None, 8, 8, 2\) to")],
)
def test_predict_with_a_model_that_takes_no_images(shape, message, tmp_path, capsys):
    model = save(tmp_path / "model", Input(shape), Flatten(), Dense(2))
    assert main(["predict", model, "image.png"]) == 1
    assert re.search(message, capsys.readouterr().err)


def test_predict_without_pillow(trained, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    assert main(["predict", trained[0], "image.png"]) == 1
    assert capsys.readouterr().err == "pyconv predict: images need Pillow: pip install pillow\n"


@pytest.mark.parametrize(
    ("arguments", "count"), [([], "528,054"), (["cnn"], "528,054"), (["mlp"], "3,590,642")]
)
def test_summary(arguments, count, capsys):
    assert main(["summary", *arguments]) == 0
    assert f" Total params: {count} (" in capsys.readouterr().out


def test_summary_of_a_file(tmp_path, capsys):
    model = save(tmp_path / "model", Input((4,)), Dense(2))
    assert main(["summary", model]) == 0
    assert " Total params: 10 (" in capsys.readouterr().out


def test_doctor(capsys, monkeypatch):
    monkeypatch.setenv("PYCONV_NUM_THREADS", "3")
    before = backend.active.isa()
    assert main(["doctor"]) == 0
    assert backend.active.isa() == before
    out = capsys.readouterr().out
    isas = backend.active.available_isas()
    for line in (
        rf"pyconv {re.escape(pyconv.__version__)} in .*pyconv",
        r"Python 3\.\d+\.\d+.*, Linux.*",
        rf"numpy {re.escape(np.__version__)}, rich [\d.]+, safetensors [\d.]+",
        r"matplotlib \d.* \(figures\)",
        r"pillow \d.* \(predict\)",
        r"processor: \S.*",
        rf"instruction set: {before} \(available: {', '.join(isas)}\)",
        rf"threads: {pyconv.get_num_threads()} \(cores: \d+\)",
        r"CUDA: (not built into this installation; install .*|there is no .*|the .*|cuda:0: .*)",
        r"device: (cpu|cuda:0)",
        r"CIFAR-10: not on this machine",
        r"PYCONV_NUM_THREADS=3",
        *(rf"self-test {isa}: ok \(error \d\.\de-0[678]\)" for isa in isas),
    ):
        assert re.search(f"^{line}$", out, re.M), line


def test_doctor_finds_cifar10(cifar, capsys, monkeypatch):
    monkeypatch.setenv("PYCONV_DATA", str(cifar))
    assert main(["doctor"]) == 0
    assert f"\nCIFAR-10: {cifar}\n" in capsys.readouterr().out


def test_doctor_names_what_is_missing(capsys, monkeypatch):
    def version(name):
        if name == "pillow":
            raise doctor.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(doctor, "version", version)
    assert main(["doctor"]) == 0
    assert "\npillow is not installed: pip install pillow (predict)\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["conv2d", "conv2d_backward_input", "conv2d_backward_filter", "dense"]
)
@pytest.mark.parametrize("wrong", [lambda y: y * np.float32(1.001), lambda y: y * np.nan])
def test_doctor_notices_wrong_kernels(name, wrong, capsys, monkeypatch):
    before = backend.active.isa()
    right = getattr(pyconv.ops, name)
    monkeypatch.setattr(pyconv.ops, name, lambda *arguments: wrong(right(*arguments)))
    assert main(["doctor"]) == 1
    assert f"self-test {before}: BROKEN (error " in capsys.readouterr().out
    assert backend.active.isa() == before


def test_record_is_plain_json(trained, tmp_path):
    record = json.loads((tmp_path / "run" / "training.json").read_text())
    assert set(record) == {"dataset", "class_names", "settings"}
