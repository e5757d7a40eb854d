"""The choice of the device that operations run on."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

from pyconv import _device_arrays, backend
from pyconv._args import is_one_of, shown

__all__ = [
    "Device",
    "device",
    "devices",
    "get_device",
    "get_float32_precision",
    "set_device",
    "set_float32_precision",
]

_NOT_BUILT = (
    "CUDA is not built into this installation; install it with `PYCONV_CUDA=ON pip install .` from "
    "pyconv's source"
)
_precision = "highest"
_fell_back = False


class Device(NamedTuple):
    """A device that operations can run on."""

    name: str
    description: str


class _NoDeviceError(ValueError):
    """CUDA cannot be used; the text says why."""


def set_device(device: str, owner: str = "set_device") -> None:
    """Run operations on a device, from the next one on.

    A model follows: its weights move when it is next used. Arrays that a user took from it before,
    such as ``layer.kernel``, stay where they were.

    Args:
        device: "cpu"; "cuda" or "cuda:1" for a GPU of NVIDIA's; or "auto", the first GPU, and the
            CPU where none can be used, which is said once. The environment's ``PYCONV_DEVICE`` is
            the first choice.
        owner: what errors name.

    Raises:
        TypeError: ``device`` is not a string.
        ValueError: it is none of these, or CUDA cannot be used: not built into this installation,
            no driver, a driver that is too old, or no such device.

    Example:
        >>> import pyconv
        >>> pyconv.set_device("cpu")
        >>> pyconv.get_device()
        'cpu'
    """
    if not isinstance(device, str):
        raise TypeError(f"{owner}: device must be a string, got {type(device).__name__}")
    kind, _, number = device.partition(":")
    if device == "cpu":
        use(backend.cpu)
    elif device == "auto":
        reason = why_no_cuda()
        if reason is None:
            _use_cuda(owner, 0)
        else:
            _fall_back(reason)
    elif device == "cuda" or (kind == "cuda" and number.isdecimal() and len(number) < 4):
        _use_cuda(owner, int(number or 0))
    else:
        raise ValueError(
            f"{owner}: device must be 'auto', 'cpu', 'cuda' or 'cuda:1', got {shown(device)}"
        )


def get_device() -> str:
    """Return the device that operations run on: "cpu", "cuda:0" ...

    Example:
        >>> import pyconv
        >>> with pyconv.device("cpu"):
        ...     pyconv.get_device()
        'cpu'
    """
    return "cpu" if backend.active is backend.cpu else f"cuda:{_active().device()}"


@contextmanager
def device(name: str) -> Iterator[None]:
    """Run the operations of a ``with`` block on a device.

    The choice is that of the whole process, not of a thread.

    Args:
        name: as for ``set_device``.

    Raises:
        TypeError, ValueError: as for ``set_device``.

    Example:
        >>> import numpy as np, pyconv
        >>> with pyconv.device("cpu"):
        ...     y = pyconv.layers.Dense(3)(np.ones((2, 4)))
        >>> y.shape
        (2, 3)
    """
    module, before = backend.active, get_device()
    set_device(name, "device")
    try:
        yield
    finally:
        if module is not backend.cpu:
            module.set_device(int(before.partition(":")[2]))  # type: ignore[attr-defined]
        use(module)


def devices() -> list[Device]:
    """Return the devices that ``set_device`` takes, the CPU first.

    Example:
        >>> import pyconv
        >>> pyconv.devices()[0].name
        'cpu'
    """
    found = [Device("cpu", f"{backend.cpu.get_num_threads()} threads, {backend.cpu.isa()}")]
    try:
        module = _cuda()
        _check(module)
    except _NoDeviceError:
        return found
    for i, (name, memory, major, minor) in enumerate(module.devices()):
        text = f"{name}, {memory / 2**30:.1f} GiB, compute capability {major}.{minor}"
        found.append(Device(f"cuda:{i}", text))
    return found


def set_float32_precision(precision: str) -> None:
    """Choose how a GPU multiplies matrices of float32, from the next operation on.

    Args:
        precision: "highest" multiplies in float32; "high" on tensor cores (compute capability 8.0
            and later), which round each operand to 10 bits of mantissa (TF32) and add in float32.
            The CPU always multiplies in float32.

    Raises:
        TypeError: ``precision`` is not a string.
        ValueError: it is neither of the two.

    Example:
        >>> import pyconv
        >>> pyconv.set_float32_precision("high")
        >>> pyconv.get_float32_precision()
        'high'
        >>> pyconv.set_float32_precision("highest")
    """
    global _precision
    owner = "set_float32_precision"
    if not isinstance(precision, str):
        raise TypeError(f"{owner}: precision must be a string, got {type(precision).__name__}")
    if not is_one_of(precision, ("highest", "high")):
        raise ValueError(f"{owner}: precision must be 'highest' or 'high', got {shown(precision)}")
    _precision = precision
    if backend.active is not backend.cpu:
        _active().set_float32_precision(precision == "high")


def get_float32_precision() -> str:
    """Return what ``set_float32_precision`` chose.

    Example:
        >>> import pyconv
        >>> pyconv.get_float32_precision()
        'highest'
    """
    return _precision


def why_no_cuda() -> str | None:
    """Return why CUDA cannot be used, or None where it can."""
    try:
        _check(_cuda())
    except _NoDeviceError as error:
        return str(error)
    return None


def _use_cuda(owner: str, number: int) -> None:
    try:
        module = _cuda()
        count = _check(module)
    except _NoDeviceError as error:
        raise _NoDeviceError(f"{owner}: {error}") from None
    if number >= count:
        raise ValueError(
            f"{owner}: there is no 'cuda:{number}', the last device is 'cuda:{count - 1}'"
        )
    module.set_device(number)
    use(module)


def use(module: Any) -> None:
    """Run operations on a module, from the next one on."""
    if module is not backend.cpu:
        _device_arrays.equip(module)
        module.set_float32_precision(_precision == "high")
    backend.select(module)


def _active() -> Any:
    return backend.active


def _cuda() -> Any:
    try:
        return import_module("pyconv._cuda")
    except ModuleNotFoundError:
        raise _NoDeviceError(_NOT_BUILT) from None
    except ImportError as error:  # a build with a shared cudart, where there is none
        raise _NoDeviceError(
            f"the CUDA module of this installation does not load: {error}"
        ) from None


def _check(module: Any) -> int:
    """Return the number of devices, at least one."""
    status, count, driver, runtime = module.probe()
    if status == "cudaErrorInsufficientDriver" and driver == 0:
        raise _NoDeviceError(
            "there is no NVIDIA driver on this machine (libcuda.so.1 is not found); install one "
            f"for CUDA {runtime // 1000} or later"
        )
    if status == "cudaErrorInsufficientDriver":
        raise _NoDeviceError(
            f"the NVIDIA driver is too old: it is for CUDA {_version(driver)}, and this "
            f"installation needs {runtime // 1000} or later; update the driver"
        )
    if status == "cudaErrorNoDevice" or (status == "cudaSuccess" and count == 0):
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        hint = "" if hidden is None else f"; CUDA_VISIBLE_DEVICES is {hidden!r:.60}"
        raise _NoDeviceError(f"the NVIDIA driver finds no GPU on this machine{hint}")
    if status != "cudaSuccess":
        raise _NoDeviceError(f"CUDA does not start on this machine: {status}")
    return int(count)


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _fall_back(reason: str) -> None:
    global _fell_back
    use(backend.cpu)
    if not _fell_back:
        _fell_back = True
        warnings.warn(f"pyconv runs on the CPU: {reason}", stacklevel=3)


if os.environ.get("PYCONV_DEVICE"):
    set_device(os.environ["PYCONV_DEVICE"], "PYCONV_DEVICE")
