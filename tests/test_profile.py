"""Profiles: parts that sum to the step, exact work and traffic, and a model that is left alone."""

import time

import numpy as np
import pytest

import pyconv
from pyconv import _random, ops, zoo
from pyconv.layers import Conv2D, Dense, Dropout, Flatten, Input, Layer, MaxPooling2D, Residual
from pyconv.profiling import machine_limits, measure


def compiled(model, loss="sparse_categorical_crossentropy", optimizer="rmsprop"):
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def small():
    return pyconv.Sequential(
        [
            Input((8, 8, 3)),
            Conv2D(5, 3, activation="relu", name="c"),
            MaxPooling2D(2, name="p"),
            Flatten(name="f"),
            Dropout(0.5, seed=1, name="o"),
            Dense(4, activation="softmax", name="d"),
        ]
    )


def by_name(profile):
    return {part.name: part for part in profile.parts}


# --- times -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: compiled(zoo.deck_cnn()), id="cnn"),
        pytest.param(lambda: compiled(zoo.deck_mlp(), optimizer="adam"), id="mlp"),
        pytest.param(zoo.deck_cnn, id="cnn predicts"),
    ],
)
def test_the_parts_sum_to_the_step(model):
    model = model()
    off = []
    for _ in range(20):  # other programs may disturb a measurement
        profile = measure(model, 32, seconds=0.5)
        off.append(profile.total / profile.step - 1)
        if abs(off[-1]) <= 0.05:
            break
    assert min(map(abs, off)) <= 0.05
    assert all(part.seconds > 0 for part in profile.parts if part.flops)
    rest = by_name(profile)["rest"].seconds
    assert 0 <= rest < 0.3 * profile.step


def test_a_slow_layer_takes_the_time():
    class Slow(Layer):
        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, training):
            time.sleep(0.004)
            return x

        def backward(self, dy, need_dx):
            time.sleep(0.002)
            return dy

    model = compiled(pyconv.Sequential([Input((4,)), Dense(3), Slow(name="slow"), Dense(2)]))
    for _ in range(20):  # other programs may disturb a measurement
        profile = measure(model, 4, seconds=0)
        slow = by_name(profile)["slow"]
        assert slow.forward >= 0.004
        assert slow.backward >= 0.002
        others = sum(part.seconds for part in profile.parts if part is not slow)
        if slow.seconds > 2 * others:
            break
    assert slow.seconds > 2 * others


def test_layers_in_layers():
    class Slow(Layer):
        def forward(self, x, training):
            time.sleep(0.02)
            return x

        def backward(self, dy, need_dx):
            time.sleep(0.01)
            return dy

    inner = Residual([Slow(name="slow"), Dense(3, name="d")], [Dense(3, name="p")], name="inner")
    outer = Residual([Dense(4, name="f"), inner], [Dense(3, name="s")], name="r")
    model = compiled(pyconv.Sequential([Input((4,)), outer, Dense(2, name="h")]))
    profile = measure(model, 8, seconds=0)
    parts = by_name(profile)
    names = ["r", "r/f", "r/inner", "inner/slow", "inner/d", "inner/p", "r/s", "h"]
    assert list(parts)[1:9] == names
    assert 0.02 <= parts["inner/slow"].forward < 0.04
    assert 0.01 <= parts["inner/slow"].backward < 0.02
    for name in ("r", "r/inner"):
        assert 0 < parts[name].seconds < 0.005
    assert profile.total == pytest.approx(profile.step, rel=0.2)
    # Forward and both gradients; the first layers need none of their input.
    assert [parts[f"inner/{name}"].flops for name in "dp"] == [8 * 2 * 12 * 3] * 2
    assert parts["r/f"].flops == 8 * 2 * 16 * 2
    assert parts["r"].flops == 0
    assert "└ slow" in profile.text(100)


# --- work --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (zoo.deck_cnn, [393216, 1048576, 1048576, 1024000, 10000]),
        (zoo.deck_mlp, [6144000, 1024000, 10240]),
    ],
)
def test_the_courses_numbers(model, wanted):
    layers = model().layers
    assert [layer.flops(layer.input_shape) for layer in layers if layer.weights] == wanted
    assert [layer.flops((32, *layer.input_shape[1:])) for layer in layers if layer.weights] == [
        32 * n for n in wanted
    ]
    assert not any(layer.flops(layer.input_shape) for layer in layers if not layer.weights)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"strides": 2, "padding": "same"},
        {"groups": 2, "dilation_rate": 2},
        {"groups": 4},
        {"padding": ((1, 0), (2, 3)), "strides": (1, 3)},
    ],
)
def test_flops_of_convolutions(arguments):
    layer = Conv2D(8, (3, 2), **arguments)
    n, oh, ow, oc = layer.compute_output_shape((5, 13, 11, 4))
    products = n * oh * ow * oc * 3 * 2 * (4 // layer.groups)
    assert layer.flops((5, 13, 11, 4)) == 2 * products


def test_flops_of_dense_on_more_axes():
    assert Dense(7).flops((2, 3, 5)) == 2 * (2 * 3) * 5 * 7
    assert Dense(7).flops((0, 5)) == 0


def test_flops_of_unknown_sizes():
    with pytest.raises(ValueError, match=r"Conv2D 'c': all sizes beside the batch must be known"):
        Conv2D(8, 3, name="c").flops((None, None, 8, 3))


def test_work_of_both_passes():
    """The first layer needs no gradient of its input; a frozen one none of its weights.

    That of the large kernel is made by the optimizer, where that takes products.
    """
    model = compiled(zoo.deck_cnn())
    flops = [32 * n for n in (393216, 1048576, 1048576, 1024000, 10000)]

    def measured():
        parts = measure(model, 32, seconds=0).parts
        return [part.flops for part in parts if part.flops]

    most = [2 * flops[0], *(3 * n for n in flops[1:])]
    assert measured() == [*most[:3], 2 * flops[3], most[4], flops[3]]
    assert by_name(measure(model, 32, seconds=0))["optimizer"].flops == flops[3]
    compiled(model, optimizer=pyconv.optimizers.RMSprop(clipnorm=1.0))
    assert measured() == most
    dense = model.layers[8]
    dense.trainable = False
    compiled(model)
    assert measured() == [2 * flops[0], 3 * flops[1], 3 * flops[2], 2 * flops[3], 3 * flops[4]]
    dense.trainable, model.layers[0].trainable = True, False
    compiled(model)
    assert measured() == [flops[0], 2 * flops[1], most[2], 2 * flops[3], most[4], flops[3]]
    model.trainable = False
    compiled(model)
    assert measured() == flops


def test_bytes_and_memory_exactly():
    model = pyconv.Sequential([Input((20,)), Dense(30, name="a"), Dense(10, name="b")])
    model.compile("adam", "mse")
    parts = by_name(measure(model, 8, seconds=0))
    x, w, b, y = 8 * 30, 30 * 10, 10, 8 * 10
    forward = x + w + b + y
    backward = (x + y + w) + (y + b) + (y + w + x)  # of kernel, bias and input
    assert parts["b"].moved == 4 * (forward + backward)
    assert parts["b"].memory == 4 * (y + x)  # the result, and the gradient of x
    params = sum(weight.size for weight in model.weights)
    assert parts["optimizer"].moved == 4 * params * (1 + 2 * 3)  # g; w, m, v read and written
    assert parts["batch"].moved == 2 * 8 * (4 * 20 + 4 * 10) + 2 * 8 * 8  # rows, and their numbers


def test_a_layer_of_ones_own():
    class Scale(Layer):
        def compute_output_shape(self, input_shape):
            return input_shape

        def flops(self, input_shape):
            return int(np.prod(input_shape))

        def forward(self, x, training):
            return 2 * x

        def backward(self, dy, need_dx):
            return 2 * dy if need_dx else None

    model = compiled(pyconv.Sequential([Input((6,)), Dense(5), Scale(name="s"), Dense(3)]))
    part = by_name(measure(model, 8, seconds=0))["s"]
    assert part.flops == 2 * 8 * 5
    assert part.moved == 4 * 4 * 8 * 5
    assert part.memory == 4 * 8 * 5


def test_the_share_of_the_roof():
    arrays = pyconv.optimizers.RMSprop(clipvalue=1.0)
    profile = measure(compiled(zoo.deck_mlp(), optimizer=arrays), 32, seconds=0)
    part = by_name(profile)[profile.parts[2].name]
    assert part.layers
    least = part.flops / profile.peak_flops
    assert part.least >= 0.99 * least
    assert part.roof == pytest.approx(part.least / (part.forward + part.backward))
    limits = machine_limits()
    assert profile.peak_flops == limits.flops
    params = 3590642
    optimizer = by_name(profile)["optimizer"]
    assert optimizer.moved == 4 * params * 5  # g; w and v read and written
    assert optimizer.least == 4 * params * 5 / limits.bandwidth_of(4 * params * 3)


def test_no_product_is_faster_than_the_peak():
    a, b = (np.ones((768, 768), "float32") for _ in range(2))
    seconds = []
    for _ in range(50):
        begin = time.perf_counter()
        ops.dense(a, b)
        seconds.append(time.perf_counter() - begin)
    reached = 2 * 768**3 / min(seconds)
    peak = machine_limits().flops
    assert 0.2 * peak < reached < 1.1 * peak


# --- a model that is left alone ----------------------------------------------------------------


def state_of(model):
    optimizer = model.optimizer.state_dict() if model.optimizer else {}
    return (
        [w.tobytes() for w in model.weights],
        {name: value.tobytes() for name, value in optimizer.items()},
        model.optimizer and model.optimizer.get_config(),
        [layer.get_state() for layer in model.layers],
        _random.generator().bit_generator.state,
        model._objective and model.objective.results(),
    )


def trained(model):
    rng = np.random.default_rng(0)
    x, y = rng.random((24, 8, 8, 3), np.float32), rng.integers(0, 4, 24)
    model.fit(x, y, batch_size=8, verbose=0)
    return model


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
def test_nothing_changes(optimizer, fitted):
    model = compiled(small(), optimizer=optimizer)
    if fitted:
        trained(model)
    before, objects = state_of(model), (model.optimizer, model.objective)
    model.summary(profile=True, batch_size=4, print_fn=lambda text: None)
    assert state_of(model) == before
    assert (model.optimizer, model.objective) == objects


def test_training_goes_on_as_if_there_had_been_no_profile():
    results = []
    for profiled in (False, True):
        pyconv.utils.set_random_seed(3)
        model = trained(compiled(small()))
        model.optimizer.name = "the same"
        if profiled:
            measure(model, 8, seconds=0)
        results.append(state_of(trained(model)))
    assert results[0] == results[1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_nothing_changes_by_an_exception(error, tmp_path):
    class Broken(Layer):
        calls = 0

        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, training):
            Broken.calls += 1
            if Broken.calls == 20:
                raise error
            return x

        def backward(self, dy, need_dx):
            return dy

    model = compiled(
        pyconv.Sequential([Input((4,)), Dense(3), Dropout(0.5), Broken(), Dense(2)]), "mse"
    )
    before = state_of(model)
    with pytest.raises(error):
        measure(model, 4, seconds=0)
    assert Broken.calls == 20
    assert state_of(model) == before
    with pyconv.profile(tmp_path / "trace.json"):  # the recorder is free
        pass


# --- what can be measured ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "head"),
    [
        ("mse", Dense(3)),
        ("mae", Dense(1)),
        ("binary_crossentropy", Dense(1, activation="sigmoid")),
        ("binary_crossentropy", Dense(4, activation="sigmoid")),
        ("categorical_crossentropy", Dense(4, activation="softmax")),
        (pyconv.losses.SparseCategoricalCrossentropy(from_logits=True), Dense(4)),
    ],
)
@pytest.mark.parametrize("shape", [(6,), (3, 6)])
def test_every_loss(loss, head, shape):
    head = type(head).from_config(head.get_config())
    model = compiled(pyconv.Sequential([Input(shape), head], name="m"), loss)
    profile = measure(model, 5, seconds=0)
    assert [part.name for part in profile.parts] == [
        *("batch", head.name, "loss", "metrics", "optimizer", "rest")
    ]
    assert profile.training


def test_a_model_that_predicts():
    for model in (small(), small()):
        profile = measure(model, 3, seconds=0)
        assert not profile.training
        assert [part.name for part in profile.parts] == ["batch", "c + p", "f", "o", "d", "rest"]
        assert all(part.backward == 0 for part in profile.parts)
        text = profile.text(80)
        assert "predicting, batch 3" in text
        assert "Backward" not in text
        model.compile("sgd")  # without a loss


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"batch_size": 0}, ValueError, "profile: batch_size must be"),
        ({"batch_size": 2.5}, TypeError, "profile: batch_size must be an integer"),
        ({"seconds": -1}, ValueError, "profile: seconds must be"),
        ({"seconds": "long"}, TypeError, "profile: seconds must be a number"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=text):
        measure(small(), **arguments)


def test_models_that_cannot_be_measured():
    with pytest.raises(ValueError, match="a profile needs a built model; call build"):
        pyconv.Sequential([Dense(3)]).summary(profile=True)
    model = pyconv.Sequential([Input((None, None, 3)), Conv2D(4, 3)])
    with pytest.raises(ValueError, match="profile: all sizes beside the batch must be known"):
        measure(model)


# --- the table ---------------------------------------------------------------------------------


def test_summary_shows_it_below_the_layers():
    model = compiled(small())
    shown = []
    model.summary(print_fn=shown.append)
    model.summary(profile=True, batch_size=4, print_fn=shown.append, line_length=90)
    model.summary(print_fn=shown.append, line_length=90)
    _, both, plain = shown
    assert both.startswith(plain)
    table = both[len(plain) :]
    assert f'Profile of "{model.name}": training, batch 4' in table
    first = [line.split()[0] for line in table.splitlines() if line.strip()]
    for name in ("c", "f", "o", "d", "batch", "loss", "metrics", "optimizer", "rest", "sum"):
        assert name in first
    assert " + p\n" in table


@pytest.mark.parametrize("width", [80, 88, 100, 120])
def test_the_width_of_the_table(width):
    model = compiled(
        pyconv.Sequential([Input((40, 40, 3)), Conv2D(4, 3, name="x" * 50), Flatten()]), "mse"
    )
    for profiled in (zoo.deck_cnn(), compiled(zoo.deck_mlp()), model):
        lines = measure(profiled, 2, seconds=0).text(width).splitlines()
        assert max(map(len, lines)) <= width
        assert max(map(len, lines)) > width - 25
        assert not any(line != line.rstrip() for line in lines)


def test_numbers_of_the_table():
    profile = measure(compiled(zoo.deck_cnn()), 32, seconds=0)
    rows = [line.split() for line in profile.text(80).splitlines()]
    [total] = [row for row in rows if row[:1] == ["sum"]]
    assert float(total[3]) == pytest.approx(1e3 * profile.total, rel=1e-2)
    assert total[4] == "100"
    # 32 images of 3,524,368 operations, backward two times of it, the first layer one
    assert float(total[5]) == pytest.approx(32 * (3 * 3524368 - 393216) / 1e9, abs=1e-3)
    optimizer = next(row for row in rows if row[:1] == ["optimizer"])
    rounding = 0.501 * 0.1 ** len(optimizer[1].partition(".")[2])
    wanted = 1e3 * profile.parts[-2].seconds
    assert float(optimizer[1]) == pytest.approx(wanted, abs=rounding)


def test_wrong_widths():
    profile = measure(small(), 2, seconds=0)
    with pytest.raises(ValueError, match="profile: width must be from 80"):
        profile.text(79)
