// Arrays at the border to Python: numpy's on the CPU backend.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "graph.h"
#include "trace.h"

namespace pyconv {

namespace py = pybind11;

// "(2, 3)", as Python writes it.
std::string to_string(const Shape& shape);

Shape shape_of(const py::array& array);

// A float32 array that an operation reads: C-contiguous and aligned, copied if it was not.
class Input {
public:
    // TypeError where `value` is not a float32 array, ValueError where it has not `ndim`
    // dimensions (any number for -1) or a copy of it would not fit into memory.
    Input(const char* op, const char* name, py::handle value, int ndim = -1);

    const float* data() const { return data_; }
    const Shape& shape() const { return shape_; }
    int64_t operator[](size_t axis) const { return shape_[axis]; }
    int64_t size() const { return size_; }
    // ValueError unless the array has this shape.
    void expect(const char* op, const char* name, const Shape& shape) const;
    py::object object() const { return holder_; }

private:
    py::object holder_;
    const float* data_;
    Shape shape_;
    int64_t size_;
};

// The array that an operation writes: given by the caller, or fresh.
class Output {
public:
    // TypeError or ValueError where `given` is not None and not a writable C-contiguous float32
    // array of `shape`; ValueError where the result would not fit into memory.
    Output(const char* op, const char* name, py::handle given, const Shape& shape);

    // ValueError where the memory is also another argument's.
    Output& apart_from(const char* op, const Input& input);
    Output& apart_from(const char* op, const Output& other);
    Output& apart_from(const char* op, const void* data, int64_t bytes);
    // As apart_from, but `input` may be the very same elements.
    Output& over_or_apart_from(const char* op, const Input& input);
    float* data() const { return data_; }
    Shape shape() const;
    int64_t size() const { return size_; }
    py::object object() const { return holder_; }

private:
    const char* name_;
    py::object holder_;
    float* data_;
    int64_t size_;
};

// A C-contiguous array of integers (int64), as class numbers and indices are given.
class Integers {
public:
    // TypeError where `value` is not an int64 array; ValueError where it is not (size,), any length
    // for -1, or an element is not from 0 to below - 1.
    Integers(const char* op, const char* name, py::handle value, int64_t size, int64_t below);
    const int64_t* data() const { return data_; }
    int64_t size() const { return size_; }
    py::object object() const { return holder_; }

private:
    py::object holder_;
    const int64_t* data_;
    int64_t size_;
};

// Whether `value` is a float32 array.
bool is_float32(py::handle value);

// "float64 array", "list", ...: what an error says was got.
std::string described(py::handle value);

// Operations are done when they return.
inline void finish() {}

// Adds an operation to the training step that is being recorded; false where none is.
template <class Arrays, class Operation>
bool record(const char* name, const Arrays& arrays, const Operation& operation) {
    if (Graph* graph = Graph::recording()) return graph->add(name, arrays, operation), true;
    return false;
}
inline int64_t begin_span() {
    Graph* graph = Graph::recording();
    return graph ? graph->begin_span() : trace::begin_span();
}
inline void end_span(const std::string& name, int64_t begin) {
    Graph* graph = Graph::recording();
    graph ? graph->end_span(name, begin) : trace::span(name, begin);
}
inline void record_none(const char* name) {
    if (Graph* graph = Graph::recording()) graph->refuse(std::string(name) + " is no part of it");
}

}  // namespace pyconv
