"""``keras.utils.bounding_boxes``: boxes in Keras's formats."""

from pyconv import bounding_boxes

__all__ = [name for name in bounding_boxes.__all__ if name != "FORMATS"]
globals().update({name: getattr(bounding_boxes, name) for name in __all__})
