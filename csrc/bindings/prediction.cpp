// Binding of the prediction of a whole stack. Its stages are checked as the operations are.

#include "ops/prediction.h"

#include <optional>
#include <string>

#include "bindings/bindings.h"
#include "check.h"

namespace pyconv {
namespace {

// A prediction with the arrays that it reads.
class Stack {
public:
    // Shapes are those of one sample: (1, H, W, C).
    void conv2d(Four x, Object w, Object b, Pair strides, Four padding, Pair dilation,
                int64_t groups, const std::string& activation) {
        const Conv2dShape s = conv_shape(x, w, strides, padding, dilation, groups);
        const Activation act = activation_of(kName, activation);
        prediction_.conv2d(s, weights(w, 4), bias(b, s.oc), act);
    }

    void conv2d_maxpool2d(Four x, Object w, Object b, Pair strides, Four padding, Pair dilation,
                          int64_t groups, const std::string& activation, Pair pool_size,
                          Pair pool_strides, Four pool_padding) {
        const Conv2dShape s = conv_shape(x, w, strides, padding, dilation, groups);
        const WindowShape pool = pool2d_shape(kName, s.n, s.oh, s.ow, s.oc, size2(pool_size),
                                              size2(pool_strides), padding2(pool_padding));
        const Activation act = activation_of(kName, activation);
        prediction_.conv2d_maxpool2d(s, pool, weights(w, 4), bias(b, s.oc), act);
    }

    void maxpool2d(Four x, Pair pool, Pair strides, Four padding) {
        const WindowShape s = pool2d_shape(kName, x[0], x[1], x[2], x[3], size2(pool),
                                           size2(strides), padding2(padding));
        follow(s.h * s.w * s.c);
        prediction_.maxpool2d(s);
    }

    void dense(Object w, Object b, const std::string& activation) {
        const Input wi(kName, "w", w, 2);
        follow(wi[0]);
        const Activation act = activation_of(kName, activation);
        const int64_t in = wi[0], units = wi[1];
        prediction_.dense(in, units, weights(w, 2), bias(b, units), act);
    }

    void softmax(int64_t classes) {
        if (prediction_.empty()) fail(kName, "softmax must follow another stage");
        if (classes < 1 || prediction_.out() % classes != 0)
            fail(kName, "classes must divide the ", prediction_.out(), " values before, got ",
                 classes);
        prediction_.softmax(classes);
    }

    Object run(Object x, Object out) {
        const Input xi(kName, "x", x);
        if (prediction_.empty()) fail(kName, "it has no stages");
        const int64_t n = xi.shape().empty() ? 0 : xi[0];
        if (xi.size() != n * prediction_.in())
            fail(kName, "x must have ", prediction_.in(), " values a sample, got ",
                 to_string(xi.shape()));
        Output y(kName, "out", out, {n, prediction_.out()});
        y.apart_from(kName, xi);
        for (const Input& input : inputs_) y.apart_from(kName, input);
        without_gil("predict", std::tie(xi, y), [&] { prediction_.run(n, xi.data(), y.data()); });
        return y.object();
    }

private:
    static constexpr const char* kName = "Prediction";

    Conv2dShape conv_shape(const Four& x, const Object& w, const Pair& strides, const Four& padding,
                           const Pair& dilation, int64_t groups) {
        const Input wi(kName, "w", w, 4);
        const WindowShape window = window_shape(kName, x[0], x[1], x[2], x[3], {wi[0], wi[1]},
                                                size2(strides), padding2(padding), size2(dilation));
        const Conv2dShape s = conv2d_shape(kName, window, wi[3], groups);
        if (wi[2] != s.group_c())
            fail(kName, "w must have ", s.group_c(), " channels, got ", to_string(wi.shape()));
        follow(s.h * s.w * s.c);
        return s;
    }

    void follow(int64_t in) {
        if (!prediction_.empty() && in != prediction_.out())
            fail(kName, "a stage of ", in, " values cannot follow one of ", prediction_.out());
    }

    const float* weights(const Object& array, int ndim) {
        return inputs_.emplace_back(kName, "w", array, ndim).data();
    }

    const float* bias(const Object& array, int64_t size) {
        if (array.is_none()) return nullptr;
        Input& b = inputs_.emplace_back(kName, "b", array);
        b.expect(kName, "b", {size});
        return b.data();
    }

    Prediction prediction_;
    std::vector<Input> inputs_;
};

}  // namespace

void bind_prediction(py::module_& m) {
    const py::object none = py::none();
    py::class_<Stack>(m, "Prediction")
        .def(py::init<>())
        .def("conv2d", &Stack::conv2d, "x_shape"_a, "w"_a, "b"_a, "strides"_a, "padding"_a,
             "dilation"_a, "groups"_a, "activation"_a)
        .def("conv2d_maxpool2d", &Stack::conv2d_maxpool2d, "x_shape"_a, "w"_a, "b"_a, "strides"_a,
             "padding"_a, "dilation"_a, "groups"_a, "activation"_a, "pool_size"_a, "pool_strides"_a,
             "pool_padding"_a)
        .def("maxpool2d", &Stack::maxpool2d, "x_shape"_a, "pool_size"_a, "strides"_a, "padding"_a)
        .def("dense", &Stack::dense, "w"_a, "b"_a, "activation"_a)
        .def("softmax", &Stack::softmax, "classes"_a)
        .def("run", &Stack::run, "x"_a, "out"_a = none);
}

}  // namespace pyconv
