"""Batches of arrays and of streams."""

import numpy as np
import pytest

import pyconv
from pyconv import batches
from pyconv.batches import ArrayBatches, Batch, StreamBatches

X = np.arange(20, dtype=np.float32).reshape(10, 2)


def rows(made):
    """The numbers of the rows, batch by batch."""
    return [(batch.x[:, 0] / 2).astype(int).tolist() for batch in made]


class TestArrays:
    def test_in_order_with_the_rest(self):
        made = ArrayBatches((X, None, None), 4)
        assert made.steps == 3
        assert rows(made) == rows(made) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]

    def test_a_batch_larger_than_the_set(self):
        made = ArrayBatches((X, None, None), 2**31 - 1)
        assert made.steps == 1
        assert rows(made) == [list(range(10))]

    def test_no_samples_are_one_empty_batch(self):
        assert [b.x.shape for b in ArrayBatches((X[:0], None, None), 4)] == [(0, 2)]

    def test_rows_stay_together(self):
        pyconv.utils.set_random_seed(0)
        y, weight = np.arange(10), np.arange(10, dtype=np.float32) / 8
        for shuffle in (True, "batch", False):
            for batch in ArrayBatches((X, y, weight), 3, shuffle):
                np.testing.assert_array_equal(batch.x[:, 0], batch.y * 2)
                np.testing.assert_array_equal(batch.sample_weight, batch.y / 8)
                assert batch.y.dtype == np.int64

    def test_every_row_once_in_a_new_order(self):
        pyconv.utils.set_random_seed(0)
        made = ArrayBatches((X, None, None), 4, shuffle=True)
        first, second = rows(made), rows(made)
        for order in (first, second):
            assert sorted(row for part in order for row in part) == list(range(10))
            assert [len(part) for part in order] == [4, 4, 2]
        assert first != second != [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]

    def test_new_order_within_each_batch(self):
        pyconv.utils.set_random_seed(0)
        order = rows(ArrayBatches((X, None, None), 4, shuffle="batch"))
        assert [sorted(part) for part in order] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert order != [sorted(part) for part in order]

    def test_steps_of_each_pass(self):
        made = ArrayBatches((X, None, None), 4, steps=2)
        assert rows(made) == rows(made) == [[0, 1, 2, 3], [4, 5, 6, 7]]
        assert ArrayBatches((X, None, None), 4, steps=9).steps == 3

    def test_steps_that_go_on(self):
        made = ArrayBatches((X, None, None), 4, steps=4, continues=True)
        assert made.steps == 4
        assert rows(made) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3]]
        assert rows(made) == [[4, 5, 6, 7], [8, 9], [0, 1, 2, 3], [4, 5, 6, 7]]

    @pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i8", "u8", "f2", "f4", "f8", ">f4", "?"])
    @pytest.mark.parametrize("change", [np.array, np.asfortranarray, lambda x: x[::-1, ::2]])
    def test_types_and_layouts(self, dtype, change):
        array = change(np.random.default_rng(0).integers(0, 200, (9, 6, 5)).astype(dtype))
        got = np.concatenate([b.x.copy() for b in ArrayBatches((array, None, None), 4)])
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, array.astype(np.float32))

    def test_float64_beyond_float32(self):
        array = np.array([[1e300, -1e300, np.nan, 1e-300, 1 / 3]])
        with np.errstate(over="ignore"):
            wanted = array.astype(np.float32)
        (batch,) = ArrayBatches((array, None, None), 1)
        np.testing.assert_array_equal(batch.x, wanted)

    @pytest.mark.cpu
    def test_memory_is_used_again(self):
        made = ArrayBatches((X, None, None), 4, shuffle=True)
        assert len({b.x.ctypes.data for b in made}) == 1

    @pytest.mark.cpu
    def test_what_is_as_wanted_is_not_copied(self):
        batches = list(ArrayBatches((X, None, None), 4))
        assert all(np.shares_memory(batch.x, X) for batch in batches)
        assert not any(batch.x.flags.writeable for batch in batches)
        assert X.flags.writeable

    def test_the_set_is_not_copied(self, tmp_path):
        """A set larger than memory, as a file."""
        path = tmp_path / "x.npy"
        written = np.lib.format.open_memmap(path, "w+", np.uint8, (1000, 4))
        written[:] = np.arange(1000)[:, None] % 251
        read = np.load(path, mmap_mode="r")
        made = ArrayBatches((batches.inputs("test", read), None, None), 300)
        assert np.shares_memory(made._columns[0]._array, read)
        np.testing.assert_array_equal(next(iter(made)).x, written[:300])


class TestStreams:
    def prepared(self, source, *arguments):
        return StreamBatches(source, lambda item: Batch(item, None, None), *arguments)

    def items(self, made):
        return [batch.x for batch in made]

    def test_a_list_begins_anew_each_time(self):
        made = self.prepared([1, 2, 3])
        assert made.steps == 3
        assert self.items(made) == self.items(made) == [1, 2, 3]

    def test_an_iterator_does_not(self):
        made = self.prepared(iter([1, 2, 3]))
        assert made.steps is None
        assert self.items(made) == [1, 2, 3]
        assert self.items(made) == []

    def test_steps(self):
        made = self.prepared([1, 2, 3], 2)
        assert self.items(made) == self.items(made) == [1, 2]
        made = self.prepared(iter([1, 2, 3]), 2)
        assert self.items(made) == [1, 2]
        assert self.items(made) == [3]

    def test_steps_that_go_on(self):
        made = self.prepared([1, 2, 3], 2, True)
        assert [self.items(made) for _ in range(3)] == [[1, 2], [3, 1], [2, 3]]
        assert self.items(self.prepared([], 2, True)) == []

    def test_length_and_items(self):
        class Squares:
            def __len__(self):
                return 3

            def __getitem__(self, number):
                return number**2

        made = self.prepared(Squares())
        assert made.steps == 3
        assert self.items(made) == self.items(made) == [0, 1, 4]


@pytest.mark.parametrize(
    ("x", "y", "stream"),
    [
        (X, None, False),
        (X.tolist(), None, False),
        ([X, X], None, False),
        ([(X, X)], None, True),
        ([(X, X)], X, False),
        (((X, X),), None, True),
        ([], None, False),
        (iter([X]), None, True),
        ((x for x in [X]), None, True),
        (range(3), None, True),
        ("ab", None, False),
        ({"x": X}, None, False),
        (None, None, False),
        (5, None, False),
    ],
)
def test_what_is_a_stream(x, y, stream):
    assert batches.is_stream(x, y) is stream


@pytest.mark.parametrize(
    ("samples", "fraction", "first"),
    [(10, 0.2, 8), (10, 0.25, 7), (3, 0.5, 1), (50000, 0.1, 45000)],
)
def test_split_is_keras_floor(samples, fraction, first):
    x = np.arange(samples)[:, None]
    (train, _, none), (last, y, _) = batches.split("fit", (x, x, None), fraction)
    assert (len(train), len(last)) == (first, samples - first)
    assert last[0] == first
    assert none is None
    assert np.shares_memory(y, x)
