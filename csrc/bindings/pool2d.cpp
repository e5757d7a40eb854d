// Bindings of the pooling operations.

#include "bindings/bindings.h"
#include "check.h"
#include "ops/avgpool2d.h"
#include "ops/global_avgpool2d.h"
#include "ops/maxpool2d.h"

namespace pyconv {
namespace {

WindowShape pool_shape(const char* op, const Four& x, const Pair& pool, const Pair& strides,
                       const Four& padding) {
    return pool2d_shape(op, x[0], x[1], x[2], x[3], size2(pool), size2(strides), padding2(padding));
}

template <class Forward>
Object pool_forward(const char* op, const char* name, Object x, Pair pool, Pair strides,
                    Four padding, Object out, const Forward& forward) {
    const Input xi(op, "x", x, 4);
    const WindowShape s = pool_shape(op, four(xi), pool, strides, padding);
    Output y(op, "out", out, {s.n, s.oh, s.ow, s.c});
    y.apart_from(op, xi);
    recordable(name, std::tie(xi, y),
               [s, forward, x = xi.data(), y = y.data()] { forward(s, x, y); });
    return y.object();
}

Object maxpool2d_forward_(Object x, Pair pool, Pair strides, Four padding, Object out) {
    return pool_forward(
        "max_pool2d", "maxpool2d_forward", x, pool, strides, padding, out,
        [](const WindowShape& s, const float* from, float* to) { maxpool2d_forward(s, from, to); });
}

Object avgpool2d_forward_(Object x, Pair pool, Pair strides, Four padding, Object out) {
    return pool_forward("avg_pool2d", "avgpool2d_forward", x, pool, strides, padding, out,
                        avgpool2d_forward);
}

Object maxpool2d_backward_(Object x, Object dy, Pair pool, Pair strides, Four padding, Object out) {
    const char* op = "max_pool2d_backward";
    const Input xi(op, "x", x, 4), dyi(op, "dy", dy, 4);
    const WindowShape s = pool_shape(op, four(xi), pool, strides, padding);
    dyi.expect(op, "dy", {s.n, s.oh, s.ow, s.c});
    Output dx(op, "out", out, {s.n, s.h, s.w, s.c});
    dx.apart_from(op, xi).apart_from(op, dyi);
    recordable(
        "maxpool2d_backward", std::tie(xi, dyi, dx),
        [s, x = xi.data(), dy = dyi.data(), dx = dx.data()] { maxpool2d_backward(s, x, dy, dx); });
    return dx.object();
}

Object avgpool2d_backward_(Object dy, Four input_shape, Pair pool, Pair strides, Four padding,
                           Object out) {
    const char* op = "avg_pool2d_backward";
    const Input dyi(op, "dy", dy, 4);
    const WindowShape s = pool_shape(op, input_shape, pool, strides, padding);
    dyi.expect(op, "dy", {s.n, s.oh, s.ow, s.c});
    Output dx(op, "out", out, {s.n, s.h, s.w, s.c});
    dx.apart_from(op, dyi);
    recordable("avgpool2d_backward", std::tie(dyi, dx),
               [s, dy = dyi.data(), dx = dx.data()] { avgpool2d_backward(s, dy, dx); });
    return dx.object();
}

void check_image(const char* op, const Four& x) {
    if (x[0] < 0 || x[1] < 1 || x[2] < 1 || x[3] < 1)
        fail(op, "x must be (N, H, W, C) with at least one pixel and one channel, got ",
             to_string(Shape(x.begin(), x.end())));
}

Object global_avgpool2d_forward_(Object x, Object out) {
    const char* op = "global_avg_pool2d";
    const Input xi(op, "x", x, 4);
    check_image(op, four(xi));
    Output y(op, "out", out, {xi[0], xi[3]});
    y.apart_from(op, xi);
    recordable("global_avgpool2d_forward", std::tie(xi, y),
               [n = xi[0], pixels = xi[1] * xi[2], c = xi[3], x = xi.data(), y = y.data()] {
                   global_avgpool2d_forward(n, pixels, c, x, y);
               });
    return y.object();
}

Object global_avgpool2d_backward_(Object dy, Four input_shape, Object out) {
    const char* op = "global_avg_pool2d_backward";
    const Input dyi(op, "dy", dy, 2);
    const auto [n, h, w, c] = input_shape;
    check_image(op, input_shape);
    dyi.expect(op, "dy", {n, c});
    Output dx(op, "out", out, {n, h, w, c});
    dx.apart_from(op, dyi);
    recordable("global_avgpool2d_backward", std::tie(dyi, dx),
               [n = n, pixels = h * w, c = c, dy = dyi.data(), dx = dx.data()] {
                   global_avgpool2d_backward(n, pixels, c, dy, dx);
               });
    return dx.object();
}

}  // namespace

void bind_pool2d(py::module_& m) {
    const py::object none = py::none();
    m.def("maxpool2d_forward", &maxpool2d_forward_, "x"_a, "pool_size"_a, "strides"_a, "padding"_a,
          "out"_a = none);
    m.def("maxpool2d_backward", &maxpool2d_backward_, "x"_a, "dy"_a, "pool_size"_a, "strides"_a,
          "padding"_a, "out"_a = none);
    m.def("avgpool2d_forward", &avgpool2d_forward_, "x"_a, "pool_size"_a, "strides"_a, "padding"_a,
          "out"_a = none);
    m.def("avgpool2d_backward", &avgpool2d_backward_, "dy"_a, "input_shape"_a, "pool_size"_a,
          "strides"_a, "padding"_a, "out"_a = none);
    m.def("global_avgpool2d_forward", &global_avgpool2d_forward_, "x"_a, "out"_a = none);
    m.def("global_avgpool2d_backward", &global_avgpool2d_backward_, "dy"_a, "input_shape"_a,
          "out"_a = none);
}

}  // namespace pyconv
