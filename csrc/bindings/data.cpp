// Bindings of what fetches batches.

#include <string>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/gather.h"

namespace pyconv {
namespace {

Object gather_rows_(Object x, Object indices, Object out) {
    const char* op = "gather_rows";
    RowType type;
    if (py::isinstance<py::array_t<float>>(x)) {
        type = RowType::kFloat32;
    } else if (py::isinstance<py::array_t<uint8_t>>(x)) {
        type = RowType::kUint8;
    } else if (py::isinstance<py::array_t<double>>(x)) {
        type = RowType::kFloat64;
    } else {
        throw py::type_error(std::string(op) +
                             ": x must be a uint8, float32 or float64 array, got a " +
                             described(x));
    }
    const auto array = py::reinterpret_borrow<py::array>(x);
    constexpr int kLayout =
        py::array::c_style | static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);
    if (array.ndim() < 1 || (array.flags() & kLayout) != kLayout)
        fail(op, "x must be a C-contiguous, aligned array with at least one dimension");
    const int64_t rows = array.shape(0);
    const Integers index(op, "indices", indices, -1, rows);
    Shape shape(array.shape(), array.shape() + array.ndim());
    const int64_t row = rows == 0 ? 0 : array.size() / rows;
    shape[0] = index.size();
    Output y(op, "out", out, shape);
    y.apart_from(op, array.data(), array.nbytes());
    const Moved read{index.size() * row * array.itemsize()};
    without_gil("gather_rows", std::tie(index, y, read), [&] {
        gather_rows(index.size(), row, array.data(), type, index.data(), y.data());
    });
    return y.object();
}

}  // namespace

void bind_data(py::module_& m) {
    const py::object none = py::none();
    m.def("gather_rows", &gather_rows_, "x"_a, "indices"_a, "out"_a = none);
}

}  // namespace pyconv
