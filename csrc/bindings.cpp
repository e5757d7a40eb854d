// The Python module of a backend: one function an operation, declared in pyconv/_cpu.pyi.
// Each checks its arguments, takes the output, and runs the operation without the GIL.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

#include "array.h"
#include "check.h"
#include "ops/avgpool2d.h"
#include "ops/bias.h"
#include "ops/conv2d.h"
#include "ops/conv2d_winograd.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/gather.h"
#include "ops/global_avgpool2d.h"
#include "ops/maxpool2d.h"
#include "ops/optimizers.h"
#include "ops/relu.h"
#include "ops/softmax.h"
#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using namespace pybind11::literals;

using Pair = std::array<int64_t, 2>;
using Four = std::array<int64_t, 4>;
using Object = py::object;

template <class Operation>
void without_gil(const Operation& operation) {
    py::gil_scoped_release release;
    operation();
}

Size2 size2(const Pair& p) { return {p[0], p[1]}; }
Padding2 padding2(const Four& p) { return {p[0], p[1], p[2], p[3]}; }

Activation activation_of(const char* op, const std::string& name) {
    if (name == "linear") return Activation::kLinear;
    if (name == "relu") return Activation::kRelu;
    fail(op, "activation must be 'linear' or 'relu', got '", name, "'");
}

// --- conv2d ---------------------------------------------------------------------------------

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

Four four(const Input& a) { return {a[0], a[1], a[2], a[3]}; }

Object conv2d_forward_(Object x, Object w, Object b, Pair strides, Four padding, Pair dilation,
                       int64_t groups, const std::string& activation, Object out) {
    const char* op = "conv2d_forward";
    const Input xi(op, "x", x, 4), wi(op, "w", w, 4);
    const Conv2dShape s = conv_shape(op, four(xi), four(wi), strides, padding, dilation, groups);
    const Activation act = activation_of(op, activation);
    std::optional<Input> bi;
    if (!b.is_none()) {
        bi.emplace(op, "b", b);
        bi->expect(op, "b", {s.oc});
    }
    Output y(op, "out", out, {s.n, s.oh, s.ow, s.oc});
    y.apart_from(op, xi).apart_from(op, wi);
    without_gil(
        [&] { conv2d_forward(s, xi.data(), wi.data(), bi ? bi->data() : nullptr, act, y.data()); });
    return y.object();
}

Object conv2d_backward_input_(Object dy, Object w, Four input_shape, Pair strides, Four padding,
                              Pair dilation, int64_t groups, Object out) {
    const char* op = "conv2d_backward_input";
    const Input dyi(op, "dy", dy, 4), wi(op, "w", w, 4);
    const Conv2dShape s = conv_shape(op, input_shape, four(wi), strides, padding, dilation, groups);
    dyi.expect(op, "dy", {s.n, s.oh, s.ow, s.oc});
    Output dx(op, "out", out, {s.n, s.h, s.w, s.c});
    dx.apart_from(op, dyi).apart_from(op, wi);
    without_gil([&] { conv2d_backward_input(s, dyi.data(), wi.data(), dx.data()); });
    return dx.object();
}

Object conv2d_backward_filter_(Object x, Object dy, Pair kernel_size, Pair strides, Four padding,
                               Pair dilation, int64_t groups, Object out) {
    const char* op = "conv2d_backward_filter";
    const Input xi(op, "x", x, 4), dyi(op, "dy", dy, 4);
    const WindowShape window = window_shape(op, xi[0], xi[1], xi[2], xi[3], size2(kernel_size),
                                            size2(strides), padding2(padding), size2(dilation));
    const Conv2dShape s = conv2d_shape(op, window, dyi[3], groups);
    dyi.expect(op, "dy", {s.n, s.oh, s.ow, s.oc});
    Output dw(op, "out", out, {s.kernel.h, s.kernel.w, s.group_c(), s.oc});
    dw.apart_from(op, xi).apart_from(op, dyi);
    without_gil([&] { conv2d_backward_filter(s, xi.data(), dyi.data(), dw.data()); });
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
    without_gil([&] { bias_backward(dyi.size() / c, c, dyi.data(), db.data()); });
    return db.object();
}

// --- pooling --------------------------------------------------------------------------------

WindowShape pool_shape(const char* op, const Four& x, const Pair& pool, const Pair& strides,
                       const Four& padding) {
    return pool2d_shape(op, x[0], x[1], x[2], x[3], size2(pool), size2(strides), padding2(padding));
}

template <class Forward>
Object pool_forward(const char* op, Object x, Pair pool, Pair strides, Four padding, Object out,
                    const Forward& forward) {
    const Input xi(op, "x", x, 4);
    const WindowShape s = pool_shape(op, four(xi), pool, strides, padding);
    Output y(op, "out", out, {s.n, s.oh, s.ow, s.c});
    y.apart_from(op, xi);
    without_gil([&] { forward(s, xi.data(), y.data()); });
    return y.object();
}

Object maxpool2d_forward_(Object x, Pair pool, Pair strides, Four padding, Object out) {
    return pool_forward("maxpool2d_forward", x, pool, strides, padding, out, maxpool2d_forward);
}

Object avgpool2d_forward_(Object x, Pair pool, Pair strides, Four padding, Object out) {
    return pool_forward("avgpool2d_forward", x, pool, strides, padding, out, avgpool2d_forward);
}

Object maxpool2d_backward_(Object x, Object dy, Pair pool, Pair strides, Four padding, Object out) {
    const char* op = "maxpool2d_backward";
    const Input xi(op, "x", x, 4), dyi(op, "dy", dy, 4);
    const WindowShape s = pool_shape(op, four(xi), pool, strides, padding);
    dyi.expect(op, "dy", {s.n, s.oh, s.ow, s.c});
    Output dx(op, "out", out, {s.n, s.h, s.w, s.c});
    dx.apart_from(op, xi).apart_from(op, dyi);
    without_gil([&] { maxpool2d_backward(s, xi.data(), dyi.data(), dx.data()); });
    return dx.object();
}

Object avgpool2d_backward_(Object dy, Four input_shape, Pair pool, Pair strides, Four padding,
                           Object out) {
    const char* op = "avgpool2d_backward";
    const Input dyi(op, "dy", dy, 4);
    const WindowShape s = pool_shape(op, input_shape, pool, strides, padding);
    dyi.expect(op, "dy", {s.n, s.oh, s.ow, s.c});
    Output dx(op, "out", out, {s.n, s.h, s.w, s.c});
    dx.apart_from(op, dyi);
    without_gil([&] { avgpool2d_backward(s, dyi.data(), dx.data()); });
    return dx.object();
}

void check_image(const char* op, const Four& x) {
    if (x[0] < 0 || x[1] < 1 || x[2] < 1 || x[3] < 1)
        fail(op, "x must be (N, H, W, C) with at least one pixel and one channel, got ",
             to_string(Shape(x.begin(), x.end())));
}

Object global_avgpool2d_forward_(Object x, Object out) {
    const char* op = "global_avgpool2d_forward";
    const Input xi(op, "x", x, 4);
    check_image(op, four(xi));
    Output y(op, "out", out, {xi[0], xi[3]});
    y.apart_from(op, xi);
    without_gil(
        [&] { global_avgpool2d_forward(xi[0], xi[1] * xi[2], xi[3], xi.data(), y.data()); });
    return y.object();
}

Object global_avgpool2d_backward_(Object dy, Four input_shape, Object out) {
    const char* op = "global_avgpool2d_backward";
    const Input dyi(op, "dy", dy, 2);
    const auto [n, h, w, c] = input_shape;
    check_image(op, input_shape);
    dyi.expect(op, "dy", {n, c});
    Output dx(op, "out", out, {n, h, w, c});
    dx.apart_from(op, dyi);
    without_gil([&] { global_avgpool2d_backward(n, h * w, c, dyi.data(), dx.data()); });
    return dx.object();
}

// --- dense ----------------------------------------------------------------------------------

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

// --- elementwise ----------------------------------------------------------------------------

Object relu_forward_(Object x, Object out) {
    const char* op = "relu_forward";
    const Input xi(op, "x", x);
    Output y(op, "out", out, xi.shape());
    without_gil([&] { relu_forward(xi.size(), xi.data(), y.data()); });
    return y.object();
}

Object relu_backward_(Object y, Object dy, Object out) {
    const char* op = "relu_backward";
    const Input yi(op, "y", y), dyi(op, "dy", dy);
    dyi.expect(op, "dy", yi.shape());
    Output dx(op, "out", out, yi.shape());
    without_gil([&] { relu_backward(yi.size(), yi.data(), dyi.data(), dx.data()); });
    return dx.object();
}

Object dropout_(Object x, double rate, uint64_t seed, uint64_t offset, Object out) {
    const char* op = "dropout";
    const Input xi(op, "x", x);
    if (!(rate >= 0 && rate <= 1)) fail(op, "rate must be from 0 to 1, got ", rate);
    Output y(op, "out", out, xi.shape());
    without_gil([&] { dropout(xi.size(), xi.data(), rate, seed, offset, y.data()); });
    return y.object();
}

// --- softmax --------------------------------------------------------------------------------

int64_t classes_of(const char* op, const char* name, const Input& x) {
    if (x.shape().empty() || x.shape().back() == 0)
        fail(op, name, " must have at least one class on its last axis, got ",
             to_string(x.shape()));
    return x.shape().back();
}

Object softmax_forward_(Object x, Object out) {
    const char* op = "softmax_forward";
    const Input xi(op, "x", x);
    const int64_t c = classes_of(op, "x", xi);
    Output y(op, "out", out, xi.shape());
    without_gil([&] { softmax_forward(xi.size() / c, c, xi.data(), y.data()); });
    return y.object();
}

Object softmax_backward_(Object y, Object dy, Object out) {
    const char* op = "softmax_backward";
    const Input yi(op, "y", y), dyi(op, "dy", dy);
    const int64_t c = classes_of(op, "y", yi);
    dyi.expect(op, "dy", yi.shape());
    Output dx(op, "out", out, yi.shape());
    without_gil([&] { softmax_backward(yi.size() / c, c, yi.data(), dyi.data(), dx.data()); });
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
    if (py::isinstance<py::array_t<float>>(labels)) {
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
    ce.loss = loss_out.data();
    ce.grad = grad_out.apart_from(op, li).data();
    without_gil([&] { softmax_cross_entropy(ce); });
    return py::make_tuple(loss_out.object(), grad_out.object());
}

// --- optimizers -----------------------------------------------------------------------------

// The parameters of an update, and the arrays that hold them while it runs.
class Parameters {
public:
    Parameters(const char* op, const py::sequence& params, const py::sequence& grads,
               std::initializer_list<std::pair<const char*, Object>> states) {
        const size_t count = py::len(params);
        check_length(op, "grads", py::len(grads), count);
        for (size_t i = 0; i < count; ++i) {
            const Input grad(op, "grads", grads[i]);
            const Output w = writable(op, "params", params[i], grad.shape());
            list.push_back({grad.size(), w.data(), grad.data(), {nullptr, nullptr, nullptr}});
            inputs_.push_back(grad);
        }
        int k = 0;
        for (const auto& [name, state] : states) {
            if (!state.is_none()) {
                const auto arrays = state.cast<py::sequence>();
                check_length(op, name, py::len(arrays), count);
                for (size_t i = 0; i < count; ++i)
                    list[i].state[k] = writable(op, name, arrays[i], inputs_[i].shape()).data();
            }
            ++k;
        }
    }

    std::vector<Parameter> list;

private:
    static void check_length(const char* op, const char* name, size_t got, size_t wanted) {
        if (got != wanted)
            fail(op, name, " must hold ", wanted, " arrays, as params does, got ", got);
    }

    Output writable(const char* op, const char* name, const py::object& array, const Shape& shape) {
        if (array.is_none()) fail(op, name, " must hold arrays, got None");
        Output output(op, name, array, shape);
        outputs_.push_back(output);
        return output;
    }

    std::vector<Input> inputs_;
    std::vector<Output> outputs_;
};

void check_momentum(const char* op, float momentum, const char* name, const Object& states) {
    if (momentum != 0 && states.is_none()) fail(op, name, " must be given where momentum is not 0");
}

void sgd_update_(py::sequence params, py::sequence grads, Object velocities, float learning_rate,
                 float momentum, bool nesterov, float weight_decay) {
    const char* op = "sgd_update";
    check_momentum(op, momentum, "velocities", velocities);
    const Parameters p(op, params, grads, {{"velocities", velocities}});
    without_gil([&] { sgd_update(p.list, {learning_rate, momentum, weight_decay, nesterov}); });
}

void rmsprop_update_(py::sequence params, py::sequence grads, py::sequence velocities,
                     Object mean_grads, Object momentums, float learning_rate, float rho,
                     float momentum, float epsilon, float weight_decay) {
    const char* op = "rmsprop_update";
    check_momentum(op, momentum, "momentums", momentums);
    const Parameters p(
        op, params, grads,
        {{"velocities", velocities}, {"mean_grads", mean_grads}, {"momentums", momentums}});
    without_gil(
        [&] { rmsprop_update(p.list, {learning_rate, rho, momentum, epsilon, weight_decay}); });
}

void adam_update_(py::sequence params, py::sequence grads, py::sequence momentums,
                  py::sequence velocities, Object velocity_maxima, float learning_rate,
                  int64_t step, double beta_1, double beta_2, float epsilon, float weight_decay) {
    const char* op = "adam_update";
    if (step < 1) fail(op, "step must be at least 1, got ", step);
    const Parameters p(op, params, grads,
                       {{"momentums", momentums},
                        {"velocities", velocities},
                        {"velocity_maxima", velocity_maxima}});
    const double t = static_cast<double>(step);
    const double alpha =
        learning_rate * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t));
    without_gil([&] {
        adam_update(p.list, {learning_rate, static_cast<float>(alpha), static_cast<float>(beta_1),
                             static_cast<float>(beta_2), epsilon, weight_decay});
    });
}

// --- data -----------------------------------------------------------------------------------

Object gather_rows_(Object x, Object indices, Object out) {
    const char* op = "gather_rows";
    RowType type;
    if (py::isinstance<py::array_t<float>>(x)) {
        type = RowType::kFloat32;
    } else if (py::isinstance<py::array_t<uint8_t>>(x)) {
        type = RowType::kUint8;
    } else if (py::isinstance<py::array_t<double>>(x)) {
        type = RowType::kFloat64;
    } else {
        throw py::type_error(std::string(op) +
                             ": x must be a uint8, float32 or float64 array, got a " +
                             described(x));
    }
    const auto array = py::reinterpret_borrow<py::array>(x);
    if (array.ndim() < 1 || !(array.flags() & py::array::c_style))
        fail(op, "x must be a C-contiguous array with at least one dimension");
    const int64_t rows = array.shape(0);
    const Integers index(op, "indices", indices, -1, rows);
    Shape shape(array.shape(), array.shape() + array.ndim());
    const int64_t row = rows == 0 ? 0 : array.size() / rows;
    shape[0] = index.size();
    Output y(op, "out", out, shape);
    without_gil(
        [&] { gather_rows(index.size(), row, array.data(), type, index.data(), y.data()); });
    return y.object();
}

// --- threads and instruction sets -------------------------------------------------------------

void set_num_threads_(int64_t n) {
    if (n < 1 || n > kMaxThreads)
        fail("set_num_threads", "n must be from 1 to ", kMaxThreads, ", got ", n);
    without_gil([&] { set_num_threads(static_cast<int>(n)); });
}

std::vector<std::string> available_isas_() {
    std::vector<std::string> names;
    for (const char* const* name = simd::available_isas(); *name; ++name) names.push_back(*name);
    return names;
}

void set_isa_(const char* op, const std::string& name) {
    if (simd::set_isa(name.c_str())) return;
    std::string known;
    for (const std::string& isa : available_isas_()) known += (known.empty() ? "" : ", ") + isa;
    fail(op, "must be one of ", known, " on this CPU, got '", name, "'");
}

constexpr std::pair<const char*, ConvAlgorithm> kAlgorithms[] = {
    {"auto", ConvAlgorithm::kAuto},
    {"direct", ConvAlgorithm::kDirect},
    {"winograd", ConvAlgorithm::kWinograd},
};

void set_conv_algorithm_(const std::string& name) {
    for (const auto& [known, algorithm] : kAlgorithms)
        if (name == known) return set_conv_algorithm(algorithm);
    fail("set_conv_algorithm", "algorithm must be 'auto', 'direct' or 'winograd', got '", name,
         "'");
}

std::string get_conv_algorithm_() {
    for (const auto& [name, algorithm] : kAlgorithms)
        if (algorithm == conv_algorithm()) return name;
    return "auto";
}

void read_environment() {
    if (const char* text = std::getenv("PYCONV_NUM_THREADS"); text && *text) {
        char* end;
        const long n = std::strtol(text, &end, 10);
        if (*end || n < 1 || n > kMaxThreads)
            fail("PYCONV_NUM_THREADS", "must be an integer from 1 to ", kMaxThreads, ", got '",
                 text, "'");
        set_num_threads(static_cast<int>(n));
    }
    if (const char* name = std::getenv("PYCONV_ISA"); name && *name) set_isa_("PYCONV_ISA", name);
}

}  // namespace

PYBIND11_MODULE(PYCONV_MODULE, m) {
    const py::object none = py::none();
    read_environment();
    m.def("set_num_threads", &set_num_threads_, "n"_a);
    m.def("get_num_threads", &num_threads);
    m.def("isa", [] { return std::string(simd::kernels().isa); });
    m.def("available_isas", &available_isas_);
    m.def("set_isa", [](const std::string& name) { set_isa_("set_isa", name); }, "name"_a);

    m.def("set_conv_algorithm", &set_conv_algorithm_, "algorithm"_a);
    m.def("get_conv_algorithm", &get_conv_algorithm_);

    m.def("conv2d_forward", &conv2d_forward_, "x"_a, "w"_a, "b"_a, "strides"_a, "padding"_a,
          "dilation"_a, "groups"_a, "activation"_a = "linear", "out"_a = none);
    m.def("conv2d_backward_input", &conv2d_backward_input_, "dy"_a, "w"_a, "input_shape"_a,
          "strides"_a, "padding"_a, "dilation"_a, "groups"_a, "out"_a = none);
    m.def("conv2d_backward_filter", &conv2d_backward_filter_, "x"_a, "dy"_a, "kernel_size"_a,
          "strides"_a, "padding"_a, "dilation"_a, "groups"_a, "out"_a = none);
    m.def("bias_backward", &bias_backward_, "dy"_a, "out"_a = none);

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

    m.def("dense_forward", &dense_forward_, "x"_a, "w"_a, "b"_a, "activation"_a = "linear",
          "out"_a = none);
    m.def("dense_backward_input", &dense_backward_input_, "dy"_a, "w"_a, "out"_a = none);
    m.def("dense_backward_weights", &dense_backward_weights_, "x"_a, "dy"_a, "out"_a = none);

    m.def("relu_forward", &relu_forward_, "x"_a, "out"_a = none);
    m.def("relu_backward", &relu_backward_, "y"_a, "dy"_a, "out"_a = none);
    m.def("dropout", &dropout_, "x"_a, "rate"_a, "seed"_a, "offset"_a = 0, "out"_a = none);

    m.def("softmax_forward", &softmax_forward_, "x"_a, "out"_a = none);
    m.def("softmax_backward", &softmax_backward_, "y"_a, "dy"_a, "out"_a = none);
    m.def("softmax_cross_entropy", &softmax_cross_entropy_, "logits"_a, "labels"_a,
          "row_scale"_a = none, "loss"_a = none, "grad"_a = none);

    m.def("sgd_update", &sgd_update_, "params"_a, "grads"_a, "velocities"_a, "learning_rate"_a,
          "momentum"_a = 0.f, "nesterov"_a = false, "weight_decay"_a = 0.f);
    m.def("rmsprop_update", &rmsprop_update_, "params"_a, "grads"_a, "velocities"_a, "mean_grads"_a,
          "momentums"_a, "learning_rate"_a, "rho"_a = 0.9f, "momentum"_a = 0.f, "epsilon"_a = 1e-7f,
          "weight_decay"_a = 0.f);
    m.def("adam_update", &adam_update_, "params"_a, "grads"_a, "momentums"_a, "velocities"_a,
          "velocity_maxima"_a, "learning_rate"_a, "step"_a, "beta_1"_a = 0.9, "beta_2"_a = 0.999,
          "epsilon"_a = 1e-7f, "weight_decay"_a = 0.f);

    m.def("gather_rows", &gather_rows_, "x"_a, "indices"_a, "out"_a = none);
}

}  // namespace pyconv
