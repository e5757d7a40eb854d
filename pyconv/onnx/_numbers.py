"""Nodes that treat numbers one by one, or bring results together."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pyconv.layers import (
    ELU,
    Activation,
    Add,
    Average,
    Concatenate,
    Dropout,
    Layer,
    LeakyReLU,
    Maximum,
    Minimum,
    Multiply,
    ReLU,
    Softmax,
    Subtract,
)
from pyconv.onnx._layers import scaled
from pyconv.onnx._network import Step, Value


def each(make: Callable[[Step], Layer]) -> Callable[[Step], Value]:
    """Return what reads a node as a layer that treats each number by itself."""

    def run(step: Step) -> Value:
        x = step.value()
        return step.add(make(step), x, order=x.order)

    return run


def named(activation: str, **wanted: float) -> Callable[[Step], Value]:
    """Return what reads a node as an activation, which has these attributes and no others."""

    def make(step: Step) -> Layer:
        for name, value in wanted.items():
            if not math.isclose(step.attribute(name, value), value, rel_tol=1e-4):
                raise ValueError(f"{name} must be {value:g}, got {step.attributes[name]:g}")
        return Activation(activation, name=step.layer_name)

    return each(make)


def same(step: Step) -> Value:
    """Identity, and Cast from a type of floats to another."""
    if step.op == "Cast" and step.attribute("to", 1) not in (1, 10, 11, 16):
        raise ValueError("results are float32, and cannot become integers")
    return step.value()


def relu(step: Step) -> Layer:
    """Relu."""
    return ReLU(name=step.layer_name)


def leaky_relu(step: Step) -> Layer:
    """LeakyRelu."""
    return LeakyReLU(step.attribute("alpha", 0.01), name=step.layer_name)


def elu(step: Step) -> Layer:
    """Elu."""
    return ELU(step.attribute("alpha", 1.0), name=step.layer_name)


def gelu(step: Step) -> Layer:
    """Gelu."""
    from pyconv.activations.elementwise import GELU

    approximate = step.attribute("approximate", "none") == "tanh"
    return Activation(GELU(approximate), name=step.layer_name)


def hard_sigmoid(step: Step) -> Layer:
    """HardSigmoid with the slope 1/6."""
    slope, offset = step.attribute("alpha", 0.2), step.attribute("beta", 0.5)
    if not math.isclose(slope, 1 / 6, rel_tol=1e-4) or offset != 0.5:
        raise ValueError(f"alpha and beta must be 1/6 and 0.5, got {slope:g} and {offset:g}")
    return Activation("hard_sigmoid", name=step.layer_name)


def clip(step: Step) -> Value:
    """Clip from 0, as ReLU6 is written, or from -1 to 1."""
    x = step.value()
    low = step.number(1, "min", step.attribute("min", -math.inf))
    high = step.number(2, "max", step.attribute("max", math.inf))
    unbounded = float(np.finfo(np.float32).max)
    if low <= -unbounded and high >= unbounded:
        return x
    if low == 0:
        layer: Layer = ReLU(high if high < unbounded else None, name=step.layer_name)
    elif (low, high) == (-1, 1):
        layer = Activation("hard_tanh", name=step.layer_name)
    else:
        raise ValueError(f"min must be 0, or min -1 and max 1, got {low:g} and {high:g}")
    return step.add(layer, x, order=x.order)


def dropout(step: Step) -> Value:
    """Dropout, which does nothing outside training."""
    if len(step.outputs) > 1 and step.network.steps.get(step.outputs[1]):
        raise ValueError("its mask is used")
    x = step.value()
    rate = step.number(1, "ratio", step.attribute("ratio", 0.5))
    return step.add(Dropout(rate, name=step.layer_name), x, order=x.order)


def softmax(step: Step) -> Value:
    """Softmax and LogSoftmax over the channels."""
    x = step.value()
    before_13 = step.network.opset < 13
    rank = len(x.shape) + 1
    axis = step.attribute("axis", 1 if before_13 else -1) % rank
    if before_13 and any(n != 1 for n in x.file_shape[axis:]):
        raise ValueError(f"axis {axis} of (N, {x.file_shape}) would be all axes behind it too")
    if x.image and axis != 1:
        x = step.network.plain(x)
    if not x.image and axis != rank - 1:
        x = step.network.image(x) if (rank, axis) == (4, 1) else x
    if not x.image and axis != rank - 1:
        raise ValueError(f"axis must be that of the channels or the last, got {axis}")
    if step.op == "LogSoftmax":
        return step.add(Activation("log_softmax", name=step.layer_name), x)
    return step.add(Softmax(name=step.layer_name), x)


def concat(step: Step) -> Value:
    """Concat."""
    values = step.network.aligned(map(step.value, range(len(step.inputs))))
    rank = len(values[0].shape) + 1
    axis = step.attribute("axis", 1)
    if not -rank <= axis < rank or axis % rank == 0:
        raise ValueError(f"axis must be one of a sample's {rank - 1}, got {axis}")
    axis %= rank
    if values[0].image:
        axis = {1: 3, 2: 1, 3: 2}[axis]
    if len(values) == 1:
        return values[0]
    return step.add(Concatenate(axis, name=step.layer_name), *values)


def merged(merge: type[Layer]) -> Callable[[Step], Value]:
    """Return what reads a node as a layer that brings results together, number by number."""

    def run(step: Step) -> Value:
        values = step.network.aligned(map(step.value, range(len(step.inputs))))
        if len(values) == 1:
            return values[0]
        return step.add(merge(name=step.layer_name), *values)

    return run


def arithmetic(step: Step) -> Value:
    """Add, Sub, Mul and Div of two results, or of a result and a constant."""
    if len(step.inputs) != 2:
        raise ValueError(f"it must have two inputs, got {len(step.inputs)}")
    constant = next((i for i in (0, 1) if step.is_constant(i)), None)
    if constant is None:
        if step.op not in _MERGES:
            raise ValueError("it is read with a constant divisor only")
        return merged(_MERGES[step.op])(step)
    c: Any = np.asarray(step.constant(constant, "an input"), np.float32)
    if step.attribute("broadcast", 0) and "axis" in step.attributes:
        # Before opset 7 a constant said at which axis it begins.
        rank = len(step.value(1 - constant).shape) + 1
        c = c.reshape(c.shape + (1,) * max(0, rank - step.attribute("axis", 0) - c.ndim))
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    if step.op == "Div" and constant == 0:
        raise ValueError("it is read with a constant divisor only")
    if step.op == "Div" and not np.all(c):
        raise ValueError("it divides by 0")
    factor, offset = {
        "Add": (one, c),
        "Sub": (one, -c) if constant == 1 else (-one, c),
        "Mul": (c, zero),
        "Div": (one / c, zero),
    }[step.op]
    return scaled(step, factor, offset, 1 - constant)


_MERGES: dict[str, type[Layer]] = {"Add": Add, "Mul": Multiply, "Sub": Subtract}


def extremum(step: Step) -> Value:
    """Max and Min of results; with the constant 0, Max is Relu."""
    constants = [i for i in range(len(step.inputs)) if step.is_constant(i)]
    if step.op == "Max" and len(step.inputs) == 2 and len(constants) == 1:
        c = step.constant(constants[0], "an input")
        if c.size == 1 and float(c.reshape(())) == 0:
            x = step.value(1 - constants[0])
            return step.add(ReLU(name=step.layer_name), x)
    return merged(Maximum if step.op == "Max" else Minimum)(step)


def mean(step: Step) -> Value:
    """Mean of results."""
    return merged(Average)(step)


def total_sum(step: Step) -> Value:
    """Sum of results."""
    return merged(Add)(step)
