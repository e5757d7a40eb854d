"""The functional API as users see it: signatures, documentation, what `pyconv` exports."""

import ast
import inspect

import pytest

import pyconv
from pyconv import backend, ops

WINDOWS = 'strides=1, padding="valid", dilation=1, groups=1'
SIGNATURES = [
    f"conv2d(x, w, b=None, *, {WINDOWS}, activation=None)",
    f"conv2d_backward_input(dy, w, input_shape, *, {WINDOWS})",
    f"conv2d_backward_filter(x, dy, kernel_size, *, {WINDOWS})",
    'max_pool2d(x, pool_size, strides=None, padding="valid")',
    'max_pool2d_backward(x, dy, pool_size, strides=None, padding="valid")',
    'avg_pool2d(x, pool_size, strides=None, padding="valid")',
    'avg_pool2d_backward(x, dy, pool_size, strides=None, padding="valid")',
    "global_avg_pool2d(x)",
    "global_avg_pool2d_backward(dy, input_shape)",
    "dense(x, w, b=None, *, activation=None)",
    "dense_backward(x, w, dy)",
    "dropout(x, rate, seed)",
    "relu(x)",
    "relu_backward(y, dy)",
    "softmax(x)",
    "softmax_backward(y, dy)",
    "softmax_cross_entropy(logits, labels)",
    "set_num_threads(n)",
    "get_num_threads()",
    "set_conv_algorithm(algorithm)",
    "get_conv_algorithm()",
]


def function(signature):
    name = signature.partition("(")[0]
    return getattr(ops, name, None) or getattr(pyconv, name)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_signature(signature):
    wanted = ast.parse(f"def {signature}: ...").body[0].args
    names = [a.arg for a in wanted.args]
    defaults = [inspect.Parameter.empty] * (len(names) - len(wanted.defaults))
    defaults += [ast.literal_eval(d) for d in wanted.defaults + wanted.kw_defaults]
    kinds = [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(names)
    kinds += [inspect.Parameter.KEYWORD_ONLY] * len(wanted.kwonlyargs)
    names += [a.arg for a in wanted.kwonlyargs]
    got = inspect.signature(function(signature)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in got] == list(
        zip(names, kinds, defaults, strict=True)
    )


def test_all_operations_are_listed():
    assert {s.partition("(")[0] for s in SIGNATURES} == {*ops.__all__, *backend.__all__} - {
        "active"
    }


@pytest.mark.parametrize("signature", SIGNATURES)
def test_documentation(signature):
    """Every argument is explained; errors, source and an example are there."""
    documented = function(signature)
    text = inspect.getdoc(documented)
    assert "Example:\n    >>> " in text
    parameters = inspect.signature(documented).parameters
    if not parameters:
        return
    explained = text[text.index("Args:\n") :]
    for name in parameters:
        assert any(
            name in line.partition(":")[0].split(", ") or line.strip().startswith(f"{name}, ")
            for line in map(str.strip, explained.splitlines())
        ), name
    assert "Raises:\n    TypeError:" in text
    if documented.__name__ in ops.__all__:
        assert "Source: " in text
