"""Networks: those of the course, and those that made history, for images of CIFAR-10's size."""

from collections.abc import Callable

from pyconv.model import Sequential
from pyconv.zoo.alexnet import alexnet_cifar
from pyconv.zoo.course import deck_cnn, deck_mlp
from pyconv.zoo.googlenet import googlenet_cifar
from pyconv.zoo.lenet import lenet5
from pyconv.zoo.pattern import from_pattern
from pyconv.zoo.resnet import resnet_cifar
from pyconv.zoo.vgg import vgg_cifar

__all__ = [
    "NETWORKS",
    "alexnet_cifar",
    "deck_cnn",
    "deck_mlp",
    "from_pattern",
    "googlenet_cifar",
    "lenet5",
    "resnet_cifar",
    "vgg_cifar",
]


def _resnet(depth: int) -> Callable[..., Sequential]:
    return lambda *arguments, **named: resnet_cifar(depth, *arguments, **named)


# The networks by the names that commands take: functions of (input_shape, classes).
NETWORKS: dict[str, Callable[..., Sequential]] = {
    "cnn": deck_cnn,
    "mlp": deck_mlp,
    "lenet5": lenet5,
    "alexnet": alexnet_cifar,
    "vgg16": vgg_cifar,
    "googlenet": googlenet_cifar,
    "resnet20": _resnet(20),
    "resnet32": _resnet(32),
    "resnet56": _resnet(56),
}
