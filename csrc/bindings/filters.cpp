// Bindings of the filters of images, which the CPU backend alone has.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/bilateral_filter.h"
#include "ops/box_filter.h"
#include "ops/filter2d.h"
#include "ops/gaussian_blur.h"
#include "ops/median_blur.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kMaxMedian = 255, kMaxRadius = 127;
constexpr double kMaxTileFloats = 8 << 10;
constexpr int64_t kMaxExtent = INT32_MAX;
constexpr int64_t kMaxCells = int64_t{1} << 23;  // of a window: sums of uint8 stay below 2^31

const char* name_of(PixelType type) {
    return type == PixelType::kUint8 ? "uint8" : type == PixelType::kInt16 ? "int16" : "float32";
}

int64_t size_of(PixelType type) {
    return type == PixelType::kUint8 ? 1 : type == PixelType::kInt16 ? 2 : 4;
}

bool has_type(const py::array& array, PixelType type) {
    switch (type) {
        case PixelType::kUint8:
            return py::isinstance<py::array_t<uint8_t>>(array);
        case PixelType::kInt16:
            return py::isinstance<py::array_t<int16_t>>(array);
        case PixelType::kFloat32:
            return py::isinstance<py::array_t<float>>(array);
    }
    return false;
}

constexpr int kPlain =
    py::array::c_style | static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);

// An image (H, W, C) of uint8 or float32, C-contiguous.
struct Image {
    Image(const char* op, py::handle value) {
        if (!py::isinstance<py::array>(value))
            throw py::type_error(std::string(op) + ": x must be a uint8 or float32 array, got a " +
                                 described(value));
        array = py::reinterpret_borrow<py::array>(value);
        if (has_type(array, PixelType::kFloat32)) {
            type = PixelType::kFloat32;
        } else if (has_type(array, PixelType::kUint8)) {
            type = PixelType::kUint8;
        } else {
            throw py::type_error(std::string(op) + ": x must be a uint8 or float32 array, got a " +
                                 described(value));
        }
        shape = shape_of(array);
        if (shape.size() != 3 || array.size() == 0)
            fail(op, "x must be (H, W, C) with at least one pixel and one channel, got ",
                 to_string(shape));
        for (int64_t extent : shape)
            if (extent > kMaxExtent) fail(op, "x must not exceed ", kMaxExtent, " on an axis");
        if ((array.flags() & kPlain) != kPlain) {
            check_memory(op, "a contiguous copy of x",
                         static_cast<double>(array.size()) * size_of(type) / sizeof(float));
            array = py::array::ensure(array.attr("copy")("C"));
        }
    }
    const uint8_t* bytes() const { return static_cast<const uint8_t*>(array.data()); }
    const float* floats() const { return static_cast<const float*>(array.data()); }

    py::array array;
    PixelType type;
    Shape shape;
};

// The array that a filter writes: given by the caller, or fresh.
struct Result {
    Result(const char* op, py::handle given, const Shape& wanted, PixelType type, const Image& x) {
        if (given.is_none()) {
            double floats = static_cast<double>(size_of(type)) / sizeof(float);
            for (int64_t extent : wanted) floats *= static_cast<double>(extent);
            check_memory(op, "a result of shape " + to_string(wanted), floats);
            array = py::array(py::dtype(name_of(type)),
                              std::vector<py::ssize_t>(wanted.begin(), wanted.end()));
        } else {
            if (py::isinstance<py::array>(given)) array = py::reinterpret_borrow<py::array>(given);
            if (!py::isinstance<py::array>(given) || !has_type(array, type))
                throw py::type_error(std::string(op) + ": out must be a " + name_of(type) +
                                     " array, got a " + described(given));
            if (shape_of(array) != wanted)
                fail(op, "out must be ", to_string(wanted), ", got ", to_string(shape_of(array)));
            if ((array.flags() & kPlain) != kPlain) fail(op, "out must be a C-contiguous array");
            if (!array.writeable()) fail(op, "out must be writable");
            apart_from(op, x.array.data(), x.array.nbytes());
        }
        shape = wanted;
        itemsize = size_of(type);
    }
    Result& apart_from(const char* op, const void* data, int64_t bytes) {
        const auto first = reinterpret_cast<uintptr_t>(array.data());
        const auto other = reinterpret_cast<uintptr_t>(data);
        if (first < other + bytes && other < first + array.nbytes())
            fail(op, "out must not share memory with another argument");
        return *this;
    }
    Result& apart_from(const char* op, const Input& input) {
        return apart_from(op, input.data(), input.size() * static_cast<int64_t>(sizeof(float)));
    }
    uint8_t* bytes() { return static_cast<uint8_t*>(array.mutable_data()); }
    float* floats() { return static_cast<float*>(array.mutable_data()); }

    py::array array;
    Shape shape;
    int64_t itemsize;
};

// Found by the types of their arguments, from without_gil.
void note(trace::Operation& event, const Image& a) {
    pyconv::note(event, a.shape, size_of(a.type));
}
void note(trace::Operation& event, const Result& a) { pyconv::note(event, a.shape, a.itemsize); }

// border: 'valid', or one of OpenCV's; anchor is the cell of the window that lies on the result.
FilterShape filter_shape(const char* op, const Image& x, const Pair& kernel, const Pair& anchor,
                         const std::string& border) {
    const auto [kh, kw] = kernel;
    if (kh < 1 || kw < 1 || kh > kMaxCells || kw > kMaxCells || kh * kw > kMaxCells)
        fail(op, "a window must have 1 to ", kMaxCells, " cells, got (", kh, ", ", kw, ")");
    if (anchor[0] < 0 || anchor[1] < 0 || anchor[0] >= kh || anchor[1] >= kw)
        fail(op, "anchor must be a cell of the (", kh, ", ", kw, ") window, got (", anchor[0], ", ",
             anchor[1], ")");
    FilterShape s{x.shape[0], x.shape[1], x.shape[2], {kh, kw},         anchor[0],
                  anchor[1],  x.shape[0], x.shape[1], Border::kConstant};
    if (border == "valid") {
        s.top = s.left = 0;
        s.oh = s.h - kh + 1;
        s.ow = s.w - kw + 1;
        if (s.oh < 1 || s.ow < 1)
            fail(op, "a window of (", kh, ", ", kw, ") does not fit into an image of (", s.h, ", ",
                 s.w, "); take another border or a smaller window");
    } else if (border == "replicate") {
        s.border = Border::kReplicate;
    } else if (border == "reflect") {
        s.border = Border::kReflect;
    } else if (border == "reflect_101") {
        s.border = Border::kReflect101;
    } else if (border == "wrap") {
        s.border = Border::kWrap;
    } else if (border != "constant") {
        fail(op,
             "border must be 'constant', 'replicate', 'reflect', 'reflect_101', 'wrap' or "
             "'valid', got '",
             border, "'");
    }
    return s;
}

Shape result_shape(const FilterShape& s) { return {s.oh, s.ow, s.c}; }

Object filter2d_(Object x, Object kernel, Pair anchor, const std::string& border, float delta,
                 const std::string& dtype, Object out) {
    const char* op = "filter2d";
    const Image xi(op, x);
    const Input w(op, "kernel", kernel, 2);
    const FilterShape s = filter_shape(op, xi, {w[0], w[1]}, anchor, border);
    PixelType type;
    if (dtype == "uint8") {
        type = PixelType::kUint8;
    } else if (dtype == "int16") {
        type = PixelType::kInt16;
    } else if (dtype == "float32") {
        type = PixelType::kFloat32;
    } else {
        fail(op, "dtype must be 'uint8', 'int16' or 'float32', got '", dtype, "'");
    }
    Result y(op, out, result_shape(s), type, xi);
    y.apart_from(op, w);
    // Of each thread, at most (filter2d.cpp).
    check_memory(op, "the rows under the kernel",
                 static_cast<double>(w[0] + simd::kMaxFilterRows) *
                     (std::min<double>(kMaxTileFloats, static_cast<double>(s.ow) * s.c) +
                      static_cast<double>(w[1] + 1) * s.c));
    void* to = y.array.mutable_data();
    without_gil("filter2d", std::tie(xi, y),
                [&] { filter2d(s, xi.array.data(), xi.type, w.data(), delta, to, type); });
    return y.array;
}

// Weights of a symmetric filter in 256ths.
std::vector<uint16_t> whole_weights(const char* op, const char* name, const Input& w) {
    std::vector<uint16_t> weights;
    int64_t sum = 0;
    for (int64_t i = 0; i < w.size(); ++i) {
        const float value = w.data()[i];
        if (!(value >= 0 && value <= 256) || value != std::floor(value) ||
            value != w.data()[w.size() - 1 - i])
            fail(op, name, " must be symmetric, of integers from 0 to 256, for an image of uint8");
        weights.push_back(static_cast<uint16_t>(value));
        sum += weights.back();
    }
    if (sum != 256 || w.size() % 2 == 0)
        fail(op, name, " must have an odd number of weights with the sum 256, got ", w.size(),
             " with the sum ", sum);
    return weights;
}

Object gaussian_blur_(Object x, Object rows, Object cols, const std::string& border, Object out) {
    const char* op = "gaussian_blur";
    const Image xi(op, x);
    const Input down(op, "rows", rows, 1), along(op, "cols", cols, 1);
    const FilterShape s =
        filter_shape(op, xi, {down[0], along[0]}, {down[0] / 2, along[0] / 2}, border);
    std::vector<uint16_t> whole_down, whole_along;
    if (xi.type == PixelType::kUint8) {
        whole_down = whole_weights(op, "rows", down);
        whole_along = whole_weights(op, "cols", along);
    }
    Result y(op, out, result_shape(s), xi.type, xi);
    y.apart_from(op, down).apart_from(op, along);
    if (xi.type == PixelType::kUint8) {
        uint8_t* to = y.bytes();
        without_gil("gaussian_blur", std::tie(xi, y), [&] {
            gaussian_blur(s, xi.bytes(), whole_down.data(), whole_along.data(), to);
        });
    } else {
        float* to = y.floats();
        without_gil("gaussian_blur", std::tie(xi, y),
                    [&] { gaussian_blur(s, xi.floats(), down.data(), along.data(), to); });
    }
    return y.array;
}

Object box_filter_(Object x, Pair kernel, Pair anchor, bool mean, const std::string& border,
                   Object out) {
    const char* op = "box_filter";
    const Image xi(op, x);
    const FilterShape s = filter_shape(op, xi, kernel, anchor, border);
    Result y(op, out, result_shape(s), xi.type, xi);
    if (xi.type == PixelType::kUint8) {
        uint8_t* to = y.bytes();
        without_gil("box_filter", std::tie(xi, y), [&] { box_filter(s, xi.bytes(), mean, to); });
    } else {
        float* to = y.floats();
        without_gil("box_filter", std::tie(xi, y), [&] { box_filter(s, xi.floats(), mean, to); });
    }
    return y.array;
}

Object median_blur_(Object x, int64_t size, Object out) {
    const char* op = "median_blur";
    const Image xi(op, x);
    if (size < 1 || size % 2 == 0 || size > kMaxMedian)
        fail(op, "kernel_size must be odd, from 1 to ", kMaxMedian, ", got ", size);
    const auto [h, w, c] = std::array{xi.shape[0], xi.shape[1], xi.shape[2]};
    Result y(op, out, xi.shape, xi.type, xi);
    if (xi.type == PixelType::kUint8) {
        uint8_t* to = y.bytes();
        without_gil("median_blur", std::tie(xi, y),
                    [&] { median_blur(h, w, c, size, xi.bytes(), to); });
    } else {
        float* to = y.floats();
        without_gil("median_blur", std::tie(xi, y),
                    [&] { median_blur(h, w, c, size, xi.floats(), to); });
    }
    return y.array;
}

Object bilateral_filter_(Object x, int64_t radius, double sigma_colour, double sigma_space,
                         const std::string& border, Object out) {
    const char* op = "bilateral_filter";
    const Image xi(op, x);
    if (xi.shape[2] != 1 && xi.shape[2] != 3)
        fail(op, "x must have 1 or 3 channels, got ", to_string(xi.shape));
    if (radius < 1 || radius > kMaxRadius)
        fail(op, "radius must be from 1 to ", kMaxRadius, ", got ", radius);
    if (!(sigma_colour > 0) || !(sigma_space > 0))
        fail(op, "sigma_colour and sigma_space must be above 0, got ", sigma_colour, " and ",
             sigma_space);
    const FilterShape s =
        filter_shape(op, xi, {2 * radius + 1, 2 * radius + 1}, {radius, radius}, border);
    Result y(op, out, result_shape(s), xi.type, xi);
    void* to = y.array.mutable_data();
    without_gil("bilateral_filter", std::tie(xi, y), [&] {
        bilateral_filter(s, {radius, sigma_colour, sigma_space}, xi.array.data(), xi.type, to);
    });
    return y.array;
}

}  // namespace

void bind_filters(py::module_& m) {
    const py::object none = py::none();
    m.def("filter2d", &filter2d_, "x"_a, "kernel"_a, "anchor"_a, "border"_a, "delta"_a, "dtype"_a,
          "out"_a = none);
    m.def("gaussian_blur", &gaussian_blur_, "x"_a, "rows"_a, "cols"_a, "border"_a, "out"_a = none);
    m.def("box_filter", &box_filter_, "x"_a, "kernel_size"_a, "anchor"_a, "mean"_a, "border"_a,
          "out"_a = none);
    m.def("median_blur", &median_blur_, "x"_a, "kernel_size"_a, "out"_a = none);
    m.def("bilateral_filter", &bilateral_filter_, "x"_a, "radius"_a, "sigma_colour"_a,
          "sigma_space"_a, "border"_a, "out"_a = none);
}

}  // namespace pyconv
