"""What convolutions along lines share."""

from typing import Any

from pyconv._types import Array
from pyconv.layers._arguments import sizes_arg
from pyconv.layers._line import Line
from pyconv.layers.layer import Layer

_OF_ALL = ("name", "trainable", "dtype", "data_format", "activity_regularizer")


class LineConv(Line):
    """A convolution along lines; its arguments are those of the one of images."""

    def _convolve_by(self, kind: type[Layer], padding: Any, arguments: dict[str, Any]) -> None:
        """Have a convolution of ``kind`` do the work."""
        sizes, rows = {}, {}
        for name in ("kernel_size", "strides", "dilation_rate"):
            sizes[name] = sizes_arg(self.label, name, arguments[name], 1)
            rows[name] = (1, *sizes[name])
        if arguments.get("output_padding") is not None:
            more = sizes_arg(self.label, "output_padding", arguments["output_padding"], 1, 0)
            sizes["output_padding"], rows["output_padding"] = more, (0, *more)
        pads: Any = padding
        if isinstance(padding, str) and padding.lower() == "causal":
            before = (sizes["kernel_size"][0] - 1) * sizes["dilation_rate"][0]
            pads = ((0, 0), (before, 0))
        self._work_by(kind, **{**arguments, **rows, "padding": pads})
        for name in self._own_names():
            setattr(self, name, getattr(self.row, name))
        self.padding = padding.lower() if isinstance(padding, str) else padding
        self._sizes: dict[str, Any] = {**sizes, "padding": self.padding}
        vars(self).update(sizes)

    def _own_names(self) -> list[str]:
        return [name for name in self.row.get_config() if name not in _OF_ALL]

    @property
    def activation(self) -> Any:
        """The activation function; None, a name and functions of one's own may be set."""
        return self.row.activation

    @activation.setter
    def activation(self, value: Any) -> None:
        self.row.activation = value

    @property
    def kernel(self) -> Array:
        """The kernel; AttributeError before the layer is built."""
        return self._weight_once_built("kernel")

    @property
    def bias(self) -> Array | None:
        """The bias, or None where the layer has none or is not built."""
        return self._weights.get("bias")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        of_row = self.row.get_config()
        own = {name: of_row[name] for name in self._own_names()}
        return {**super().get_config(), **own, **self._sizes}
