// What the bindings share. Each function checks its arguments, takes the output, and runs the
// operation without the GIL, as an event of a trace. The same sources make the module of each
// backend: they name operations only by the headers of csrc/ops.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "array.h"
#include "check.h"
#include "denormals.h"
#include "ops/shapes.h"
#include "trace.h"

namespace pyconv {

using namespace pybind11::literals;

using Pair = std::array<int64_t, 2>;
using Four = std::array<int64_t, 4>;
using Object = py::object;

inline void note(trace::Operation& event, const Shape& shape, int64_t itemsize) {
    int64_t bytes = itemsize;
    for (int64_t extent : shape) bytes *= extent;
    event.array(shape.data(), shape.size(), bytes);
}
inline void note(trace::Operation& event, const Input& a) { note(event, a.shape(), sizeof(float)); }
inline void note(trace::Operation& event, const Output& a) {
    note(event, a.shape(), sizeof(float));
}
inline void note(trace::Operation& event, const Integers& a) {
    note(event, {a.size()}, sizeof(int64_t));
}
inline void note(trace::Operation& event, const Moved& moved) { event.bytes(moved.bytes); }
template <class Array>
void note(trace::Operation& event, const std::optional<Array>& a) {
    if (a) note(event, *a);
}
template <class Array>
void note(trace::Operation& event, const std::vector<Array>& arrays) {
    for (const Array& a : arrays) note(event, a);
}

// Runs `operation` without the GIL. A trace shows it under its name, which outlives the process's
// traces, with the shapes of those of its arrays that there is room for.
template <class... Arrays, class Operation>
void traced(const char* name, const std::tuple<Arrays&...>& arrays, const Operation& operation) {
    trace::Operation event(name);
    if (event) std::apply([&](const auto&... a) { (note(event, a), ...); }, arrays);
    py::gil_scoped_release release;
    const FlushDenormals flush;
    operation();
    if (event) finish();
    event.end();
}

// The same, of an operation that no training step consists of.
template <class... Arrays, class Operation>
void without_gil(const char* name, const std::tuple<Arrays&...>& arrays,
                 const Operation& operation) {
    record_none(name);
    traced(name, arrays, operation);
}

// The same, of an operation that a training step may record, which then runs when that is launched:
// it holds copies of what it works on, and `arrays` are all that it reads and writes.
template <class... Arrays, class Operation>
void recordable(const char* name, const std::tuple<Arrays&...>& arrays,
                const Operation& operation) {
    if (record(name, arrays, operation)) return;
    traced(name, arrays, operation);
}

inline const float* data_of(const std::optional<Input>& input) {
    return input ? input->data() : nullptr;
}
inline float* data_of(const std::optional<Output>& output) {
    return output ? output->data() : nullptr;
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
void bind_batchnorm(py::module_& m);
void bind_conv2d(py::module_& m);
void bind_data(py::module_& m);
void bind_dense(py::module_& m);
void bind_elementwise(py::module_& m);
void bind_lrn(py::module_& m);
void bind_merge(py::module_& m);
void bind_optimizers(py::module_& m);
void bind_peak(py::module_& m);
void bind_pool2d(py::module_& m);
void bind_runtime(py::module_& m);
void bind_softmax(py::module_& m);
void bind_trace(py::module_& m);
// Of the CPU backend alone.
void bind_filters(py::module_& m);
void bind_graph(py::module_& m);
void bind_prediction(py::module_& m);

}  // namespace pyconv
