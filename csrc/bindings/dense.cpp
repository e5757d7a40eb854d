// Bindings of the dense layer.

#include <optional>
#include <string>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/dense.h"

namespace pyconv {
namespace {

Input matrix(const char* op, const char* name, const Object& value) {
    Input input(op, name, value, 2);
    if (input[1] < 1)
        fail(op, name, " must have at least one column, got ", to_string(input.shape()));
    return input;
}

Input weights(const char* op, const Object& value) {
    Input w = matrix(op, "w", value);
    if (w[0] < 1) fail(op, "w must have at least one row, got ", to_string(w.shape()));
    return w;
}

Object dense_forward_(Object x, Object w, Object b, const std::string& activation, Object out) {
    const char* op = "dense";
    const Input xi = matrix(op, "x", x), wi = weights(op, w);
    const DenseShape s{xi[0], xi[1], wi[1]};
    wi.expect(op, "w", {s.in, s.units});
    const Activation act = activation_of(op, activation);
    std::optional<Input> bi;
    if (!b.is_none()) {
        bi.emplace(op, "b", b);
        bi->expect(op, "b", {s.units});
    }
    Output y(op, "out", out, {s.n, s.units});
    y.apart_from(op, xi).apart_from(op, wi);
    if (bi) y.apart_from(op, *bi);
    recordable("dense_forward", std::tie(xi, wi, bi, y),
               [s, act, x = xi.data(), w = wi.data(), b = data_of(bi), y = y.data()] {
                   dense_forward(s, x, w, b, act, y);
               });
    return y.object();
}

Object dense_backward_input_(Object dy, Object w, Object out) {
    const char* op = "dense_backward";
    const Input dyi = matrix(op, "dy", dy), wi = weights(op, w);
    const DenseShape s{dyi[0], wi[0], wi[1]};
    dyi.expect(op, "dy", {s.n, s.units});
    Output dx(op, "out", out, {s.n, s.in});
    dx.apart_from(op, dyi).apart_from(op, wi);
    recordable("dense_backward_input", std::tie(dyi, wi, dx),
               [s, dy = dyi.data(), w = wi.data(), dx = dx.data()] {
                   dense_backward_input(s, dy, w, dx);
               });
    return dx.object();
}

Object dense_backward_weights_(Object x, Object dy, Object out) {
    const char* op = "dense_backward";
    const Input xi = matrix(op, "x", x), dyi = matrix(op, "dy", dy);
    const DenseShape s{xi[0], xi[1], dyi[1]};
    dyi.expect(op, "dy", {s.n, s.units});
    Output dw(op, "out", out, {s.in, s.units});
    dw.apart_from(op, xi).apart_from(op, dyi);
    recordable("dense_backward_weights", std::tie(xi, dyi, dw),
               [s, x = xi.data(), dy = dyi.data(), dw = dw.data()] {
                   dense_backward_weights(s, x, dy, dw);
               });
    return dw.object();
}

}  // namespace

void bind_dense(py::module_& m) {
    const py::object none = py::none();
    m.def("dense_forward", &dense_forward_, "x"_a, "w"_a, "b"_a, "activation"_a = "linear",
          "out"_a = none);
    m.def("dense_backward_input", &dense_backward_input_, "dy"_a, "w"_a, "out"_a = none);
    m.def("dense_backward_weights", &dense_backward_weights_, "x"_a, "dy"_a, "out"_a = none);
}

}  // namespace pyconv
