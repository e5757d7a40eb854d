// Arrays on the device: what Python sees as Array, and how they come from numpy and go back.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "array_ops.h"
#include "memory.h"

namespace pyconv {

namespace py = pybind11;

using Shape = std::vector<int64_t>;

namespace cuda {

int64_t itemsize(Type type);
py::dtype dtype_of(Type type);
// std::nullopt where the device has no such type.
std::optional<Type> type_of(const py::dtype& dtype);

// Memory, and bounds of the integers in it where they are known without asking the device.
struct Memory {
    std::shared_ptr<void> bytes;
    int device;
    int64_t size;  // in bytes; 0 where others may write to it
    std::optional<std::pair<int64_t, int64_t>> range;
};

// A C-contiguous array. Copies share its memory.
class Array {
public:
    // Uninitialized. ValueError where `op` asks for more than the device has; it names `what`.
    Array(const char* op, Shape shape, Type type, const char* what = "an array");
    // Of memory that somebody else made.
    Array(std::shared_ptr<Memory> memory, void* data, Shape shape, Type type);

    void* data() const { return data_; }
    const Shape& shape() const { return shape_; }
    Type type() const { return type_; }
    int device() const { return memory_->device; }
    int64_t size() const { return size_; }
    int64_t nbytes() const { return size_ * itemsize(type_); }
    std::shared_ptr<Memory> memory() const { return memory_; }

    // The same numbers in another shape; one extent may be -1.
    Array reshaped(const Shape& shape) const;
    // Rows of the first axis.
    Array rows(int64_t begin, int64_t end) const;

    // Takes numbers of its own shape and type; ValueError where they are not.
    void take(const py::array& values);
    void take(const Array& values);
    void fill(double value);
    py::array numpy() const;

    // Whether all integers are from 0 to below - 1; the device is asked only where that is not
    // known. `wrong` is then one that is not.
    bool below(int64_t below, int64_t* wrong) const;

private:
    std::shared_ptr<Memory> memory_;
    void* data_;
    Shape shape_;
    Type type_;
    int64_t size_;
};

// The array of numpy, C-contiguous, on the device; errors call it `what`.
Array on_device(const char* op, const py::array& values, const char* what = "an array");
// The array, or a C-contiguous copy of it.
py::array contiguous(const py::array& values);

// Numbers on their way to the host: the stream goes on, and numpy() waits for it.
class Fetched {
public:
    explicit Fetched(const Array& from);
    ~Fetched();
    Fetched(const Fetched&) = delete;
    py::array numpy() const;

private:
    void* data_;
    cudaEvent_t done_;
    Shape shape_;
    Type type_;
    int64_t bytes_;
};

}  // namespace cuda
}  // namespace pyconv
