"""Files that say something wrong, with a right checksum: a ValueError, and nothing is executed."""

import copy
import json
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from model_files import file_of, load, whole
from processes import run


def changed(change):
    _, tensors, metadata = whole()
    config = json.loads(metadata["model"])
    change(config)
    return file_of(tensors, {**metadata, "model": json.dumps(config)})


def huge_dense(config):
    config["layers"][-1]["config"]["units"] = 20_000
    config["layers"].insert(-1, {"class_name": "Dense", "config": {"units": 20_000, "name": "x"}})


def many_layers(config):
    config["layers"] += [{"class_name": "ReLU", "config": {"name": f"r{i}"}} for i in range(3000)]
    config["layers"] += [{"class_name": "Dense", "config": {"units": 10**6, "name": "d"}}]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (huge_dense, "'x': kernel must be float32"),
        (many_layers, "'d': kernel must be float32"),
        (lambda c: c["layers"][-1]["config"].update(units=4), r"kernel must be float32 \(8, 4\)"),
        (lambda c: c["layers"][-1]["config"].update(use_bias=False), "not those of its layers"),
        (lambda c: c["layers"].pop(), "its weights are not those of its layers"),
        (lambda c: c.update(build_input_shape=None), "its weights are not those of its layers"),
        (lambda c: c.update(build_input_shape=[None, 2**31 - 1, 6, 1]), "Dense"),
        (lambda c: c.update(build_input_shape=5), "batch_shape must be a tuple"),
        (lambda c: c.update(name=5), "name must be a string"),
        (lambda c: c.update(layers={}), "config must have a list of layers"),
        (lambda c: c["layers"][0].update(class_name="os.system"), "unknown layer 'os.system'"),
        (lambda c: c["layers"][0].update(class_name="Lambda"), "unknown layer 'Lambda'"),
        (
            lambda c: c["layers"][0]["config"].update(
                kernel_initializer={"class_name": "eval", "config": {"x": "1"}}
            ),
            "unknown kernel_initializer 'eval'",
        ),
        (lambda c: c["layers"][0]["config"].update(input_shape=[10**5] * 3), "Conv2D"),
    ],
    ids=lambda v: v if isinstance(v, str) else getattr(v, "__name__", ""),
)
def test_configurations(change, text, tmp_path):
    with pytest.raises(ValueError, match=f"load_model: .* holds no valid model: .*{text}"):
        load(tmp_path / "m", changed(change))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("model", ""),
        ("model", "["),
        ("model", "[" * 100_000),
        ("model", "1" * 10_000),
        ("model", "null"),
        ("compile", "3"),
        ("compile", '{"optimizer": {"class_name": "SGD", "config": {"learning_rate": "1"}}}'),
        ("compile", '{"loss": "os.system"}'),
        ("compile", '{"loss": "mse", "metrics": [{"class_name": "eval", "config": {}}]}'),
        ("compile", '{"callbacks": []}'),
        ("state", "[]"),
        ("state", '{"conv": {}}'),
        ("state", '{"dropout": 3}'),
        ("state", '{"none": {"next": 1}}'),
    ],
    ids=lambda v: v[:40],
)
def test_metadata(key, text, tmp_path):
    _, tensors, metadata = whole()
    with pytest.raises(ValueError, match="load_model: .* holds no valid model: "):
        load(tmp_path / "m", file_of(tensors, {**metadata, key: text}))


def test_optimizers_state_that_does_not_fit(tmp_path):
    _, tensors, metadata = whole()
    kept = {k: v for k, v in tensors.items() if not k.startswith("optimizer/")}
    state = {k: v for k, v in tensors.items() if k.startswith("optimizer/")}
    for wrong in (
        {**state, "optimizer/iterations": np.array(-1)},
        {**state, "optimizer/iterations": np.ones(3)},
        {"optimizer/iterations": np.array(1)},
        {**state, "optimizer/none/0": np.ones(3, "f4")},
    ):
        with pytest.raises(ValueError, match="holds no valid model"):
            load(tmp_path / "m", file_of({**kept, **wrong}, metadata))


WEIRD = [
    None, True, -1, 0, 3, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf"),
    "", "relu", "é" * 50, [], [1], [[1, 2], [3, 4]], [None, 3], {}, {"class_name": "Dense"},
    {"class_name": "Constant", "config": {"value": 1}}, {"config": 3},
]  # fmt: skip


def places(node):
    """Every (container, key) of nested lists and dicts."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], (dict, list)):
            yield from places(node[key])


@pytest.mark.parametrize("key", ["model", "compile", "state"])
def test_random_changes_of_the_configuration(key, tmp_path):
    """Whatever the file says, the answer is a model or a ValueError."""
    _, tensors, metadata = whole()
    rng, outcomes = random.Random(key), {"loaded": 0, "refused": 0}
    for _ in range(400):
        config = json.loads(metadata[key])
        for _ in range(rng.randint(1, 2)):
            found = list(places(config))
            if not found:
                break
            node, name = rng.choice(found)
            if rng.random() < 0.2:
                del node[name]
            else:
                node[name] = copy.deepcopy(rng.choice(WEIRD))
        try:
            load(tmp_path / "m", file_of(tensors, {**metadata, key: json.dumps(config)}))
            outcomes["loaded"] += 1
        except ValueError as error:
            assert str(error).startswith("load_model: ")  # noqa: PT017
            outcomes["refused"] += 1
    # Names and numbers may change without harm; most changes may not.
    assert min(outcomes.values()) > 20


# --- nothing is executed ----------------------------------------------------------------------


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_not_run(tmp_path):
    content = pickle.dumps(Touch(tmp_path / "touched"))
    pickle.loads(content)
    assert (tmp_path / "touched").exists()
    (tmp_path / "touched").unlink()
    for path in ("m.pkl", "m.keras"):
        with pytest.raises(ValueError, match="damaged or no model file"):
            load(tmp_path / path, content)
    assert not (tmp_path / "touched").exists()


def test_no_code_runs_while_loading(tmp_path):
    """Python's audit events of running code, starting processes and importing, while loading."""
    names = ["os.system", "builtins.eval", "__import__", "pyconv.cli", "Sequential", "Lambda"]
    hostile = [
        changed(lambda c, name=name: c["layers"][0].update(class_name=name)) for name in names
    ]
    for i, content in enumerate([whole()[0], *hostile]):
        (tmp_path / str(i)).write_bytes(content)
    program = f"""
import sys
from pyconv import models
models.load_model({str(tmp_path / "0")!r})
try:
    models.load_model({str(tmp_path / "1")!r})
except ValueError:
    pass
seen, ran = [], ("compile", "exec", "import", "marshal.loads", "os.exec", "os.posix_spawn",
    "os.system", "pickle.find_class", "subprocess.Popen", "ctypes.dlopen", "socket.connect")
sys.addaudithook(lambda event, arguments: seen.append((event, str(arguments)))
    if event in ran else None)
for i in range({len(names) + 1}):
    try:
        models.load_model(f"{tmp_path}/{{i}}")
    except ValueError as error:
        assert "unknown layer" in str(error) or "import pyconv.compat.keras" in str(error), error
    else:
        assert i == 0
print(seen)
"""
    assert run(program).stdout == "[]\n"
