"""What is measured: shapes, arithmetic and memory traffic of kernels and whole networks."""

from dataclasses import dataclass, replace
from math import prod
from typing import Literal

from pyconv.bench.networks import INPUT, forward_flops, layer_shapes

Pads = tuple[int, int, int, int]
Pass = Literal["forward", "input", "filter"]


@dataclass(frozen=True)
class Case:
    """Something that each peer can be asked to do; subclasses say what."""

    @property
    def name(self) -> str:
        """Name in tables, unique among the cases."""
        raise NotImplementedError

    @property
    def flops(self) -> int:
        """Multiplications and additions, as the direct algorithm does them; 0 where none count."""
        return 0

    @property
    def bytes(self) -> int:
        """Least traffic: every input read once, every result written once."""
        return 0

    @property
    def footprint(self) -> int:
        """Bytes of all arrays together: what must fit into a cache to be moved at its speed."""
        return self.bytes

    @property
    def images(self) -> int:
        """Images that one run handles, where a rate of images says something, else 0."""
        return 0


@dataclass(frozen=True)
class Conv(Case):
    """One pass of a 2-D convolution without bias."""

    n: int
    h: int
    w: int
    c: int
    oc: int
    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    padding: str = "same"  # or "valid"
    dilation: int = 1
    groups: int = 1
    direction: Pass = "forward"

    @property
    def name(self) -> str:
        """Such as ``conv 3x3 64→64 32x32 batch 32, forward``."""
        label = {"forward": "forward", "input": "input gradient", "filter": "filter gradient"}
        return f"conv {self.shape_name}, {label[self.direction]}"

    @property
    def shape_name(self) -> str:
        """The shape alone, the same for the three passes."""
        extra = [f"stride {self.stride}"] * (self.stride > 1)
        extra += [f"dilation {self.dilation}"] * (self.dilation > 1)
        extra += [f"groups {self.groups}"] * (self.groups > 1)
        extra += [self.padding] * (self.padding != "same")
        text = f"{self.kernel[0]}x{self.kernel[1]} {self.c}→{self.oc} {self.h}x{self.w}"
        return " ".join([text, *extra, f"batch {self.n}"])

    @property
    def pads(self) -> Pads:
        """(top, bottom, left, right), 'same' as TensorFlow has it."""
        if self.padding == "valid":
            return (0, 0, 0, 0)
        sides = []
        for size, k in zip((self.h, self.w), self.kernel, strict=True):
            reach = (k - 1) * self.dilation + 1
            total = max((-(-size // self.stride) - 1) * self.stride + reach - size, 0)
            sides += [total // 2, total - total // 2]
        return (sides[0], sides[1], sides[2], sides[3])

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, C)."""
        return (self.n, self.h, self.w, self.c)

    @property
    def w_shape(self) -> tuple[int, int, int, int]:
        """(KH, KW, C / groups, OC)."""
        return (*self.kernel, self.c // self.groups, self.oc)

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        """(N, OH, OW, OC)."""
        top, bottom, left, right = self.pads
        oh, ow = (
            (size + pad - (k - 1) * self.dilation - 1) // self.stride + 1
            for size, pad, k in zip(
                (self.h, self.w), (top + bottom, left + right), self.kernel, strict=True
            )
        )
        return (self.n, oh, ow, self.oc)

    @property
    def flops(self) -> int:
        """Two for each product of a pixel's patch and a filter, padding included."""
        return 2 * prod(self.y_shape) * prod(self.w_shape[:3])

    @property
    def bytes(self) -> int:
        """x, w and y, each once."""
        return 4 * (prod(self.x_shape) + prod(self.w_shape) + prod(self.y_shape))

    def passes(self) -> list["Conv"]:
        """The same shape forward and for both gradients."""
        return [replace(self, direction=d) for d in ("forward", "input", "filter")]


@dataclass(frozen=True)
class Dense(Case):
    """One pass of a dense layer without bias; "filter" is the gradient of the weights."""

    n: int
    inputs: int
    units: int
    direction: Pass = "forward"

    @property
    def name(self) -> str:
        """Such as ``dense 1000→512 batch 32, forward``."""
        label = {"forward": "forward", "input": "input gradient", "filter": "weight gradient"}
        return f"dense {self.inputs}→{self.units} batch {self.n}, {label[self.direction]}"

    @property
    def flops(self) -> int:
        """Two for each product."""
        return 2 * self.n * self.inputs * self.units

    @property
    def bytes(self) -> int:
        """x, w and y, each once."""
        return 4 * (self.n * (self.inputs + self.units) + self.inputs * self.units)

    def passes(self) -> list["Dense"]:
        """The same shape forward and for both gradients."""
        return [replace(self, direction=d) for d in ("forward", "input", "filter")]


@dataclass(frozen=True)
class MaxPool(Case):
    """Max pooling of 2x2 cells, forward or its gradient ("input")."""

    n: int
    h: int
    w: int
    c: int
    direction: Pass = "forward"

    @property
    def name(self) -> str:
        """Such as ``max pooling 2x2 32x32x64 batch 32, forward``."""
        label = "forward" if self.direction == "forward" else "gradient"
        return f"max pooling 2x2 {self.h}x{self.w}x{self.c} batch {self.n}, {label}"

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, C)."""
        return (self.n, self.h, self.w, self.c)

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        """(N, H / 2, W / 2, C)."""
        return (self.n, self.h // 2, self.w // 2, self.c)

    @property
    def flops(self) -> int:
        """The comparisons, those of the gradient included."""
        return 3 * prod(self.y_shape)

    @property
    def bytes(self) -> int:
        """Forward x and y; the gradient reads x and dy and writes dx."""
        x, y = prod(self.x_shape), prod(self.y_shape)
        return 4 * (x + y if self.direction == "forward" else 2 * x + y)


@dataclass(frozen=True)
class Relu(Case):
    """ReLU of so many numbers, forward or its gradient ("input")."""

    size: int
    direction: Pass = "forward"

    @property
    def name(self) -> str:
        """Such as ``ReLU 2.1 M numbers, forward``."""
        label = "forward" if self.direction == "forward" else "gradient"
        return f"ReLU {self.size / 1e6:.1f} M numbers, {label}"

    @property
    def flops(self) -> int:
        """One comparison each."""
        return self.size

    @property
    def bytes(self) -> int:
        """Forward x and y; the gradient reads y and dy and writes dx."""
        return 4 * self.size * (2 if self.direction == "forward" else 3)


@dataclass(frozen=True)
class Update(Case):
    """One update of all parameters of a network by an optimizer."""

    optimizer: Literal["SGD momentum", "RMSprop", "Adam"]
    network: str

    @property
    def name(self) -> str:
        """Such as ``RMSprop 3.6 M parameters, update``."""
        return f"{self.optimizer} {sum(map(prod, self.shapes)) / 1e6:.1f} M parameters, update"

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the parameters."""
        kernels = [kernel for _, _, kernel in layer_shapes(self.network) if kernel]
        return [shape for kernel in kernels for shape in (kernel, kernel[-1:])]

    @property
    def flops(self) -> int:
        """Multiplications, additions, roots and quotients."""
        each = {"SGD momentum": 4, "RMSprop": 9, "Adam": 12}[self.optimizer]
        return each * sum(map(prod, self.shapes))

    @property
    def bytes(self) -> int:
        """Parameters, gradients and state are read, parameters and state written."""
        streams = {"SGD momentum": 5, "RMSprop": 5, "Adam": 7}[self.optimizer]
        return 4 * streams * sum(map(prod, self.shapes))

    @property
    def footprint(self) -> int:
        """Parameters, gradients and state."""
        arrays = {"SGD momentum": 3, "RMSprop": 3, "Adam": 4}[self.optimizer]
        return 4 * arrays * sum(map(prod, self.shapes))


@dataclass(frozen=True)
class Train(Case):
    """A training step of a network: RMSprop, cross-entropy, batches gathered in a new order."""

    network: str
    batch: int

    @property
    def name(self) -> str:
        """Such as ``deck CNN, training step, batch 32``."""
        return f"{self.network}, training step, batch {self.batch}"

    @property
    def steps(self) -> int:
        """Steps of an epoch of the benchmark's data set: enough to hide what an epoch costs."""
        slow = {"VGG-like": 2, "ResNet-20": 4}
        return slow.get(self.network, max(4, 512 // self.batch))

    @property
    def flops(self) -> int:
        """Forward, and both gradients but that of the first layer's input."""
        flops = forward_flops(self.network)
        return self.batch * (3 * sum(flops) - flops[0])

    @property
    def images(self) -> int:
        """Images of a batch."""
        return self.batch

    @property
    def x_shape(self) -> tuple[int, ...]:
        """Shape of the data set."""
        return (self.steps * self.batch, *INPUT)


@dataclass(frozen=True)
class Predict(Case):
    """The class probabilities of a batch of images."""

    network: str
    batch: int

    @property
    def name(self) -> str:
        """Such as ``deck CNN, predict, batch 32``."""
        return f"{self.network}, predict, batch {self.batch}"

    @property
    def flops(self) -> int:
        """Those of the forward pass."""
        return self.batch * sum(forward_flops(self.network))

    @property
    def images(self) -> int:
        """Images of a batch."""
        return self.batch

    @property
    def x_shape(self) -> tuple[int, ...]:
        """Shape of the batch."""
        return (self.batch, *INPUT)
