"""The same bits for any number of threads, also in a forked child."""

import os
import threading

import numpy as np
import pytest

import pyconv
from pyconv import backend, ops


def everything():
    rng = np.random.default_rng(9)
    x = rng.standard_normal((5, 17, 19, 33), np.float32)
    w = rng.standard_normal((3, 3, 33, 40), np.float32)
    dy = rng.standard_normal((5, 17, 19, 40), np.float32)
    results = []
    for algorithm in ("direct", "winograd"):
        pyconv.set_conv_algorithm(algorithm)
        results += [
            ops.conv2d(x, w, padding="same"),
            ops.conv2d_backward_input(dy, w, x.shape, padding="same"),
            ops.conv2d_backward_filter(x, dy, 3, padding="same"),
        ]
    pyconv.set_conv_algorithm("auto")
    results += [ops.max_pool2d(x, 3, 2), ops.avg_pool2d(x, 2), ops.global_avg_pool2d(x)]
    a, b = rng.standard_normal((101, 300), np.float32), rng.standard_normal((300, 90), np.float32)
    results += [ops.dense(a, b), *ops.dense_backward(a, b, ops.dense(a, b))]
    results += [ops.softmax(a), ops.dropout(x, 0.4, 3), ops.relu(x)]
    return [r.tobytes() for r in results]


def test_same_bits(isa, threads):
    threads(1)
    expected = everything()
    for n in (2, 3, 4):
        threads(n)
        assert everything() == expected


def test_forked_child(threads):
    threads(2)
    expected = everything()
    child = os.fork()
    if child == 0:
        os._exit(0 if everything() == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_several_python_threads(threads):
    threads(2)
    x = np.random.default_rng(1).standard_normal((64, 500), np.float32)
    w = np.random.default_rng(2).standard_normal((500, 300), np.float32)
    expected, wrong = ops.dense(x, w), []

    def work():
        for _ in range(50):
            if not np.array_equal(ops.dense(x, w), expected):
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


@pytest.mark.parametrize("n", [0, -1, 257, 2**63])
def test_wrong_numbers(n):
    with pytest.raises(ValueError, match="set_num_threads: n"):
        pyconv.set_num_threads(n)
    assert backend.active.get_num_threads() >= 1
