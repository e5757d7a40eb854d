// Bindings of what fetches batches: rows of a data set on the host go through pinned memory, in the
// type that they have, and become float32 on the device.

#include <cstring>
#include <string>

#include "array_ops.h"
#include "bindings/bindings.h"
#include "check.h"
#include "memory.h"
#include "ops/gather.h"

namespace pyconv {
namespace {

RowType row_type(const char* op, const py::dtype& dtype, const Object& x) {
    switch (cuda::type_of(dtype).value_or(cuda::Type::kBool)) {
        case cuda::Type::kUint8:
            return RowType::kUint8;
        case cuda::Type::kFloat32:
            return RowType::kFloat32;
        case cuda::Type::kFloat64:
            return RowType::kFloat64;
        default:
            throw py::type_error(std::string(op) +
                                 ": x must be a uint8, float32 or float64 array, got a " +
                                 described(x));
    }
}

// Indices into `rows` rows, on the host.
py::array_t<int64_t> host_indices(const char* op, const Object& indices, int64_t rows) {
    if (!py::isinstance<py::array_t<int64_t>>(indices))
        throw py::type_error(std::string(op) + ": indices must be an int64 array of numpy, got a " +
                             described(indices));
    const auto given = py::reinterpret_borrow<py::array>(indices);
    if (given.ndim() != 1)
        fail(op, "indices must be (N,), got ",
             to_string(Shape(given.shape(), given.shape() + given.ndim())));
    check_memory(op, "a contiguous copy of indices", 2.0 * static_cast<double>(given.size()));
    const auto array = py::array_t<int64_t>(cuda::contiguous(given));
    for (py::ssize_t i = 0; i < array.size(); ++i)
        if (array.data()[i] < 0 || array.data()[i] >= rows)
            fail(op, "indices must be from 0 to ", rows - 1, ", got ", array.data()[i]);
    return array;
}

Object from_device(const char* op, const Object& x, const Object& indices, const Object& out) {
    const auto& array = x.cast<const cuda::Array&>();
    const RowType type = row_type(op, cuda::dtype_of(array.type()), x);
    if (array.shape().empty()) fail(op, "x must have at least one dimension");
    Shape shape = array.shape();
    const int64_t rows = shape[0], row = rows == 0 ? 0 : array.size() / rows;
    const Integers index(op, "indices", indices, -1, rows);
    shape[0] = index.size();
    Output y(op, "out", out, shape);
    y.apart_from(op, array.data(), array.nbytes());
    const Moved read{index.size() * row * cuda::itemsize(array.type())};
    without_gil("gather_rows", std::tie(index, y, read), [&] {
        gather_rows(index.size(), row, array.data(), type, index.data(), y.data());
    });
    return y.object();
}

Object gather_rows_(Object x, Object indices, Object out) {
    const char* op = "gather_rows";
    if (py::isinstance<cuda::Array>(x)) return from_device(op, x, indices, out);
    if (!py::isinstance<py::array>(x))
        throw py::type_error(std::string(op) + ": x must be an array, got a " + described(x));
    const auto array = py::reinterpret_borrow<py::array>(x);
    const RowType type = row_type(op, array.dtype(), x);
    if (array.ndim() < 1 || !(array.flags() & py::array::c_style))
        fail(op, "x must be a C-contiguous array with at least one dimension");
    Shape shape(array.shape(), array.shape() + array.ndim());
    const int64_t rows = shape[0];
    const size_t row_bytes =
        rows == 0 ? 0 : static_cast<size_t>(array.nbytes()) / static_cast<size_t>(rows);
    const auto index = host_indices(op, indices, rows);
    const int64_t count = index.size();
    shape[0] = count;
    Output y(op, "out", out, shape);
    const size_t bytes = row_bytes * static_cast<size_t>(count);
    const Moved read{static_cast<int64_t>(bytes)};
    without_gil("gather_rows", std::tie(y, read), [&] {
        cuda::Staged staged(bytes);
        for (int64_t i = 0; i < count; ++i)
            std::memcpy(static_cast<char*>(staged.data()) + static_cast<size_t>(i) * row_bytes,
                        static_cast<const char*>(array.data()) +
                            static_cast<size_t>(index.data()[i]) * row_bytes,
                        row_bytes);
        if (type == RowType::kFloat32) return staged.send(y.data());
        const std::shared_ptr<void> raw = cuda::device_memory(bytes);
        staged.send(raw.get());
        cuda::to_floats(y.size(), raw.get(),
                        type == RowType::kUint8 ? cuda::Type::kUint8 : cuda::Type::kFloat64,
                        y.data());
    });
    return y.object();
}

}  // namespace

void bind_data(py::module_& m) {
    m.def("gather_rows", &gather_rows_, "x"_a, "indices"_a, "out"_a = py::none());
}

}  // namespace pyconv
