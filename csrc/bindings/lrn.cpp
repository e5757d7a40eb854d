// Bindings of local response normalization.

#include "ops/lrn.h"

#include <algorithm>

#include "bindings/bindings.h"
#include "check.h"

namespace pyconv {
namespace {

LrnParams lrn_params(const char* op, const Input& x, int64_t radius, double bias, double alpha,
                     double beta) {
    if (x.shape().empty()) fail(op, "x must have an axis of channels, got ", to_string(x.shape()));
    if (radius < 0) fail(op, "radius must be at least 0, got ", radius);
    if (!(bias > 0)) fail(op, "bias must be above 0, got ", bias);
    if (!(alpha >= 0)) fail(op, "alpha must be at least 0, got ", alpha);
    return {radius, static_cast<float>(bias), static_cast<float>(alpha), static_cast<float>(beta)};
}

int64_t rows_of(const Input& x) { return x.size() / std::max<int64_t>(x.shape().back(), 1); }

Object lrn_forward_(Object x, int64_t radius, double bias, double alpha, double beta, Object out) {
    const char* op = "local_response_normalization";
    const Input xi(op, "x", x);
    const LrnParams p = lrn_params(op, xi, radius, bias, alpha, beta);
    Output y(op, "out", out, xi.shape());
    y.apart_from(op, xi);
    recordable("lrn_forward", std::tie(xi, y),
               [p, rows = rows_of(xi), c = xi.shape().back(), x = xi.data(), y = y.data()] {
                   lrn_forward(rows, c, p, x, y);
               });
    return y.object();
}

Object lrn_backward_(Object x, Object dy, int64_t radius, double bias, double alpha, double beta,
                     Object out) {
    const char* op = "local_response_normalization_backward";
    const Input xi(op, "x", x), dyi(op, "dy", dy);
    const LrnParams p = lrn_params(op, xi, radius, bias, alpha, beta);
    dyi.expect(op, "dy", xi.shape());
    Output dx(op, "out", out, xi.shape());
    dx.apart_from(op, xi).over_or_apart_from(op, dyi);
    recordable("lrn_backward", std::tie(xi, dyi, dx),
               [p, rows = rows_of(xi), c = xi.shape().back(), x = xi.data(), dy = dyi.data(),
                dx = dx.data()] { lrn_backward(rows, c, p, x, dy, dx); });
    return dx.object();
}

}  // namespace

void bind_lrn(py::module_& m) {
    const py::object none = py::none();
    m.def("lrn_forward", &lrn_forward_, "x"_a, "radius"_a, "bias"_a, "alpha"_a, "beta"_a,
          "out"_a = none);
    m.def("lrn_backward", &lrn_backward_, "x"_a, "dy"_a, "radius"_a, "bias"_a, "alpha"_a, "beta"_a,
          "out"_a = none);
}

}  // namespace pyconv
