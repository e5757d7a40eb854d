#include "array.h"

#include <cstdint>
#include <utility>

#include "check.h"

namespace pyconv {
namespace {

const cuda::Array* on_device(py::handle value) {
    return py::isinstance<cuda::Array>(value) ? value.cast<const cuda::Array*>() : nullptr;
}

[[noreturn]] void wrong_type(const char* op, const char* name, const char* wanted,
                             const char* dtype, py::handle value) {
    std::string fix = std::string("np.asarray(") + name + ", \"" + dtype + "\")";
    if (on_device(value) || py::isinstance<py::array>(value))
        fix = std::string(name) + ".astype(\"" + dtype + "\")";
    throw py::type_error(std::string(op) + ": " + name + " must be " + wanted + ", got a " +
                         described(value) + "; convert it with " + fix);
}

void check_place(const char* op, const char* name, const cuda::Array& array) {
    if (array.device() != cuda::device())
        fail(op, name, " is on cuda:", array.device(),
             ", and operations run on cuda:", cuda::device());
}

// The array, or that of numpy copied to the device, and what holds it.
std::pair<const cuda::Array*, py::object> readable(const char* op, const char* name,
                                                   py::handle value, cuda::Type type,
                                                   const char* wanted, const char* dtype) {
    if (const cuda::Array* const array = on_device(value)) {
        if (array->type() != type) wrong_type(op, name, wanted, dtype, value);
        check_place(op, name, *array);
        return {array, py::reinterpret_borrow<py::object>(value)};
    }
    if (!py::isinstance<py::array>(value)) wrong_type(op, name, wanted, dtype, value);
    const auto array = py::reinterpret_borrow<py::array>(value);
    if (cuda::type_of(array.dtype()) != type) wrong_type(op, name, wanted, dtype, value);
    py::object holder = py::cast(cuda::on_device(op, array, name));
    return {holder.cast<const cuda::Array*>(), holder};
}

}  // namespace

std::string described(py::handle value) {
    if (const cuda::Array* const array = on_device(value))
        return py::str(cuda::dtype_of(array->type())).cast<std::string>() + " array on the device";
    if (py::isinstance<py::array>(value))
        return py::str(py::reinterpret_borrow<py::array>(value).dtype()).cast<std::string>() +
               " array";
    return py::str(py::type::of(value).attr("__name__")).cast<std::string>();
}

bool is_float32(py::handle value) {
    const cuda::Array* const array = on_device(value);
    return array ? array->type() == cuda::Type::kFloat32
                 : py::isinstance<py::array_t<float>>(value);
}

Input::Input(const char* op, const char* name, py::handle value, int ndim) {
    const auto [array, holder] =
        readable(op, name, value, cuda::Type::kFloat32, "a float32 array", "float32");
    holder_ = holder;
    shape_ = array->shape();
    size_ = array->size();
    data_ = static_cast<const float*>(array->data());
    if (ndim >= 0 && static_cast<int>(shape_.size()) != ndim)
        fail(op, name, " must have ", ndim, " dimensions, got shape ", to_string(shape_));
}

Output::Output(const char* op, const char* name, py::handle given, const Shape& shape)
    : name_(name), shape_(shape) {
    if (given.is_none()) {
        holder_ = py::cast(cuda::Array(op, shape, cuda::Type::kFloat32, "a result"));
    } else {
        const cuda::Array* const array = on_device(given);
        if (!array || array->type() != cuda::Type::kFloat32)
            throw py::type_error(std::string(op) + ": " + name +
                                 " must be a float32 array on the device, got a " +
                                 described(given));
        check_place(op, name, *array);
        if (array->shape() != shape)
            fail(op, name, " must be ", to_string(shape), ", got ", to_string(array->shape()));
        holder_ = py::reinterpret_borrow<py::object>(given);
    }
    const auto* const array = holder_.cast<const cuda::Array*>();
    data_ = static_cast<float*>(array->data());
    size_ = array->size();
}

Integers::Integers(const char* op, const char* name, py::handle value, int64_t size,
                   int64_t below) {
    const auto [array, holder] =
        readable(op, name, value, cuda::Type::kInt64, "an int64 array", "int64");
    if (array->shape().size() != 1 || (size >= 0 && array->size() != size))
        fail(op, name, " must be (", size >= 0 ? std::to_string(size) : "N", ",), got ",
             to_string(array->shape()));
    holder_ = holder;
    data_ = static_cast<const int64_t*>(array->data());
    size_ = array->size();
    if (int64_t wrong; !array->below(below, &wrong))
        fail(op, name, " must be from 0 to ", below - 1, ", got ", wrong);
}

}  // namespace pyconv
