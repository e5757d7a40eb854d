// Arrays to and from other libraries on the device, without a copy (https://dmlc.github.io/dlpack).
#pragma once

#include <pybind11/pybind11.h>

#include <utility>

#include "device_array.h"

namespace pyconv::cuda {

// A capsule "dltensor". `stream` is the consumer's, as the array API standard has it: it waits for
// what ours was asked to do.
py::capsule to_dlpack(const Array& array, const py::object& stream);
// (type, number) of the device.
std::pair<int, int> dlpack_device(int device);
// The array of an object that has __dlpack__; TypeError where it is not on the device or of a type
// that arrays do not have, ValueError where it is not C-contiguous.
Array from_dlpack(const py::object& source);

}  // namespace pyconv::cuda
