// Bindings of softmax, the cross-entropy of it, and the hits of an accuracy.

#include <optional>
#include <string>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/argmax_hits.h"
#include "ops/softmax.h"

namespace pyconv {
namespace {

int64_t classes_of(const char* op, const char* name, const Input& x) {
    if (x.shape().empty() || x.shape().back() == 0)
        fail(op, name, " must have at least one class on its last axis, got ",
             to_string(x.shape()));
    // Operations keep a row in double.
    check_memory(op, std::string("the work on a row of ") + name, 4.0 * x.shape().back());
    return x.shape().back();
}

Object softmax_forward_(Object x, Object out) {
    const char* op = "softmax";
    const Input xi(op, "x", x);
    const int64_t c = classes_of(op, "x", xi);
    Output y(op, "out", out, xi.shape());
    y.over_or_apart_from(op, xi);
    recordable(
        "softmax_forward", std::tie(xi, y),
        [n = xi.size() / c, c, x = xi.data(), y = y.data()] { softmax_forward(n, c, x, y); });
    return y.object();
}

Object softmax_backward_(Object y, Object dy, Object out) {
    const char* op = "softmax_backward";
    const Input yi(op, "y", y), dyi(op, "dy", dy);
    const int64_t c = classes_of(op, "y", yi);
    dyi.expect(op, "dy", yi.shape());
    Output dx(op, "out", out, yi.shape());
    dx.over_or_apart_from(op, yi).over_or_apart_from(op, dyi);
    recordable("softmax_backward", std::tie(yi, dyi, dx),
               [n = yi.size() / c, c, y = yi.data(), dy = dyi.data(), dx = dx.data()] {
                   softmax_backward(n, c, y, dy, dx);
               });
    return dx.object();
}

py::tuple softmax_cross_entropy_(Object logits, Object labels, Object row_scale, Object loss,
                                 Object grad) {
    const char* op = "softmax_cross_entropy";
    const Input li(op, "logits", logits, 2);
    const int64_t n = li[0], c = classes_of(op, "logits", li);
    CrossEntropy ce{n, c, li.data(), nullptr, nullptr, nullptr, nullptr, nullptr};
    std::optional<Input> distributions, scale;
    std::optional<Integers> classes;
    if (is_float32(labels)) {
        distributions.emplace(op, "labels", labels);
        distributions->expect(op, "labels", {n, c});
        ce.distributions = distributions->data();
    } else {
        classes.emplace(op, "labels", labels, n, c);
        ce.classes = classes->data();
    }
    if (!row_scale.is_none()) {
        scale.emplace(op, "row_scale", row_scale);
        scale->expect(op, "row_scale", {n});
        ce.row_scale = scale->data();
    }
    Output loss_out(op, "loss", loss, {n}), grad_out(op, "grad", grad, {n, c});
    for (Output* output : {&loss_out, &grad_out}) {
        output->apart_from(op, li);
        if (distributions) output->apart_from(op, *distributions);
        if (scale) output->apart_from(op, *scale);
    }
    grad_out.apart_from(op, loss_out);
    ce.loss = loss_out.data();
    ce.grad = grad_out.data();
    recordable("softmax_cross_entropy",
               std::tie(li, distributions, classes, scale, loss_out, grad_out),
               [ce] { softmax_cross_entropy(ce); });
    return py::make_tuple(loss_out.object(), grad_out.object());
}

Object argmax_hits_(Object predictions, Object labels, Object out) {
    const char* op = "argmax_hits";
    const Input pi(op, "predictions", predictions, 2);
    const int64_t n = pi[0], c = classes_of(op, "predictions", pi);
    std::optional<Input> distributions;
    std::optional<Integers> classes;
    if (is_float32(labels)) {
        distributions.emplace(op, "labels", labels);
        distributions->expect(op, "labels", {n, c});
    } else {
        classes.emplace(op, "labels", labels, n, c);
    }
    Output hits(op, "out", out, {n});
    hits.apart_from(op, pi);
    if (distributions) hits.apart_from(op, *distributions);
    recordable("argmax_hits", std::tie(pi, classes, distributions, hits),
               [n, c, p = pi.data(), classes = classes ? classes->data() : nullptr,
                distributions = data_of(distributions),
                hits = hits.data()] { argmax_hits(n, c, p, classes, distributions, hits); });
    return hits.object();
}

}  // namespace

void bind_softmax(py::module_& m) {
    const py::object none = py::none();
    m.def("softmax_forward", &softmax_forward_, "x"_a, "out"_a = none);
    m.def("softmax_backward", &softmax_backward_, "y"_a, "dy"_a, "out"_a = none);
    m.def("softmax_cross_entropy", &softmax_cross_entropy_, "logits"_a, "labels"_a,
          "row_scale"_a = none, "loss"_a = none, "grad"_a = none);
    m.def("argmax_hits", &argmax_hits_, "predictions"_a, "labels"_a, "out"_a = none);
}

}  // namespace pyconv
