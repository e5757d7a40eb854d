"""Images for training: from folders, and changed at random."""

from pyconv.preprocessing import image

__all__ = ["image"]
