"""Data sets: CIFAR-10, CIFAR-100, Fashion-MNIST, and shapes10, which needs no files."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyconv.datasets import cifar10, cifar100, fashion_mnist, shapes10
    from pyconv.datasets._load import Dataset, load

__all__ = ["Dataset", "cifar10", "cifar100", "fashion_mnist", "load", "shapes10"]


def __getattr__(name: str) -> Any:
    """Import on first use: a program that brings its own data pays nothing."""
    from importlib import import_module

    if name in ("cifar10", "cifar100", "fashion_mnist", "shapes10"):
        return import_module(f"pyconv.datasets.{name}")
    if name in ("Dataset", "load"):
        value = globals()[name] = getattr(import_module("pyconv.datasets._load"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
