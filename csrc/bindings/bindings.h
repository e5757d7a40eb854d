// What the bindings share. Each function checks its arguments, takes the output, and runs the
// operation without the GIL. The same sources make the module of each backend: they name
// operations only by the headers of csrc/ops.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <string>

#include "array.h"
#include "check.h"
#include "ops/shapes.h"

namespace pyconv {

using namespace pybind11::literals;

using Pair = std::array<int64_t, 2>;
using Four = std::array<int64_t, 4>;
using Object = py::object;

template <class Operation>
void without_gil(const Operation& operation) {
    py::gil_scoped_release release;
    operation();
}

inline Size2 size2(const Pair& p) { return {p[0], p[1]}; }
inline Padding2 padding2(const Four& p) { return {p[0], p[1], p[2], p[3]}; }
inline Four four(const Input& a) { return {a[0], a[1], a[2], a[3]}; }

inline Activation activation_of(const char* op, const std::string& name) {
    if (name == "linear") return Activation::kLinear;
    if (name == "relu") return Activation::kRelu;
    fail(op, "activation must be 'linear' or 'relu', got '", name, "'");
}

// One a family of operations, each in its own file: its functions' entries in the module.
void bind_conv2d(py::module_& m);
void bind_data(py::module_& m);
void bind_dense(py::module_& m);
void bind_elementwise(py::module_& m);
void bind_optimizers(py::module_& m);
void bind_peak(py::module_& m);
void bind_pool2d(py::module_& m);
void bind_runtime(py::module_& m);
void bind_softmax(py::module_& m);

}  // namespace pyconv
