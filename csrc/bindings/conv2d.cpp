// Bindings of the convolution and the gradient of its bias.

#include <optional>
#include <string>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/bias.h"
#include "ops/conv2d.h"
#include "ops/conv2d_maxpool2d.h"

namespace pyconv {
namespace {

Conv2dShape conv_shape(const char* op, const Four& x, const Four& w, const Pair& strides,
                       const Four& padding, const Pair& dilation, int64_t groups) {
    const WindowShape window = window_shape(op, x[0], x[1], x[2], x[3], {w[0], w[1]},
                                            size2(strides), padding2(padding), size2(dilation));
    const Conv2dShape s = conv2d_shape(op, window, w[3], groups);
    if (w[2] != s.group_c())
        fail(op, "w must be (KH, KW, ", s.group_c(), ", OC) for an input of ", s.c, " channels in ",
             groups, " groups, got ", to_string(Shape(w.begin(), w.end())));
    return s;
}

std::optional<Input> bias_of(const char* op, const Object& b, const Conv2dShape& s) {
    std::optional<Input> bias;
    if (!b.is_none()) {
        bias.emplace(op, "b", b);
        bias->expect(op, "b", {s.oc});
    }
    return bias;
}

Object conv2d_forward_(Object x, Object w, Object b, Pair strides, Four padding, Pair dilation,
                       int64_t groups, const std::string& activation, Object out) {
    const char* op = "conv2d";
    const Input xi(op, "x", x, 4), wi(op, "w", w, 4);
    const Conv2dShape s = conv_shape(op, four(xi), four(wi), strides, padding, dilation, groups);
    const Activation act = activation_of(op, activation);
    const std::optional<Input> bi = bias_of(op, b, s);
    Output y(op, "out", out, {s.n, s.oh, s.ow, s.oc});
    y.apart_from(op, xi).apart_from(op, wi);
    if (bi) y.apart_from(op, *bi);
    recordable("conv2d_forward", std::tie(xi, wi, bi, y),
               [s, act, x = xi.data(), w = wi.data(), b = data_of(bi), y = y.data()] {
                   conv2d_forward(s, x, w, b, act, y);
               });
    return y.object();
}

Object conv2d_maxpool2d_forward_(Object x, Object w, Object b, Pair strides, Four padding,
                                 Pair dilation, int64_t groups, const std::string& activation,
                                 Pair pool_size, Pair pool_strides, Four pool_padding, Object out,
                                 Object winners) {
    const char* op = "conv2d_maxpool2d_forward";
    const Input xi(op, "x", x, 4), wi(op, "w", w, 4);
    const Conv2dShape s = conv_shape(op, four(xi), four(wi), strides, padding, dilation, groups);
    const WindowShape pool = pool2d_shape(op, s.n, s.oh, s.ow, s.oc, size2(pool_size),
                                          size2(pool_strides), padding2(pool_padding));
    const Activation act = activation_of(op, activation);
    const std::optional<Input> bi = bias_of(op, b, s);
    check_memory(op, "the result of the convolution",
                 static_cast<double>(s.n) * s.oh * s.ow * s.oc);
    Output y(op, "out", out, {pool.n, pool.oh, pool.ow, pool.c});
    y.apart_from(op, xi).apart_from(op, wi);
    if (bi) y.apart_from(op, *bi);
    std::optional<Output> cells;
    if (!winners.is_none()) {
        cells.emplace(op, "winners", winners, Shape{pool.n, pool.oh, pool.ow, pool.c});
        cells->apart_from(op, xi).apart_from(op, wi).apart_from(op, y);
        if (bi) cells->apart_from(op, *bi);
    }
    recordable(
        "conv2d_maxpool2d_forward", std::tie(xi, wi, y, cells, bi),
        [s, pool, act, x = xi.data(), w = wi.data(), b = data_of(bi), y = y.data(),
         cells = data_of(cells)] { conv2d_maxpool2d_forward(s, pool, x, w, b, act, y, cells); });
    return y.object();
}

// An output that a caller may leave out.
std::optional<Output> wanted(const char* op, const char* name, const Object& given,
                             const Shape& shape) {
    std::optional<Output> output;
    if (!given.is_none()) output.emplace(op, name, given, shape);
    return output;
}

void conv2d_maxpool2d_backward_(Object x, Object w, Object y, Object winners, Object dy,
                                Pair strides, Four padding, Pair dilation, int64_t groups,
                                const std::string& activation, Pair pool_size, Pair pool_strides,
                                Four pool_padding, Object dx, Object dw, Object db) {
    const char* op = "conv2d_maxpool2d_backward";
    const Input xi(op, "x", x, 4), wi(op, "w", w, 4), yi(op, "y", y, 4);
    const Input cells(op, "winners", winners, 4), dyi(op, "dy", dy, 4);
    const Conv2dShape s = conv_shape(op, four(xi), four(wi), strides, padding, dilation, groups);
    const WindowShape pool = pool2d_shape(op, s.n, s.oh, s.ow, s.oc, size2(pool_size),
                                          size2(pool_strides), padding2(pool_padding));
    const Activation act = activation_of(op, activation);
    const Shape pooled{pool.n, pool.oh, pool.ow, pool.c};
    yi.expect(op, "y", pooled);
    cells.expect(op, "winners", pooled);
    dyi.expect(op, "dy", pooled);
    check_memory(op, "the gradient of the maps", static_cast<double>(s.n) * s.oh * s.ow * s.oc);
    std::optional<Output> outputs[] = {wanted(op, "dx", dx, xi.shape()),
                                       wanted(op, "dw", dw, wi.shape()),
                                       wanted(op, "db", db, {s.oc})};
    auto& [dxo, dwo, dbo] = outputs;
    for (std::optional<Output>& output : outputs) {
        if (!output) continue;
        for (const Input* input : {&xi, &wi, &yi, &cells, &dyi}) output->apart_from(op, *input);
        for (std::optional<Output>& other : outputs)
            if (other && &other != &output) output->apart_from(op, *other);
    }
    recordable("conv2d_maxpool2d_backward", std::tie(xi, wi, dyi, dxo, dwo, dbo, yi, cells),
               [s, pool, act, x = xi.data(), w = wi.data(), y = yi.data(), cells = cells.data(),
                dy = dyi.data(), dx = data_of(dxo), dw = data_of(dwo), db = data_of(dbo)] {
                   conv2d_maxpool2d_backward(s, pool, x, w, act, y, cells, dy, dx, dw, db);
               });
}

Object conv2d_backward_input_(Object dy, Object w, Four input_shape, Pair strides, Four padding,
                              Pair dilation, int64_t groups, Object out) {
    const char* op = "conv2d_backward_input";
    const Input dyi(op, "dy", dy, 4), wi(op, "w", w, 4);
    const Conv2dShape s = conv_shape(op, input_shape, four(wi), strides, padding, dilation, groups);
    dyi.expect(op, "dy", {s.n, s.oh, s.ow, s.oc});
    Output dx(op, "out", out, {s.n, s.h, s.w, s.c});
    dx.apart_from(op, dyi).apart_from(op, wi);
    recordable("conv2d_backward_input", std::tie(dyi, wi, dx),
               [s, dy = dyi.data(), w = wi.data(), dx = dx.data()] {
                   conv2d_backward_input(s, dy, w, dx);
               });
    return dx.object();
}

Object conv2d_backward_filter_(Object x, Object dy, Pair kernel_size, Pair strides, Four padding,
                               Pair dilation, int64_t groups, Object out) {
    const char* op = "conv2d_backward_filter";
    const Input xi(op, "x", x, 4), dyi(op, "dy", dy, 4);
    const WindowShape window = window_shape(op, xi[0], xi[1], xi[2], xi[3], size2(kernel_size),
                                            size2(strides), padding2(padding), size2(dilation));
    if (dyi[3] < 1) fail(op, "dy must have at least one channel, got ", to_string(dyi.shape()));
    const Conv2dShape s = conv2d_shape(op, window, dyi[3], groups);
    dyi.expect(op, "dy", {s.n, s.oh, s.ow, s.oc});
    Output dw(op, "out", out, {s.kernel.h, s.kernel.w, s.group_c(), s.oc});
    dw.apart_from(op, xi).apart_from(op, dyi);
    recordable("conv2d_backward_filter", std::tie(xi, dyi, dw),
               [s, x = xi.data(), dy = dyi.data(), dw = dw.data()] {
                   conv2d_backward_filter(s, x, dy, dw);
               });
    return dw.object();
}

Object bias_backward_(Object dy, Object out) {
    const char* op = "bias_backward";
    const Input dyi(op, "dy", dy);
    if (dyi.shape().empty() || dyi.shape().back() == 0)
        fail(op, "dy must have at least one channel, got ", to_string(dyi.shape()));
    const int64_t c = dyi.shape().back();
    Output db(op, "out", out, {c});
    db.apart_from(op, dyi);
    recordable(
        "bias_backward", std::tie(dyi, db),
        [n = dyi.size() / c, c, dy = dyi.data(), db = db.data()] { bias_backward(n, c, dy, db); });
    return db.object();
}

}  // namespace

void bind_conv2d(py::module_& m) {
    const py::object none = py::none();
    m.def("conv2d_forward", &conv2d_forward_, "x"_a, "w"_a, "b"_a, "strides"_a, "padding"_a,
          "dilation"_a, "groups"_a, "activation"_a = "linear", "out"_a = none);
    m.def("conv2d_maxpool2d_forward", &conv2d_maxpool2d_forward_, "x"_a, "w"_a, "b"_a, "strides"_a,
          "padding"_a, "dilation"_a, "groups"_a, "activation"_a, "pool_size"_a, "pool_strides"_a,
          "pool_padding"_a, "out"_a = none, "winners"_a = none);
    m.def("conv2d_maxpool2d_backward", &conv2d_maxpool2d_backward_, "x"_a, "w"_a, "y"_a,
          "winners"_a, "dy"_a, "strides"_a, "padding"_a, "dilation"_a, "groups"_a, "activation"_a,
          "pool_size"_a, "pool_strides"_a, "pool_padding"_a, "dx"_a = none, "dw"_a = none,
          "db"_a = none);
    m.def("conv2d_backward_input", &conv2d_backward_input_, "dy"_a, "w"_a, "input_shape"_a,
          "strides"_a, "padding"_a, "dilation"_a, "groups"_a, "out"_a = none);
    m.def("conv2d_backward_filter", &conv2d_backward_filter_, "x"_a, "dy"_a, "kernel_size"_a,
          "strides"_a, "padding"_a, "dilation"_a, "groups"_a, "out"_a = none);
    m.def("bias_backward", &bias_backward_, "dy"_a, "out"_a = none);
}

}  // namespace pyconv
