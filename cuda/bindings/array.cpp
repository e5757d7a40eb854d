// Bindings of arrays on the device. What numpy's functions do with them is in
// pyconv/_device_arrays.py.

#include "bindings/bindings.h"
#include "device_bindings.h"
#include "dlpack.h"

namespace pyconv {
namespace {

using cuda::Array;

Shape shape_arg(const py::args& args) {
    if (args.size() == 1 && py::isinstance<py::sequence>(args[0])) return args[0].cast<Shape>();
    return args.cast<Shape>();
}

cuda::Type type_arg(const char* op, const Object& dtype) {
    const py::dtype wanted = py::dtype::from_args(dtype);
    if (const auto type = cuda::type_of(wanted)) return *type;
    throw py::type_error(std::string(op) +
                         ": dtype must be float32, float64, int64, uint8 or bool, got " +
                         py::str(wanted).cast<std::string>());
}

Array empty_(const Shape& shape, const Object& dtype) {
    return {"empty", shape, type_arg("empty", dtype)};
}

Array zeros_(const Shape& shape, const Object& dtype) {
    Array made("zeros", shape, type_arg("zeros", dtype));
    made.fill(0);
    return made;
}

Object asarray_(const Object& value) {
    if (py::isinstance<Array>(value)) {
        const auto& array = value.cast<const Array&>();
        return array.device() == cuda::device()
                   ? value
                   : py::cast(cuda::on_device("asarray", array.numpy()));
    }
    return py::cast(cuda::on_device("asarray", py::array(value)));
}

py::dict cuda_array_interface(const Array& a) {
    py::dict interface;
    interface["shape"] = py::tuple(py::cast(a.shape()));
    interface["typestr"] = cuda::dtype_of(a.type()).attr("str");
    interface["data"] = py::make_tuple(reinterpret_cast<uintptr_t>(a.data()), false);
    interface["strides"] = py::none();
    interface["version"] = 3;
    interface["stream"] = reinterpret_cast<uintptr_t>(cuda::stream());
    return interface;
}

// A number, or an array seen in a shape that it is broadcast to.
cuda::Operand operand(const char* op, const Object& value, const Shape& shape) {
    if (!py::isinstance<Array>(value)) return {nullptr, value.cast<float>(), {}};
    const auto& array = value.cast<const Array&>();
    const Shape& own = array.shape();
    cuda::Operand made{static_cast<const float*>(array.data()), 0.f, {}};
    if (array.type() != cuda::Type::kFloat32) fail(op, "arrays must be float32");
    if (own.size() > shape.size()) fail(op, "shapes do not fit: ", to_string(own));
    int64_t step = 1;
    for (size_t i = 0; i < own.size(); ++i) {
        const size_t from = own.size() - 1 - i, to = shape.size() - 1 - i;
        if (own[from] != 1 && own[from] != shape[to])
            fail(op, "cannot broadcast ", to_string(own), " to ", to_string(shape));
        made.strides.along[to] = own[from] == 1 ? 0 : step;
        step *= own[from];
    }
    return made;
}

cuda::Axes axes_of(const char* op, const Shape& shape) {
    if (shape.size() > cuda::kMaxRank) fail(op, "more than ", cuda::kMaxRank, " axes");
    cuda::Axes axes{static_cast<int>(shape.size()), {}};
    std::copy(shape.begin(), shape.end(), axes.extents);
    return axes;
}

const bool* mask_of(const char* op, const Object& where, const Shape& shape) {
    if (where.is_none()) return nullptr;
    const auto& mask = where.cast<const Array&>();
    if (mask.type() != cuda::Type::kBool || mask.shape() != shape)
        fail(op, "where must be a bool array of shape ", to_string(shape));
    return static_cast<const bool*>(mask.data());
}

void arithmetic_(int code, const Object& a, const Object& b, const Object& where, Array out) {
    const char* op = "arithmetic";
    if (out.type() != cuda::Type::kFloat32) fail(op, "out must be float32");
    const Shape& shape = out.shape();
    cuda::arithmetic(static_cast<cuda::Arithmetic>(code), axes_of(op, shape), operand(op, a, shape),
                     operand(op, b, shape), mask_of(op, where, shape),
                     static_cast<float*>(out.data()), operand(op, py::cast(out), shape).strides);
}

void comparison_(int code, const Object& a, const Object& b, Array out) {
    const char* op = "comparison";
    if (out.type() != cuda::Type::kBool) fail(op, "out must be bool");
    const Shape& shape = out.shape();
    cuda::comparison(static_cast<cuda::Comparison>(code), axes_of(op, shape), operand(op, a, shape),
                     operand(op, b, shape), static_cast<bool*>(out.data()));
}

// A part of an array: elements from `offset`, and so many from one to the next along each axis.
struct Part {
    Part(const char* op, const Array& array, int64_t offset, const Shape& steps, const Shape& shape)
        : axes(axes_of(op, shape)), strides{} {
        if (array.type() != cuda::Type::kFloat32) fail(op, "arrays must be float32");
        if (steps.size() != shape.size()) fail(op, "as many strides as axes are wanted");
        int64_t low = offset, high = offset;
        for (size_t i = 0; i < shape.size(); ++i) {
            strides.along[i] = steps[i];
            (steps[i] < 0 ? low : high) += steps[i] * std::max<int64_t>(shape[i] - 1, 0);
            empty = empty || shape[i] == 0;
        }
        if (!empty && (low < 0 || high >= array.size())) fail(op, "a part outside of the array");
        data = static_cast<float*>(array.data()) + (empty ? 0 : offset);
    }
    cuda::Axes axes;
    cuda::Strides strides;
    float* data;
    bool empty = false;
};

Array part_(const Array& array, int64_t offset, const Shape& steps, const Shape& shape) {
    const Part part("part", array, offset, steps, shape);
    Array made("part", shape, cuda::Type::kFloat32);
    const cuda::Strides own = operand("part", py::cast(made), shape).strides;
    cuda::arithmetic(cuda::Arithmetic::kCopy, part.axes, {part.data, 0.f, part.strides},
                     {nullptr, 0.f, {}}, nullptr, static_cast<float*>(made.data()), own);
    return made;
}

void set_part_(const Array& array, int64_t offset, const Shape& steps, const Shape& shape,
               const Object& value) {
    const Part part("set_part", array, offset, steps, shape);
    cuda::arithmetic(cuda::Arithmetic::kCopy, part.axes, operand("set_part", value, shape),
                     {nullptr, 0.f, {}}, nullptr, part.data, part.strides);
}

}  // namespace

void bind_arrays(py::module_& m) {
    const py::object none = py::none();
    const auto take_numpy = [](Array& a, const py::array& values) { a.take(values); };
    const auto take_array = [](Array& a, const Array& values) { a.take(values); };
    // Local: a second module with such arrays may be in the process.
    py::class_<Array>(m, "Array", py::module_local(), py::dynamic_attr())
        .def_property_readonly("shape",
                               [](const Array& a) { return py::tuple(py::cast(a.shape())); })
        .def_property_readonly("ndim", [](const Array& a) { return a.shape().size(); })
        .def_property_readonly("size", &Array::size)
        .def_property_readonly("nbytes", &Array::nbytes)
        .def_property_readonly("dtype", [](const Array& a) { return cuda::dtype_of(a.type()); })
        .def_property_readonly("device", &Array::device)
        .def_property_readonly("address",
                               [](const Array& a) { return reinterpret_cast<uintptr_t>(a.data()); })
        .def("__len__",
             [](const Array& a) {
                 if (a.shape().empty()) throw py::type_error("len() of an array without axes");
                 return a.shape()[0];
             })
        .def("reshape",
             [](const Array& a, const py::args& shape) { return a.reshaped(shape_arg(shape)); })
        .def(
            "rows",
            [](const Array& a, int64_t begin, int64_t end) {
                if (a.shape().empty() || begin < 0 || end < begin || end > a.shape()[0])
                    fail("rows", "must be within the ", to_string(a.shape()), " of the array");
                return a.rows(begin, end);
            },
            "begin"_a, "end"_a)
        .def("take", take_array, "values"_a)
        .def("take", take_numpy, "values"_a)
        .def("fill", &Array::fill, "value"_a)
        .def("numpy", &Array::numpy)
        .def("copy",
             [](const Array& a) {
                 Array made("copy", a.shape(), a.type());
                 made.take(a);
                 return made;
             })
        .def(
            "__array__",
            [](const Array& a, const Object& dtype, const Object& copy) {
                if (py::isinstance<py::bool_>(copy) && !copy.cast<bool>())
                    fail("__array__", "an array on the device is always copied to numpy");
                Object values = a.numpy();
                return dtype.is_none() ? values : values.attr("astype")(dtype, "copy"_a = false);
            },
            "dtype"_a = none, "copy"_a = none)
        .def_property_readonly("__cuda_array_interface__", &cuda_array_interface)
        .def(
            "__dlpack__",
            [](const Array& a, const Object& stream, const Object&, const Object&, const Object&) {
                return cuda::to_dlpack(a, stream);
            },
            "stream"_a = none, "max_version"_a = none, "dl_device"_a = none, "copy"_a = none)
        .def("__dlpack_device__", [](const Array& a) { return cuda::dlpack_device(a.device()); })
        .def("fetch", [](const Array& a) { return std::make_unique<cuda::Fetched>(a); });
    py::class_<cuda::Fetched>(m, "Fetched", py::module_local()).def("numpy", &cuda::Fetched::numpy);
    m.def("empty", &empty_, "shape"_a, "dtype"_a = "float32");
    m.def("zeros", &zeros_, "shape"_a, "dtype"_a = "float32");
    m.def("asarray", &asarray_, "values"_a);
    m.def("from_dlpack", &cuda::from_dlpack, "source"_a);
    m.def("arithmetic", &arithmetic_, "code"_a, "a"_a, "b"_a, "where"_a, "out"_a);
    m.def("comparison", &comparison_, "code"_a, "a"_a, "b"_a, "out"_a);
    m.def("part", &part_, "array"_a, "offset"_a, "strides"_a, "shape"_a);
    m.def("set_part", &set_part_, "array"_a, "offset"_a, "strides"_a, "shape"_a, "value"_a);
}

}  // namespace pyconv
