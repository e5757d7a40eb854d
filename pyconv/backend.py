"""The active backend: a module with one function an operation (see ``_cpu.pyi``)."""

try:
    from pyconv import _cpu as active
except ModuleNotFoundError as error:
    raise ImportError(
        "pyconv's native module is missing: this is a source folder, not an installed package. "
        "Run `pip install .` and start Python outside of it."
    ) from error

__all__ = [
    "active",
    "get_conv_algorithm",
    "get_num_threads",
    "set_conv_algorithm",
    "set_num_threads",
]


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


def set_conv_algorithm(algorithm: str) -> None:
    """Choose how convolutions are computed from the next operation on.

    Args:
        algorithm: "auto" takes Winograd's F(2x2, RxR) for 2x2 and 3x3 filters with stride 1 and at
            least 16 channels, where it is faster at about the direct kernel's rounding error;
            "direct" never takes it; "winograd" takes it for every such filter with stride 1.

    Raises:
        TypeError: ``algorithm`` is not a string.
        ValueError: ``algorithm`` is none of the three.

    Example:
        >>> import pyconv
        >>> pyconv.set_conv_algorithm("direct")
        >>> pyconv.get_conv_algorithm()
        'direct'
        >>> pyconv.set_conv_algorithm("auto")
    """
    if not isinstance(algorithm, str):
        raise TypeError(
            f"set_conv_algorithm: algorithm must be a string, got {type(algorithm).__name__}"
        )
    if algorithm not in ("auto", "direct", "winograd"):
        from pyconv._args import shown

        raise ValueError(
            "set_conv_algorithm: algorithm must be 'auto', 'direct' or 'winograd', got "
            f"{shown(algorithm)}"
        )
    active.set_conv_algorithm(algorithm)


def get_conv_algorithm() -> str:
    """Return what ``set_conv_algorithm`` chose.

    Example:
        >>> import pyconv
        >>> pyconv.get_conv_algorithm()
        'auto'
    """
    return active.get_conv_algorithm()
