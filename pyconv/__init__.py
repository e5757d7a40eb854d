"""pyconv: a small, very fast deep-learning library for convolutional networks."""

__version__ = "0.1.0"
