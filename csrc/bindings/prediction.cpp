// Binding of the prediction of a whole stack. Its stages are checked as the operations are.

#include "ops/prediction.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "check.h"

namespace pyconv {
namespace {

// What Python's objects held when a prediction was made.
class MadeOf {
public:
    // `values` are (dict, name, value).
    MadeOf() = default;
    MadeOf(py::list layers, const py::list& values) : layers_(layers), items_(layers) {
        for (py::handle value : values) values_.push_back(value.cast<Value>());
    }

    bool unchanged(py::handle layers) const {
        if (!layers_ || !layers.is(layers_) || layers_.size() != items_.size()) return false;
        for (size_t i = 0; i < items_.size(); ++i)
            if (PyList_GET_ITEM(layers_.ptr(), i) != PyTuple_GET_ITEM(items_.ptr(), i))
                return false;
        for (const auto& [holder, name, value] : values_)
            if (PyDict_GetItemWithError(holder.ptr(), name.ptr()) != value.ptr()) return false;
        return true;
    }

    int visit(visitproc visit, void* arg) const {
        Py_VISIT(layers_.ptr());
        Py_VISIT(items_.ptr());
        for (const auto& [holder, name, value] : values_) {
            Py_VISIT(holder.ptr());
            Py_VISIT(value.ptr());
        }
        return 0;
    }

private:
    using Value = std::tuple<py::dict, py::str, Object>;
    py::list layers_{py::reinterpret_steal<py::list>(nullptr)};
    py::tuple items_{py::reinterpret_steal<py::tuple>(nullptr)};
    std::vector<Value> values_;
};

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

    // What again() compares: the shape of a sample, the layers, and values (dict, name, value).
    void keep(std::vector<int64_t> shape, py::list layers, const py::list& values) {
        sample_ = std::move(shape);
        made_of_ = MadeOf(std::move(layers), values);
    }

    bool unchanged(const py::list& layers) const { return made_of_.unchanged(layers); }

    // What run() gives, or None where x is not an array of 1 to `most` such samples, or the layers
    // are not what they were. Little is read for it, as a prediction leaves nothing in the caches.
    Object again(const py::list& layers, Object x, const Object& most) {
        const bool ready = is_samples(x, most) && made_of_.unchanged(layers);
        return ready ? run(std::move(x), py::none()) : py::none();
    }

    int visit(visitproc visit, void* arg) const { return made_of_.visit(visit, arg); }
    void clear() { made_of_ = {}; }

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

    bool is_samples(const Object& x, const Object& most) const {
        if (Py_TYPE(x.ptr()) != py::detail::npy_api::get().PyArray_Type_ || !is_float32(x) ||
            !PyLong_CheckExact(most.ptr()))
            return false;
        int overflow = 0;
        const int64_t limit = PyLong_AsLongLongAndOverflow(most.ptr(), &overflow);
        const auto array = py::reinterpret_borrow<py::array>(x);
        return array.ndim() == static_cast<py::ssize_t>(sample_.size()) + 1 && array.shape(0) > 0 &&
               array.shape(0) <= limit &&
               std::equal(sample_.begin(), sample_.end(), array.shape() + 1);
    }

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
    std::vector<int64_t> sample_;
    MadeOf made_of_;
};

// Null before it is constructed.
Stack* made(PyObject* self) {
    const auto held = reinterpret_cast<py::detail::instance*>(self)->get_value_and_holder();
    return held.holder_constructed() ? held.value_ptr<Stack>() : nullptr;
}

// Layers may lead back to the model that keeps the prediction.
void collect(PyHeapTypeObject* heap_type) {
    PyTypeObject& type = heap_type->ht_type;
    type.tp_flags |= Py_TPFLAGS_HAVE_GC;
    type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
        Py_VISIT(Py_TYPE(self));
        Stack* stack = made(self);
        return stack ? stack->visit(visit, arg) : 0;
    };
    type.tp_clear = [](PyObject* self) {
        if (Stack* stack = made(self)) stack->clear();
        return 0;
    };
}

}  // namespace

void bind_prediction(py::module_& m) {
    const py::object none = py::none();
    py::class_<Stack>(m, "Prediction", py::custom_type_setup(collect))
        .def(py::init<>())
        .def("conv2d", &Stack::conv2d, "x_shape"_a, "w"_a, "b"_a, "strides"_a, "padding"_a,
             "dilation"_a, "groups"_a, "activation"_a)
        .def("conv2d_maxpool2d", &Stack::conv2d_maxpool2d, "x_shape"_a, "w"_a, "b"_a, "strides"_a,
             "padding"_a, "dilation"_a, "groups"_a, "activation"_a, "pool_size"_a, "pool_strides"_a,
             "pool_padding"_a)
        .def("maxpool2d", &Stack::maxpool2d, "x_shape"_a, "pool_size"_a, "strides"_a, "padding"_a)
        .def("dense", &Stack::dense, "w"_a, "b"_a, "activation"_a)
        .def("softmax", &Stack::softmax, "classes"_a)
        .def("keep", &Stack::keep, "shape"_a, "layers"_a, "values"_a)
        .def("unchanged", &Stack::unchanged, "layers"_a)
        .def("again", &Stack::again, "layers"_a, "x"_a, "most"_a)
        .def("run", &Stack::run, "x"_a, "out"_a = none);
}

}  // namespace pyconv
