"""``pyconv bench``: its reference, its workers, its reports."""

import importlib.util
import json
import os
import pathlib
import signal
import time

import numpy as np
import pytest
import torch
from reference import conv2d

from pyconv.backend import active
from pyconv.bench import peers, reference, roofline, table
from pyconv.bench.cases import Conv, Dense, MaxPool, Predict, Relu, Train, Update
from pyconv.bench.filter_cases import Filter
from pyconv.bench.limits import Limits
from pyconv.bench.measure import measure, relative_error
from pyconv.bench.networks import initial_weights
from pyconv.bench.peers import torch_networks
from pyconv.bench.processes import Process, WorkerDied, WorkerError
from pyconv.bench.run import Settings, run, unbound
from pyconv.bench.suite import suite, wanted
from pyconv.cli import main

SHAPES = [
    Conv(2, 7, 6, 3, 5),
    Conv(2, 8, 8, 4, 6, (2, 2)),
    Conv(1, 9, 7, 6, 4, (3, 2), stride=2, groups=2),
    Conv(2, 9, 9, 4, 4, dilation=2, groups=4, padding="valid"),
]
CASES = [
    *(case for shape in SHAPES for case in shape.passes()),
    *Dense(3, 20, 7).passes(),
    *(MaxPool(2, 6, 4, 3), MaxPool(2, 6, 4, 3, "input")),
    *(Relu(1000), Relu(1000, "input")),
    *(Update(name, "deck CNN") for name in ("SGD momentum", "RMSprop", "Adam")),
    *(Predict("deck CNN", 3), Predict("deck MLP", 3), Train("deck CNN", 4), Train("deck MLP", 4)),
    Train("ResNet-20", 1),
]


@pytest.mark.parametrize(
    "case", [case for s in SHAPES for case in s.passes()], ids=lambda c: c.name
)
def test_reference_of_convolutions(case):
    x, w, dy = (
        reference.normal(role, shape)
        for role, shape in (("x", case.x_shape), ("w", case.w_shape), ("dy", case.y_shape))
    )
    steps, spread = (case.stride,) * 2, (case.dilation,) * 2
    exact = conv2d(x, w, None, dy, steps, case.pads, spread, case.groups, torch.float64)
    expected = exact[("forward", "input", "filter").index(case.direction)]
    assert relative_error(reference.exact(case), [expected]) < 1e-12


@pytest.mark.parametrize("network", ["deck CNN", "ResNet-20"])
def test_reference_of_a_networks_gradients(network):
    case = Train(network, 3)
    net = torch_networks.model(case.network, torch.contiguous_format, dropout=False).double()
    x = torch.from_numpy(reference.normal("x", case.x_shape)[:3]).permute(0, 3, 1, 2).double()
    y = torch.from_numpy(reference.labels(case)[:3])
    torch.nn.functional.cross_entropy(net(x), y).backward()
    order = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}
    expected = [p.grad.permute(order[p.ndim]).numpy() for p in net.parameters()]
    assert relative_error(reference.exact(case), expected) < 1e-12


@pytest.mark.parametrize("name", ["pyconv", "torch"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_peers_do_what_the_reference_does(name, case):
    exact = reference.exact(case)
    variants = peers.load(name, 1).variants(case)
    assert variants
    for make in variants.values():
        variant = make()
        variant.run()
        assert relative_error(variant.result(), exact) < 2e-5


@pytest.mark.parametrize("name", ["pyconv", "opencv"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("kind", ["filter2d", "mean", "Gaussian", "median", "bilateral"])
def test_filters_of_peers(name, dtype, kind):
    for c in (1, 3):
        case = Filter(kind, 5, c, dtype, 30, 40)
        variant = peers.load(name, 1).variants(case)[""]()
        variant.run()
        # uint8: half of the last place of 8 bits, and a place for weights in 256ths
        assert relative_error(variant.result(), reference.exact(case)) < (
            1.01 / 128 if dtype == "uint8" else 1e-4
        )


def test_flops_and_bytes():
    case = Conv(2, 8, 8, 3, 16, (3, 3), stride=2)
    assert case.y_shape == (2, 4, 4, 16)
    assert case.flops == 2 * (2 * 4 * 4 * 16) * (3 * 3 * 3)
    assert case.bytes == 4 * (2 * 8 * 8 * 3 + 3 * 3 * 3 * 16 + 2 * 4 * 4 * 16)
    mlp = (3072 * 1000, 1000 * 512, 512 * 10)
    assert Train("deck MLP", 32).flops == 32 * 2 * (3 * sum(mlp) - mlp[0])
    assert Update("Adam", "deck MLP").bytes == 4 * 7 * 3_590_642
    assert sum(w.size for w in initial_weights("deck CNN")) == 528_054
    assert sum(w.size for w in initial_weights("ResNet-20")) == 274_042


def test_names_are_unique_and_filters_choose():
    full = [case for cases in suite(quick=False).values() for case in cases]
    quick = [case for cases in suite(quick=True).values() for case in cases]
    assert len({case.name for case in full}) == len(full)
    assert set(quick) < set(full)
    chosen = [c for cases in suite(True, ["16->32", "relu"]).values() for c in cases]
    assert len(chosen) == 5
    assert all(wanted(case.name, ["16→32", "ReLU"]) for case in chosen)


def state(process):
    """The letter of a process's state, or None where it is gone."""
    try:
        stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text()
    except FileNotFoundError:
        return None
    return stat.rpartition(")")[2].split()[0]


def test_idle_workers_are_stopped_and_closed_ones_are_gone():
    process = Process("pyconv", 1)
    try:
        assert process.ask("prepare", Relu(100), None) == ""
        deadline = time.monotonic() + 10
        while state(process) != "T" and time.monotonic() < deadline:
            time.sleep(0.001)  # the signal takes its time
        assert state(process) == "T"
        assert min(process.ask("time", 0.01, 3)) > 0
    finally:
        process.close()
    assert state(process) is None
    assert not process.alive


def test_a_worker_that_dies_is_noted_and_the_others_go_on():
    lives, dies = Process("pyconv", 1), Process("pyconv", 1, label="other")
    try:
        os.kill(dies.pid, signal.SIGKILL)
        found = measure(Relu(1000), [dies, lives], 2, 0.01, reference.exact(Relu(1000)))
        assert list(found.timings) == ["pyconv"]
        assert found.timings["pyconv"].error == 0
        assert "ended" in found.notes["other"]
        again = measure(Relu(1000), [dies, lives], 1, 0.01)
        assert list(again.timings) == ["pyconv"]
        assert not again.notes
    finally:
        lives.close()
        dies.close()


def test_errors_of_workers_name_the_peer():
    with pytest.raises(WorkerError, match="ModuleNotFoundError"):
        Process("no_such_library", 1)
    process = Process("pyconv", 1)
    try:
        with pytest.raises(WorkerError, match=r"^pyconv: .*no reference|KeyError|nowhere"):
            process.ask("prepare", Predict("nowhere", 1), None)
        assert process.ask("prepare", Relu(100), None) == ""
        with pytest.raises(WorkerDied, match="no answer within"):
            process.ask("time", 5.0, 1, timeout=0.05)
    finally:
        process.close()


@pytest.mark.skipif("avx2" not in active.available_isas(), reason="needs a CPU with AVX2")
def test_isa_holds_pyconv_and_torch():
    for name, expected in (("pyconv", "avx2"), ("torch", "AVX2")):
        process = Process(name, 1, "avx2")
        process.close()
        assert expected in process.version


def test_interrupted_runs_keep_what_was_measured():
    told = []

    def progress(text):
        told.append(text)
        if text.startswith("2/"):
            raise KeyboardInterrupt

    report = run(Settings([], 1, quick=True, filters=["relu"]), progress)
    assert report["interrupted"]
    assert [row["name"] for row in report["cases"]] == ["ReLU 2.1 M numbers, forward"]
    assert "Interrupted" in table.footer(report)[-1]


def test_command_line(tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    outputs = {"--json": tmp_path / "r.json", "--plot": tmp_path / "r.png"}
    options = [text for pair in outputs.items() for text in map(str, pair)]
    name = "conv 2x2 16→32 16x16 batch 32, forward"
    status = main(
        ["bench", "--quick", "--filter", name, "--threads", "1", "--peers", "torch,no-peer"]
    )
    assert status == 1
    assert "no-peer" in capsys.readouterr().err
    arguments = ["bench", "--quick", "--filter", name, "--threads", "1", "--peers", "torch"]
    assert main([*arguments, *options, "--write-readme", str(readme)]) == 0
    shown = capsys.readouterr().out
    assert name in shown
    assert "GFLOP/s" in shown
    report = json.loads(outputs["--json"].read_text())
    (row,) = report["cases"]
    ours, theirs = row["timings"]["pyconv"], row["timings"]["torch"]
    assert ours["error"] < 1e-5
    assert theirs["error"] < 1e-5
    for timing in (ours, theirs):
        low, high = timing["quartiles"]
        assert 0 < low <= timing["median"] <= high
        assert timing["runs"] >= 3
    assert report["limits"]["flops"] > row["flops"] / ours["median"] / 2
    assert outputs["--plot"].read_bytes().startswith(b"\x89PNG")
    text = readme.read_text()
    assert text.startswith(f"before\n{table.BEGIN}\n")
    assert text.endswith(f"{table.END}\nafter\n")
    assert f"| {name.removesuffix(', forward')} | " in text
    assert "old" not in text


def test_command_line_errors(tmp_path, capsys):
    assert main(["bench", "--filter", "no such case"]) == 1
    assert "no such case" in capsys.readouterr().err
    assert main(["bench", "--list", "--filter", "relu"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ReLU 2.1 M numbers, forward",
        "ReLU 2.1 M numbers, gradient",
    ]
    (tmp_path / "plain.md").write_text("no marks")
    with pytest.raises(ValueError, match="must have the lines"):
        table.write_readme({}, str(tmp_path / "plain.md"))
    with pytest.raises(ValueError, match="no kernel"):
        roofline.figure({"cases": []})


def test_a_peer_that_uses_more_instructions_is_not_the_best():
    row = {"timings": {name: {"median": t, "bound": b} for name, t, b in (
        ("pyconv", 2.0, True), ("torch", 3.0, True), ("onnxruntime", 1.0, False))}}  # fmt: skip
    assert table.best_peer(row) == "torch"
    assert table.ratio(row) == 1.5
    best, *others = active.available_isas()
    peer = ["onnxruntime", "torch"]
    assert unbound(Settings(peer, 1, best)) == unbound(Settings(peer, 1)) == []
    assert all(unbound(Settings(peer, 1, isa)) == ["onnxruntime"] for isa in others)


def test_limits():
    limits = Limits(100.0, [(1000, 40.0), (100_000, 10.0)])
    assert limits.bandwidth_of(10) == pytest.approx(40)
    assert limits.bandwidth_of(10_000) == pytest.approx(20)
    assert limits.bandwidth_of(1e9) == pytest.approx(10)
    assert limits.seconds(1000, 10, 10) == pytest.approx(10)
    assert limits.seconds(10, 100_000, 100_000) == pytest.approx(10_000)
    assert limits.seconds(10, 100_000, 1000) == pytest.approx(2500)


def test_peak_kernels(isa, threads):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 20_011), np.float32)
    np.testing.assert_allclose(active.peak_triad(a, b), a + b / 2, rtol=0, atol=1e-6)
    threads(1)
    one = active.peak_arithmetic(10)
    threads(3)
    assert active.peak_arithmetic(20) == 6 * one
    with pytest.raises(ValueError, match="peak_arithmetic: rounds"):
        active.peak_arithmetic(0)
    with pytest.raises(ValueError, match="peak_triad: b"):
        active.peak_triad(a, b[1:])


def test_sweep_resumes_and_sorts(tmp_path):
    path = pathlib.Path(__file__).parents[1] / "benchmarks" / "sweep.py"
    spec = importlib.util.spec_from_file_location("sweep", path)
    sweep = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sweep)
    shapes = sweep.shapes()
    assert len(shapes) >= 200
    assert len({case.name for shape in shapes for case in shape.passes()}) == 3 * len(shapes)
    rows = [
        {"name": name, "flops": 10**6, "pyconv": times(ours), "torch": times(theirs)}
        for name, ours, theirs in (("fast", 1e-3, 2e-3), ("slow", 2e-3, 1e-3))
    ]
    file = tmp_path / "sweep"
    (tmp_path / "sweep.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert not sweep.run(str(file), None, 1, limit=0)
    text = sweep.report(str(file), None, 1)
    assert "1 passes slower than oneDNN by more than 10 %" in text
    assert [line.split()[1] for line in text.splitlines()[-2:]] == ["0.50", "2.00"]


def times(seconds):
    return {"median": seconds, "quartiles": [seconds, seconds]}
