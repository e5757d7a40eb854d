// Bindings of the recorder of traces.

#include "trace.h"

#include <string>

#include "bindings/bindings.h"
#include "check.h"

namespace pyconv {
namespace {

const char* name_of(trace::Kind kind) {
    switch (kind) {
        case trace::Kind::kOperation:
            return "operation";
        case trace::Kind::kRange:
            return "range";
        case trace::Kind::kWait:
            return "wait";
        default:
            return "span";
    }
}

py::tuple shapes_of(const trace::Event& event) {
    py::tuple shapes(event.arrays);
    const int64_t* dims = event.dims;
    for (int i = 0; i < event.arrays; ++i) {
        py::tuple shape(event.ranks[i]);
        for (int axis = 0; axis < event.ranks[i]; ++axis) shape[axis] = *dims++;
        shapes[i] = shape;
    }
    return shapes;
}

py::list events_(int64_t thread) {
    if (thread < 0) fail("trace_events", "thread must be at least 0, got ", thread);
    py::list list;
    for (const trace::Event& event : trace::events(static_cast<size_t>(thread))) {
        const py::object detail = event.kind == trace::Kind::kRange
                                      ? py::make_tuple(event.dims[0], event.dims[1])
                                      : shapes_of(event);
        list.append(py::make_tuple(name_of(event.kind), event.name, event.begin, event.end,
                                   event.bytes, detail));
    }
    return list;
}

py::list threads_() {
    py::list list;
    for (const trace::Thread& thread : trace::threads())
        list.append(py::make_tuple(thread.id, thread.name, thread.lost));
    return list;
}

}  // namespace

void bind_trace(py::module_& m) {
    m.def(
        "trace_start",
        [](bool operations) {
            return trace::start(operations ? trace::Level::kAll : trace::Level::kSpans);
        },
        "operations"_a = true);
    m.def("trace_stop", &trace::stop);
    m.def("trace_begin", &begin_span);
    m.def("trace_span", &end_span, "name"_a, "begin"_a);
    m.def("trace_threads", &threads_);
    m.def("trace_events", &events_, "thread"_a);
}

}  // namespace pyconv
