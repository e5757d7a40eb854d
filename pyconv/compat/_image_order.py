"""The order of axes that images have where nothing else is said: K.set_image_data_format."""

from pyconv._args import is_one_of

_FORMATS = ("channels_last", "channels_first")

_chosen = _FORMATS[0]


def data_format() -> str:
    """Return 'channels_last' or 'channels_first'."""
    return _chosen


def select(value: str) -> None:
    """Have images be of this order from now on; ValueError where it is neither."""
    global _chosen
    if not is_one_of(value, _FORMATS):
        raise ValueError(
            f"set_image_data_format: it must be 'channels_last' or 'channels_first', got "
            f"{value!r:.60}"
        )
    _chosen = value
