"""Files of other libraries: HDF5, Keras's formats and PyTorch's."""
