#include "array.h"

#include "check.h"

namespace pyconv {
namespace {

constexpr int kReadable = static_cast<int>(py::array::c_style) |
                          static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);

template <class T>
bool holds(const py::array& array) {
    return py::isinstance<py::array_t<T>>(array);
}

Shape shape_of(const py::array& array) {
    return Shape(array.shape(), array.shape() + array.ndim());
}

[[noreturn]] void wrong_type(const char* op, const char* name, const char* wanted,
                             py::handle value) {
    std::string fix = std::string("np.asarray(") + name + ", \"float32\")";
    if (py::isinstance<py::array>(value)) fix = std::string(name) + ".astype(\"float32\")";
    throw py::type_error(std::string(op) + ": " + name + " must be a " + wanted + ", got a " +
                         described(value) + "; convert it with " + fix);
}

}  // namespace

std::string to_string(const Shape& shape) {
    std::string text = "(";
    for (size_t i = 0; i < shape.size(); ++i) {
        if (i > 0) text += ", ";
        text += std::to_string(shape[i]);
    }
    text += shape.size() == 1 ? ",)" : ")";
    return text;
}

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
    const auto array = py::array_t<float, kReadable>::ensure(value);
    if (!array) throw py::error_already_set();
    holder_ = array;
    data_ = array.data();
    shape_ = shape_of(array);
    size_ = array.size();
    if (ndim >= 0 && array.ndim() != ndim)
        fail(op, name, " must have ", ndim, " dimensions, got shape ", to_string(shape_));
}

void Input::expect(const char* op, const char* name, const Shape& shape) const {
    if (shape_ != shape) fail(op, name, " must be ", to_string(shape), ", got ", to_string(shape_));
}

Output::Output(const char* op, const char* name, py::handle given, const Shape& shape) {
    size_ = 1;
    for (int64_t extent : shape) size_ = checked_mul(op, size_, extent);
    if (given.is_none()) {
        double floats = 1;
        for (int64_t extent : shape) floats *= static_cast<double>(extent);
        check_memory(op, std::string(name) + " of shape " + to_string(shape), floats);
        auto array = py::array_t<float>(std::vector<py::ssize_t>(shape.begin(), shape.end()));
        holder_ = array;
        data_ = array.mutable_data();
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
}

Output& Output::apart_from(const char* op, const Input& input) {
    if (data_ < input.data() + input.size() && input.data() < data_ + size_)
        fail(op, "out must not share memory with an input");
    return *this;
}

Integers::Integers(const char* op, const char* name, py::handle value, int64_t size,
                   int64_t below) {
    if (!py::isinstance<py::array>(value) ||
        !holds<int64_t>(py::reinterpret_borrow<py::array>(value)))
        throw py::type_error(std::string(op) + ": " + name + " must be an int64 array, got a " +
                             described(value) + "; convert it with " + name + ".astype(\"int64\")");
    const auto array = py::array_t<int64_t, kReadable>::ensure(value);
    if (!array) throw py::error_already_set();
    holder_ = array;
    data_ = array.data();
    size_ = array.size();
    if (array.ndim() != 1 || (size >= 0 && size_ != size))
        fail(op, name, " must be (", size >= 0 ? std::to_string(size) : "N", ",), got ",
             to_string(shape_of(array)));
    for (int64_t i = 0; i < size_; ++i)
        if (data_[i] < 0 || data_[i] >= below)
            fail(op, name, " must be from 0 to ", below - 1, ", got ", data_[i]);
}

}  // namespace pyconv
