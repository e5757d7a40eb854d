"""Networks from ONNX files, which PyTorch, TensorFlow, Caffe2 and others write.

It needs the package onnx: ``pip install 'pyconv[onnx]'``.
"""

from pyconv.onnx._load import load

__all__ = ["load"]
