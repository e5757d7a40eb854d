#include "graph.h"

#include <algorithm>
#include <stdexcept>

#include "array.h"
#include "trace.h"

namespace pyconv {

thread_local Graph* Graph::recording_ = nullptr;

void Graph::begin(const py::iterable& known) {
    if (recording_) throw std::runtime_error("Graph: another one is being recorded");
    if (!steps_.empty()) throw std::runtime_error("Graph: it has been recorded already");
    for (const py::handle item : known) {
        const auto array = py::array::ensure(item);
        keep(array.data(), array.nbytes(), array);
    }
    recording_ = this;
}

void Graph::end() {
    abandon();
    if (!refused_.empty()) throw std::runtime_error("Graph: " + refused_);
    known_.clear();
    ready_ = true;
}

void Graph::abandon() noexcept {
    if (recording_ == this) recording_ = nullptr;
}

void Graph::launch() const {
    if (!ready_) throw std::runtime_error("Graph: it has not been recorded");
    py::gil_scoped_release release;
    std::vector<int64_t> begun(spans_);
    for (const Step& step : steps_) {
        if (step.run) {
            trace::Operation event(step.operation);
            if (event)
                for (const auto& [shape, bytes] : step.arrays)
                    event.array(shape.data(), shape.size(), bytes);
            step.run();
        } else if (step.span.empty()) {
            begun[step.number] = trace::begin_span();
        } else {
            trace::span(step.span, begun[step.number]);
        }
    }
}

void Graph::reads(const char* name, const Input& array) {
    const auto bytes = array.size() * static_cast<int64_t>(sizeof(float));
    note(array.shape(), bytes);
    reads(name, array.data(), bytes, array.object());
}

void Graph::reads(const char* name, const Integers& array) {
    const auto bytes = array.size() * static_cast<int64_t>(sizeof(int64_t));
    note({array.size()}, bytes);
    reads(name, array.data(), bytes, array.object());
}

void Graph::reads(const char* name, const void* data, int64_t bytes, const py::object& holder) {
    const auto* from = static_cast<const char*>(data);
    const auto holds = [&](const auto& memory) {
        return memory.first <= from && from + bytes <= memory.second;
    };
    if (bytes > 0 && std::none_of(known_.begin(), known_.end(), holds))
        refuse(std::string(name) + " reads an array that no operation wrote");
    kept_.push_back(holder);
}

void Graph::writes(const Output& array) {
    const auto bytes = array.size() * static_cast<int64_t>(sizeof(float));
    note(array.shape(), bytes);
    keep(array.data(), bytes, array.object());
}

void Graph::note(const Shape& shape, int64_t bytes) {
    steps_.back().arrays.emplace_back(shape, bytes);
}

void Graph::keep(const void* data, int64_t bytes, const py::object& holder) {
    const auto* from = static_cast<const char*>(data);
    known_.emplace_back(from, from + bytes);
    kept_.push_back(holder);
}

}  // namespace pyconv
