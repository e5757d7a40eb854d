// What the module of a device has beside the operations.
#pragma once

#include <pybind11/pybind11.h>

namespace pyconv {

void bind_arrays(pybind11::module_& m);
// Of the emulated device alone.
void bind_emulation(pybind11::module_& m);

}  // namespace pyconv
