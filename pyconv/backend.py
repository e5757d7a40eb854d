"""The active backend: a module with one function an operation (see ``_cpu.pyi``)."""

from pyconv import _cpu as active

__all__ = ["active", "get_num_threads", "set_num_threads"]


def set_num_threads(n: int) -> None:
    """Use ``n`` threads from the next operation on; results are the same bits for any number.

    Args:
        n: 1 to 256.

    Raises:
        TypeError: ``n`` is not an integer.
        ValueError: ``n`` is outside 1 to 256.

    Example:
        >>> import pyconv
        >>> pyconv.set_num_threads(2)
        >>> pyconv.get_num_threads()
        2
    """
    from pyconv._args import int_arg

    active.set_num_threads(int_arg("set_num_threads", "n", n, minimum=1, maximum=256))


def get_num_threads() -> int:
    """Number of threads that operations use.

    By default the cores that this process may use, or ``PYCONV_NUM_THREADS``.

    Example:
        >>> import pyconv
        >>> pyconv.get_num_threads() >= 1
        True
    """
    return active.get_num_threads()
