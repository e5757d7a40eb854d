// Arrays at the border to Python: the device's on this backend, as csrc/array.h is numpy's on the
// CPU. What an operation reads may also be numpy's: it is copied to the device first.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "device_array.h"
#include "trace.h"

namespace pyconv {

// "(2, 3)", as Python writes it.
std::string to_string(const Shape& shape);

// A float32 array that an operation reads.
class Input {
public:
    // TypeError where `value` is not a float32 array, ValueError where it has not `ndim`
    // dimensions (any number for -1), is on another device, or would not fit into memory.
    Input(const char* op, const char* name, py::handle value, int ndim = -1);

    const float* data() const { return data_; }
    const Shape& shape() const { return shape_; }
    int64_t operator[](size_t axis) const { return shape_[axis]; }
    int64_t size() const { return size_; }
    // ValueError unless the array has this shape.
    void expect(const char* op, const char* name, const Shape& shape) const;

private:
    py::object holder_;
    const float* data_;
    Shape shape_;
    int64_t size_;
};

// The array that an operation writes: given by the caller, or fresh.
class Output {
public:
    // TypeError or ValueError where `given` is not None and not a float32 array of `shape` on the
    // device; ValueError where the result would not fit into memory.
    Output(const char* op, const char* name, py::handle given, const Shape& shape);

    // ValueError where the memory is also another argument's.
    Output& apart_from(const char* op, const Input& input);
    Output& apart_from(const char* op, const Output& other);
    Output& apart_from(const char* op, const void* data, int64_t bytes);
    // As apart_from, but `input` may be the very same elements.
    Output& over_or_apart_from(const char* op, const Input& input);
    float* data() const { return data_; }
    const Shape& shape() const { return shape_; }
    int64_t size() const { return size_; }
    py::object object() const { return holder_; }

private:
    const char* name_;
    py::object holder_;
    float* data_;
    Shape shape_;
    int64_t size_;
};

// An array of integers (int64), as class numbers and indices are given.
class Integers {
public:
    // TypeError where `value` is not an int64 array; ValueError where it is not (size,), any length
    // for -1, or an element is not from 0 to below - 1.
    Integers(const char* op, const char* name, py::handle value, int64_t size, int64_t below);
    const int64_t* data() const { return data_; }
    int64_t size() const { return size_; }

private:
    py::object holder_;
    const int64_t* data_;
    int64_t size_;
};

// Whether `value` is a float32 array, of the device or of numpy.
bool is_float32(py::handle value);

// "float64 array", "list", ...: what an error says was got.
std::string described(py::handle value);

// Where a trace is taken, an operation is done when its event ends.
inline void finish() { cuda::synchronize(); }

// The device's graphs take up what is launched.
template <class Arrays, class Operation>
bool record(const char*, const Arrays&, const Operation&) {
    return false;
}
inline void record_none(const char*) {}
inline int64_t begin_span() { return trace::begin_span(); }
inline void end_span(const std::string& name, int64_t begin) { trace::span(name, begin); }

}  // namespace pyconv
