// Bindings of the dense layer.

#include <optional>
#include <string>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/dense.h"

namespace pyconv {
namespace {

DenseShape dense_shape(const char* op, int64_t n, int64_t in, int64_t units) {
    if (in < 1 || units < 1) fail(op, "in and units must be at least 1, got ", in, " and ", units);
    return {n, in, units};
}

Object dense_forward_(Object x, Object w, Object b, const std::string& activation, Object out) {
    const char* op = "dense_forward";
    const Input xi(op, "x", x, 2), wi(op, "w", w, 2);
    const DenseShape s = dense_shape(op, xi[0], xi[1], wi[1]);
    wi.expect(op, "w", {s.in, s.units});
    const Activation act = activation_of(op, activation);
    std::optional<Input> bi;
    if (!b.is_none()) {
        bi.emplace(op, "b", b);
        bi->expect(op, "b", {s.units});
    }
    Output y(op, "out", out, {s.n, s.units});
    y.apart_from(op, xi).apart_from(op, wi);
    without_gil(
        [&] { dense_forward(s, xi.data(), wi.data(), bi ? bi->data() : nullptr, act, y.data()); });
    return y.object();
}

Object dense_backward_input_(Object dy, Object w, Object out) {
    const char* op = "dense_backward_input";
    const Input dyi(op, "dy", dy, 2), wi(op, "w", w, 2);
    const DenseShape s = dense_shape(op, dyi[0], wi[0], wi[1]);
    dyi.expect(op, "dy", {s.n, s.units});
    Output dx(op, "out", out, {s.n, s.in});
    dx.apart_from(op, dyi).apart_from(op, wi);
    without_gil([&] { dense_backward_input(s, dyi.data(), wi.data(), dx.data()); });
    return dx.object();
}

Object dense_backward_weights_(Object x, Object dy, Object out) {
    const char* op = "dense_backward_weights";
    const Input xi(op, "x", x, 2), dyi(op, "dy", dy, 2);
    const DenseShape s = dense_shape(op, xi[0], xi[1], dyi[1]);
    dyi.expect(op, "dy", {s.n, s.units});
    Output dw(op, "out", out, {s.in, s.units});
    dw.apart_from(op, xi).apart_from(op, dyi);
    without_gil([&] { dense_backward_weights(s, xi.data(), dyi.data(), dw.data()); });
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
