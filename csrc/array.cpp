#include "array.h"

#include <algorithm>

#include "check.h"

namespace pyconv {
namespace {

constexpr int kReadable = static_cast<int>(py::array::c_style) |
                          static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);

template <class T>
bool holds(const py::array& array) {
    return py::isinstance<py::array_t<T>>(array);
}

// The array, or a C-contiguous and aligned copy of it.
template <class T>
py::array_t<T, kReadable> readable(const char* op, const char* name, const py::array& array) {
    if ((array.flags() & kReadable) != kReadable)
        check_memory(op, std::string("a contiguous copy of ") + name,
                     static_cast<double>(array.size()) * sizeof(T) / sizeof(float));
    return py::array_t<T, kReadable>(py::reinterpret_borrow<py::object>(array));
}

// A fresh array of a shape that has been checked; like those of pyconv/_aligned.py it begins where
// a line of the cache does.
py::array_t<float> aligned_array(const Shape& shape) {
    constexpr py::ssize_t kLine = 64 / sizeof(float);
    py::ssize_t size = 1;
    for (int64_t extent : shape) size *= extent;
    auto memory = py::array_t<float>(size + kLine);
    const auto past = reinterpret_cast<uintptr_t>(memory.data()) / sizeof(float) % kLine;
    float* first = memory.mutable_data() + (kLine - past) % kLine;
    return py::array_t<float>(std::vector<py::ssize_t>(shape.begin(), shape.end()), first, memory);
}

[[noreturn]] void wrong_type(const char* op, const char* name, const char* wanted,
                             py::handle value) {
    std::string fix = std::string("np.asarray(") + name + ", \"float32\")";
    if (py::isinstance<py::array>(value)) fix = std::string(name) + ".astype(\"float32\")";
    throw py::type_error(std::string(op) + ": " + name + " must be a " + wanted + ", got a " +
                         described(value) + "; convert it with " + fix);
}

}  // namespace

Shape shape_of(const py::array& array) {
    return Shape(array.shape(), array.shape() + array.ndim());
}

bool is_float32(py::handle value) { return py::isinstance<py::array_t<float>>(value); }

std::string described(py::handle value) {
    if (py::isinstance<py::array>(value))
        return py::str(py::reinterpret_borrow<py::array>(value).dtype()).cast<std::string>() +
               " array";
    return py::str(py::type::of(value).attr("__name__")).cast<std::string>();
}

Input::Input(const char* op, const char* name, py::handle value, int ndim) {
    if (!py::isinstance<py::array>(value) ||
        !holds<float>(py::reinterpret_borrow<py::array>(value)))
        wrong_type(op, name, "float32 array", value);
    const auto given = py::reinterpret_borrow<py::array>(value);
    shape_ = shape_of(given);
    size_ = given.size();
    if (ndim >= 0 && given.ndim() != ndim)
        fail(op, name, " must have ", ndim, " dimensions, got shape ", to_string(shape_));
    const auto array = readable<float>(op, name, given);
    holder_ = array;
    data_ = array.data();
}

Output::Output(const char* op, const char* name, py::handle given, const Shape& shape)
    : name_(name) {
    if (given.is_none()) {
        double floats = 1;  // as if no extent were 0: numpy refuses such shapes of nothing as well
        for (int64_t extent : shape) floats *= static_cast<double>(std::max<int64_t>(extent, 1));
        check_memory(op, "a result of shape " + to_string(shape), floats);
        auto array = aligned_array(shape);
        holder_ = array;
        data_ = array.mutable_data();
        size_ = array.size();
        return;
    }
    if (!py::isinstance<py::array>(given) ||
        !holds<float>(py::reinterpret_borrow<py::array>(given)))
        wrong_type(op, name, "float32 array", given);
    auto array = py::reinterpret_borrow<py::array_t<float>>(given);
    if (shape_of(array) != shape)
        fail(op, name, " must be ", to_string(shape), ", got ", to_string(shape_of(array)));
    if ((array.flags() & kReadable) != kReadable) fail(op, name, " must be a C-contiguous array");
    if (!array.writeable()) fail(op, name, " must be writable");
    holder_ = array;
    data_ = array.mutable_data();
    size_ = array.size();
}

Shape Output::shape() const { return shape_of(py::reinterpret_borrow<py::array>(holder_)); }

Integers::Integers(const char* op, const char* name, py::handle value, int64_t size,
                   int64_t below) {
    if (!py::isinstance<py::array>(value) ||
        !holds<int64_t>(py::reinterpret_borrow<py::array>(value)))
        throw py::type_error(std::string(op) + ": " + name + " must be an int64 array, got a " +
                             described(value) + "; convert it with " + name + ".astype(\"int64\")");
    const auto given = py::reinterpret_borrow<py::array>(value);
    size_ = given.size();
    if (given.ndim() != 1 || (size >= 0 && size_ != size))
        fail(op, name, " must be (", size >= 0 ? std::to_string(size) : "N", ",), got ",
             to_string(shape_of(given)));
    const auto array = readable<int64_t>(op, name, given);
    holder_ = array;
    data_ = array.data();
    for (int64_t i = 0; i < size_; ++i)
        if (data_[i] < 0 || data_[i] >= below)
            fail(op, name, " must be from 0 to ", below - 1, ", got ", data_[i]);
}

}  // namespace pyconv
