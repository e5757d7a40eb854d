// Bindings of batch normalization.

#include "ops/batchnorm.h"

#include <optional>

#include "bindings/bindings.h"
#include "check.h"

namespace pyconv {
namespace {

BatchNormShape batchnorm_shape(const char* op, const Input& x, double epsilon) {
    if (x.shape().empty() || x.shape().back() < 1)
        fail(op, "x must have at least one channel on its last axis, got ", to_string(x.shape()));
    if (!(epsilon >= 0)) fail(op, "epsilon must be at least 0, got ", epsilon);
    const int64_t c = x.shape().back();
    return {x.size() / c, c, static_cast<float>(epsilon)};
}

Input channels(const char* op, const char* name, const Object& value, int64_t c) {
    Input input(op, name, value, 1);
    input.expect(op, name, {c});
    return input;
}

std::optional<Input> optional_channels(const char* op, const char* name, const Object& value,
                                       int64_t c) {
    if (value.is_none()) return std::nullopt;
    return channels(op, name, value, c);
}

// An array of the shape of x, or none.
std::optional<Input> optional_like(const char* op, const char* name, const Object& value,
                                   const Input& x) {
    if (value.is_none()) return std::nullopt;
    Input input(op, name, value);
    input.expect(op, name, x.shape());
    return input;
}

py::tuple batchnorm_moments_(Object x, Object mean, Object rest, Object variance) {
    const char* op = "batch_norm_moments";
    const Input xi(op, "x", x);
    const BatchNormShape s = batchnorm_shape(op, xi, 0);
    if (s.rows < 1) fail(op, "x must have at least one row, got ", to_string(xi.shape()));
    Output m(op, "mean", mean, {s.c}), r(op, "rest", rest, {s.c}),
        v(op, "variance", variance, {s.c});
    m.apart_from(op, xi);
    r.apart_from(op, xi).apart_from(op, m);
    v.apart_from(op, xi).apart_from(op, m).apart_from(op, r);
    recordable("batchnorm_moments", std::tie(xi, m, r, v),
               [s, x = xi.data(), m = m.data(), r = r.data(), v = v.data()] {
                   batchnorm_moments(s, x, m, r, v);
               });
    return py::make_tuple(m.object(), r.object(), v.object());
}

Object batchnorm_forward_(Object x, Object gamma, Object beta, Object mean, Object rest,
                          Object variance, double epsilon, Object out, Object addend,
                          const std::string& activation) {
    const char* op = "batch_norm";
    const Input xi(op, "x", x);
    const BatchNormShape s = batchnorm_shape(op, xi, epsilon);
    const auto g = optional_channels(op, "gamma", gamma, s.c);
    const auto b = optional_channels(op, "beta", beta, s.c);
    const Input m = channels(op, "mean", mean, s.c), v = channels(op, "variance", variance, s.c);
    const auto r = optional_channels(op, "rest", rest, s.c);
    const auto a = optional_like(op, "addend", addend, xi);
    const NormEnd end{data_of(a), activation_of(op, activation)};
    Output y(op, "out", out, xi.shape());
    y.over_or_apart_from(op, xi).apart_from(op, m).apart_from(op, v);
    if (g) y.apart_from(op, *g);
    if (b) y.apart_from(op, *b);
    if (r) y.apart_from(op, *r);
    if (a) y.over_or_apart_from(op, *a);
    recordable("batchnorm_forward", std::tie(xi, g, b, m, r, v, a, y),
               [s, end, x = xi.data(), g = data_of(g), b = data_of(b), m = m.data(), r = data_of(r),
                v = v.data(), y = y.data()] { batchnorm_forward(s, x, g, b, m, r, v, end, y); });
    return y.object();
}

// dgamma, dbeta and dx are written where they are given; dy too, with y.
void batchnorm_backward_(Object x, Object dy, Object gamma, Object mean, Object rest,
                         Object variance, double epsilon, bool of_batch, Object dgamma,
                         Object dbeta, Object dx, Object y) {
    const char* op = "batch_norm_backward";
    const Input xi(op, "x", x), dyi(op, "dy", dy);
    const BatchNormShape s = batchnorm_shape(op, xi, epsilon);
    dyi.expect(op, "dy", xi.shape());
    const auto g = optional_channels(op, "gamma", gamma, s.c);
    const Input m = channels(op, "mean", mean, s.c), v = channels(op, "variance", variance, s.c);
    const auto r = optional_channels(op, "rest", rest, s.c);
    const auto yi = optional_like(op, "y", y, xi);
    std::optional<Output> masked, dg, db, di;
    if (yi) {
        masked.emplace(op, "dy", dy, xi.shape());
        masked->apart_from(op, xi).apart_from(op, *yi);
    }
    if (!dgamma.is_none()) dg.emplace(op, "dgamma", dgamma, Shape{s.c});
    if (!dbeta.is_none()) db.emplace(op, "dbeta", dbeta, Shape{s.c});
    if (!dx.is_none()) di.emplace(op, "dx", dx, xi.shape());
    for (std::optional<Output>* output : {&dg, &db, &di}) {
        if (!*output) continue;
        (*output)->apart_from(op, xi).apart_from(op, m).apart_from(op, v);
        if (g) (*output)->apart_from(op, *g);
        if (r) (*output)->apart_from(op, *r);
        if (yi) (*output)->apart_from(op, *yi);
        if (output != &di) (*output)->apart_from(op, dyi);
    }
    if (di) di->over_or_apart_from(op, dyi);
    if (dg && db) dg->apart_from(op, *db);
    for (std::optional<Output>* output : {&dg, &db})
        if (*output && di) (*output)->apart_from(op, *di);
    // Without y, dy is only read.
    float* grad = masked ? masked->data() : const_cast<float*>(dyi.data());
    recordable(
        "batchnorm_backward", std::tie(xi, yi, dyi, g, m, r, v, masked, dg, db, di),
        [s, grad, of_batch, x = xi.data(), y = data_of(yi), g = data_of(g), m = m.data(),
         r = data_of(r), v = v.data(), dg = data_of(dg), db = data_of(db), dx = data_of(di)] {
            batchnorm_backward(s, x, y, grad, g, m, r, v, of_batch, dg, db, dx);
        });
}

}  // namespace

void bind_batchnorm(py::module_& m) {
    const py::object none = py::none();
    m.def("batchnorm_moments", &batchnorm_moments_, "x"_a, "mean"_a = none, "rest"_a = none,
          "variance"_a = none);
    m.def("batchnorm_forward", &batchnorm_forward_, "x"_a, "gamma"_a, "beta"_a, "mean"_a, "rest"_a,
          "variance"_a, "epsilon"_a, "out"_a = none, "addend"_a = none, "activation"_a = "linear");
    m.def("batchnorm_backward", &batchnorm_backward_, "x"_a, "dy"_a, "gamma"_a, "mean"_a, "rest"_a,
          "variance"_a, "epsilon"_a, "of_batch"_a, "dgamma"_a = none, "dbeta"_a = none,
          "dx"_a = none, "y"_a = none);
}

}  // namespace pyconv
