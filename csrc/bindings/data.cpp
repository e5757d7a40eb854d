// Bindings of what fetches batches and augments them.

#include <string>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/augment.h"
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

// The numbers of each image, (n, columns), which outlive the operation.
template <class T>
class Table {
public:
    Table(const char* op, const char* name, py::handle value, int64_t n, int64_t columns, T most) {
        if (!py::isinstance<py::array_t<T>>(value))
            throw py::type_error(std::string(op) + ": " + name + " must be an array of " +
                                 py::str(py::dtype::of<T>()).cast<std::string>() + ", got a " +
                                 described(value));
        const auto array = py::reinterpret_borrow<py::array>(value);
        if (array.ndim() != 2 || array.shape(0) != n || array.shape(1) != columns)
            fail(op, name, " must have shape (", n, ", ", columns, ")");
        array_ = py::array_t<T, py::array::c_style>(py::reinterpret_borrow<py::object>(value));
        for (int64_t i = 0; i < n * columns; ++i)
            if (!(data()[i] >= -most && data()[i] <= most))
                fail(op, name, " must be from -", most, " to ", most, ", got ", data()[i]);
    }
    const T* data() const { return array_.data(); }

private:
    py::array_t<T, py::array::c_style> array_;
};

constexpr int64_t kFarthest = int64_t{1} << 31;

Outside outside_of(const char* op, const std::string& mode, float value) {
    if (mode == "constant") return {Outside::kConstant, value};
    if (mode == "nearest") return {Outside::kNearest, value};
    if (mode == "reflect") return {Outside::kReflect, value};
    if (mode == "wrap") return {Outside::kWrap, value};
    fail(op, "fill_mode must be 'constant', 'nearest', 'reflect' or 'wrap', got '", mode, "'");
}

ImageBatch batch_of(const char* op, const Input& x) {
    const ImageBatch shape{x[0], x[1], x[2], x[3]};
    if (shape.h < 1 || shape.w < 1 || shape.c < 1)
        fail(op, "images must not be empty, got x of shape ", to_string(x.shape()));
    return shape;
}

Object crop_flip_(Object x, Object cuts, Pair size, const std::string& fill_mode, float fill_value,
                  Object out) {
    const char* op = "crop_flip";
    const Input xi(op, "x", x, 4);
    const ImageBatch shape = batch_of(op, xi);
    const Table<int64_t> table(op, "cuts", cuts, shape.n, 4, kFarthest);
    if (size[0] < 1 || size[1] < 1) fail(op, "size must be at least 1");
    const Outside outside = outside_of(op, fill_mode, fill_value);
    Output y(op, "out", out, {shape.n, size[0], size[1], shape.c});
    y.apart_from(op, xi);
    without_gil("crop_flip", std::tie(xi, y), [&] {
        crop_flip(shape, size[0], size[1], xi.data(), table.data(), outside, y.data());
    });
    return y.object();
}

Object affine_transform_(Object x, Object matrices, const std::string& interpolation,
                         const std::string& fill_mode, float fill_value, Object out) {
    const char* op = "affine_transform";
    const Input xi(op, "x", x, 4);
    const ImageBatch shape = batch_of(op, xi);
    const Table<double> table(op, "matrices", matrices, shape.n, 6, 1e6);
    if (interpolation != "bilinear" && interpolation != "nearest")
        fail(op, "interpolation must be 'bilinear' or 'nearest', got '", interpolation, "'");
    const Outside outside = outside_of(op, fill_mode, fill_value);
    Output y(op, "out", out, xi.shape());
    y.apart_from(op, xi);
    without_gil("affine_transform", std::tie(xi, y), [&] {
        affine_transform(shape, xi.data(), table.data(), interpolation == "bilinear", outside,
                         y.data());
    });
    return y.object();
}

Object erase_(Object x, Object boxes, Object values, Object out) {
    const char* op = "erase";
    const Input xi(op, "x", x, 4), vi(op, "values", values, 2);
    const ImageBatch shape = batch_of(op, xi);
    vi.expect(op, "values", {shape.n, shape.c});
    const Table<int64_t> table(op, "boxes", boxes, shape.n, 4, kFarthest);
    for (int64_t n = 0; n < shape.n; ++n) {
        const int64_t* box = table.data() + 4 * n;
        if (box[0] < 0 || box[1] > shape.h || box[2] < 0 || box[3] > shape.w)
            fail(op, "boxes must lie inside of the images of (", shape.h, ", ", shape.w, ")");
    }
    Output y(op, "out", out, xi.shape());
    y.apart_from(op, xi).apart_from(op, vi);
    without_gil("erase", std::tie(xi, y),
                [&] { erase(shape, xi.data(), table.data(), vi.data(), y.data()); });
    return y.object();
}

}  // namespace

void bind_data(py::module_& m) {
    const py::object none = py::none();
    m.def("gather_rows", &gather_rows_, "x"_a, "indices"_a, "out"_a = none);
    m.def("crop_flip", &crop_flip_, "x"_a, "cuts"_a, "size"_a, "fill_mode"_a = "constant",
          "fill_value"_a = 0.f, "out"_a = none);
    m.def("affine_transform", &affine_transform_, "x"_a, "matrices"_a,
          "interpolation"_a = "bilinear", "fill_mode"_a = "constant", "fill_value"_a = 0.f,
          "out"_a = none);
    m.def("erase", &erase_, "x"_a, "boxes"_a, "values"_a, "out"_a = none);
}

}  // namespace pyconv
