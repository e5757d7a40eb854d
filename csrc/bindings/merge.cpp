// Bindings of what brings branches together.

#include "ops/merge.h"

#include <vector>

#include "bindings/bindings.h"
#include "check.h"

namespace pyconv {
namespace {

Object add_forward_(Object a, Object b, const std::string& activation, Object out) {
    const char* op = "add";
    const Input ai(op, "a", a), bi(op, "b", b);
    bi.expect(op, "b", ai.shape());
    const Activation act = activation_of(op, activation);
    Output y(op, "out", out, ai.shape());
    y.over_or_apart_from(op, ai).over_or_apart_from(op, bi);
    recordable("add_forward", std::tie(ai, bi, y),
               [act, n = ai.size(), a = ai.data(), b = bi.data(), y = y.data()] {
                   add_forward(n, a, b, act, y);
               });
    return y.object();
}

// The shape with another number of channels.
Shape with_channels(Shape shape, int64_t c) {
    shape.back() = c;
    return shape;
}

int64_t rows_of(const Shape& shape) {
    int64_t rows = 1;
    for (size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
    return rows;
}

Object concat_forward_(const std::vector<Object>& xs, Object out) {
    const char* op = "concat";
    if (xs.empty()) fail(op, "xs must hold at least one array, got none");
    std::vector<Input> inputs;
    std::vector<Columns<const float>> columns;
    int64_t c = 0;
    for (const Object& x : xs) {
        const Input& input = inputs.emplace_back(op, "xs", x);
        if (input.shape().empty())
            fail(op, "xs must hold arrays with at least one axis, got ", to_string(input.shape()));
        input.expect(op, "xs", with_channels(inputs[0].shape(), input.shape().back()));
        columns.push_back({input.data(), input.shape().back()});
        c += columns.back().c;
    }
    Output y(op, "out", out, with_channels(inputs[0].shape(), c));
    for (const Input& input : inputs) y.apart_from(op, input);
    recordable("concat_forward", std::tie(y, inputs),
               [columns, rows = rows_of(inputs[0].shape()), y = y.data()] {
                   concat_forward(rows, columns, y);
               });
    return y.object();
}

void concat_backward_(Object dy, const std::vector<Object>& dxs) {
    const char* op = "concat_backward";
    const Input dyi(op, "dy", dy);
    std::vector<Output> outputs;
    std::vector<Columns<float>> columns;
    int64_t c = 0;
    for (const Object& dx : dxs) {
        const Shape shape = Input(op, "dxs", dx).shape();
        if (shape.empty() || dyi.shape().empty())
            fail(op, "dxs must hold arrays with at least one axis, got ", to_string(shape));
        Output& output =
            outputs.emplace_back(op, "dxs", dx, with_channels(dyi.shape(), shape.back()));
        output.apart_from(op, dyi);
        for (size_t i = 0; i + 1 < outputs.size(); ++i) output.apart_from(op, outputs[i]);
        columns.push_back({output.data(), shape.back()});
        c += shape.back();
    }
    dyi.expect(op, "dy", with_channels(dyi.shape(), c));
    recordable("concat_backward", std::tie(dyi, outputs),
               [columns, rows = rows_of(dyi.shape()), dy = dyi.data()] {
                   concat_backward(rows, dy, columns);
               });
}

}  // namespace

void bind_merge(py::module_& m) {
    const py::object none = py::none();
    m.def("add_forward", &add_forward_, "a"_a, "b"_a, "activation"_a = "linear", "out"_a = none);
    m.def("concat_forward", &concat_forward_, "xs"_a, "out"_a = none);
    m.def("concat_backward", &concat_backward_, "dy"_a, "dxs"_a);
}

}  // namespace pyconv
