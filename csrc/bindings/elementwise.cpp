// Bindings of the operations on single elements.

#include "bindings/bindings.h"
#include "check.h"
#include "ops/dropout.h"
#include "ops/relu.h"

namespace pyconv {
namespace {

Object relu_forward_(Object x, Object out) {
    const char* op = "relu";
    const Input xi(op, "x", x);
    Output y(op, "out", out, xi.shape());
    y.over_or_apart_from(op, xi);
    recordable("relu_forward", std::tie(xi, y),
               [n = xi.size(), x = xi.data(), y = y.data()] { relu_forward(n, x, y); });
    return y.object();
}

Object relu_backward_(Object y, Object dy, Object out) {
    const char* op = "relu_backward";
    const Input yi(op, "y", y), dyi(op, "dy", dy);
    dyi.expect(op, "dy", yi.shape());
    Output dx(op, "out", out, yi.shape());
    dx.over_or_apart_from(op, yi).over_or_apart_from(op, dyi);
    recordable("relu_backward", std::tie(yi, dyi, dx),
               [n = yi.size(), y = yi.data(), dy = dyi.data(), dx = dx.data()] {
                   relu_backward(n, y, dy, dx);
               });
    return dx.object();
}

Object dropout_(Object x, double rate, uint64_t seed, uint64_t offset, Object out) {
    const char* op = "dropout";
    const Input xi(op, "x", x);
    if (!(rate >= 0 && rate <= 1)) fail(op, "rate must be from 0 to 1, got ", rate);
    Output y(op, "out", out, xi.shape());
    y.over_or_apart_from(op, xi);
    without_gil("dropout", std::tie(xi, y),
                [&] { dropout(xi.size(), xi.data(), rate, seed, offset, y.data()); });
    return y.object();
}

}  // namespace

void bind_elementwise(py::module_& m) {
    const py::object none = py::none();
    m.def("relu_forward", &relu_forward_, "x"_a, "out"_a = none);
    m.def("relu_backward", &relu_backward_, "y"_a, "dy"_a, "out"_a = none);
    m.def("dropout", &dropout_, "x"_a, "rate"_a, "seed"_a, "offset"_a = 0, "out"_a = none);
}

}  // namespace pyconv
