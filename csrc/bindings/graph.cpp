// Bindings of recorded training steps, and of the operations that only they need.

#include "graph.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "ops/batchnorm.h"
#include "ops/dropout.h"

namespace pyconv {
namespace {

// Whether each (dict, key, value) still holds: the very same object.
bool unchanged_(const py::list& entries) {
    for (const py::handle entry : entries) {
        if (!PyTuple_Check(entry.ptr()) || PyTuple_Size(entry.ptr()) != 3 ||
            !PyDict_Check(PyTuple_GET_ITEM(entry.ptr(), 0)))
            fail("unchanged", "entries must be tuples (dict, key, value), got ", described(entry));
        PyObject* found = PyDict_GetItemWithError(PyTuple_GET_ITEM(entry.ptr(), 0),
                                                  PyTuple_GET_ITEM(entry.ptr(), 1));
        if (!found && PyErr_Occurred()) throw py::error_already_set();
        if (found != PyTuple_GET_ITEM(entry.ptr(), 2)) return false;
    }
    return true;
}

// Each place moves on, as a step has used what lies before.
void advance_(py::array_t<int64_t> places, std::vector<int64_t> counts) {
    const char* op = "advance";
    if (!(places.flags() & py::array::c_style) || places.size() != std::ssize(counts))
        fail(op, "places must hold a number for each of ", counts.size(), " counts");
    const Moved moved{2 * places.size() * static_cast<int64_t>(sizeof(int64_t))};
    recordable(op, std::tie(moved), [places, counts, at = places.mutable_data()] {
        for (size_t i = 0; i < counts.size(); ++i)
            at[i] = static_cast<int64_t>(static_cast<uint64_t>(at[i]) +
                                         static_cast<uint64_t>(counts[i]));
    });
}

// into = values
void assign_(py::array_t<double> into, std::vector<double> values) {
    const char* op = "assign";
    if (!(into.flags() & py::array::c_style) || into.size() != std::ssize(values))
        fail(op, "into must hold ", values.size(), " numbers, got ", into.size());
    const Moved moved{2 * into.size() * static_cast<int64_t>(sizeof(double))};
    recordable(op, std::tie(moved), [into, values, at = into.mutable_data()] {
        std::copy(values.begin(), values.end(), at);
    });
}

Object copied_(Object x, Object out) {
    const char* op = "copied";
    const Input from(op, "x", x);
    Output to(op, "out", out, from.shape());
    to.apart_from(op, from);
    recordable(op, std::tie(from, to),
               [n = from.size(), from = from.data(), to = to.data()] { std::copy_n(from, n, to); });
    return to.object();
}

Object dropout_at_(Object x, double rate, uint64_t seed, py::array_t<int64_t> place, Object out) {
    const char* op = "dropout_at";
    const Input xi(op, "x", x);
    if (!(rate >= 0 && rate <= 1)) fail(op, "rate must be from 0 to 1, got ", rate);
    if (place.size() != 1) fail(op, "place must hold one number, got ", place.size());
    Output y(op, "out", out, xi.shape());
    y.over_or_apart_from(op, xi);
    recordable("dropout", std::tie(xi, y),
               [rate, seed, n = xi.size(), x = xi.data(), y = y.data(), at = place.data()] {
                   dropout(n, x, rate, seed, static_cast<uint64_t>(*at), y);
               });
    return y.object();
}

void moving_average_(Object average, Object values, double momentum) {
    const char* op = "moving_average";
    const Input v(op, "values", values);
    Output a(op, "average", average, v.shape());
    a.apart_from(op, v);
    recordable("moving_average", std::tie(v, a),
               [momentum, n = v.size(), a = a.data(), v = v.data()] {
                   moving_average(n, a, v, momentum);
               });
}

}  // namespace

void bind_graph(py::module_& m) {
    py::class_<Graph>(m, "Graph", py::module_local())
        .def(py::init<>())
        .def("begin", &Graph::begin, "known"_a = py::none())
        .def("end", &Graph::end)
        .def("abandon", &Graph::abandon)
        .def("mark", &Graph::mark)
        .def("cut", &Graph::cut)
        .def("launch", &Graph::launch);
    m.def("advance", &advance_, "places"_a.noconvert(), "counts"_a);
    m.def("assign", &assign_, "into"_a.noconvert(), "values"_a);
    m.def("copied", &copied_, "x"_a, "out"_a = py::none());
    m.def("unchanged", &unchanged_, "entries"_a);
    m.def("dropout_at", &dropout_at_, "x"_a, "rate"_a, "seed"_a, "place"_a.noconvert(),
          "out"_a = py::none());
    m.def("moving_average", &moving_average_, "average"_a, "values"_a, "momentum"_a);
}

}  // namespace pyconv
