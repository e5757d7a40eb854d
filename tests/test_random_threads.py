"""Random shapes while several Python threads call, and in forked children."""

import os
import threading
import time

import numpy as np
import pytest
import random_cases
from random_cases import numbers
from random_runs import seeds

import pyconv
from pyconv import ops


def some_of_everything(count):
    """Return functions without arguments, each an operation on arrays of its own."""
    calls = []
    for _, rng, case in seeds(10, random_cases.convolution):
        x, w, dy = (numbers(rng, case[k], "normal") for k in "xwy")
        o = case["options"]
        calls += [
            lambda x=x, w=w, o=o: ops.conv2d(x, w, **o),
            lambda dy=dy, w=w, x=x, o=o: ops.conv2d_backward_input(dy, w, x.shape, **o),
            lambda x=x, dy=dy, w=w, o=o: ops.conv2d_backward_filter(x, dy, w.shape[:2], **o),
            lambda x=x: ops.global_avg_pool2d(x),
            lambda x=x: ops.max_pool2d(x, 2, 1, "same"),
            lambda x=x: ops.max_pool2d_backward(x, x, 2, 1, "same"),
            lambda x=x: ops.softmax(x),
            lambda x=x: ops.dropout(x, 0.5, 3),
            lambda x=x: ops.dense(x.reshape(len(x), -1), np.ones((x[0].size, 5), np.float32)),
        ]
        if len(calls) >= count:
            break
    return calls


def test_threads_that_call_at_once(threads):
    """Four Python threads, while a fifth changes the number of threads."""
    threads(2)
    calls = some_of_everything(90)
    wanted = [call().tobytes() for call in calls]
    wrong, stop = [], threading.Event()

    def work(seed):
        for i in np.random.default_rng(seed).permutation(len(calls)):
            if calls[i]().tobytes() != wanted[i]:
                wrong.append(i)

    def change():
        n = 1
        while not stop.is_set():
            pyconv.set_num_threads(n % 4 + 1)
            n += 1
            time.sleep(0.001)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    changer = threading.Thread(target=change)
    for thread in (*workers, changer):
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    changer.join()
    assert not wrong


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_forked_children(threads):
    """A child has the parent's bits, also one forked while another thread is inside the pool."""
    threads(3)
    calls = some_of_everything(45)
    wanted = [call().tobytes() for call in calls]
    stop = threading.Event()

    def keep_busy():
        while not stop.is_set():
            calls[0]()

    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                same = False
                try:
                    same = [call().tobytes() for call in calls] == wanted
                finally:
                    os._exit(0 if same else 1)
            deadline = time.monotonic() + 60
            while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
                if time.monotonic() > deadline:
                    os.kill(child, 9)
                time.sleep(0.002)
            assert os.waitstatus_to_exitcode(done[1]) == 0
    finally:
        stop.set()
        busy.join()
