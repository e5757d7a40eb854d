#include "graph.h"

#include <algorithm>
#include <stdexcept>

#include "array.h"
#include "denormals.h"
#include "trace.h"

namespace pyconv {

thread_local Graph* Graph::recording_ = nullptr;

void Graph::begin(const std::optional<py::iterable>& known) {
    if (recording_) throw std::runtime_error("Graph: another one is being recorded");
    if (!steps_.empty()) throw std::runtime_error("Graph: it has been recorded already");
    knows_ = known.has_value();
    if (known) {
        for (const py::handle item : *known) {
            const auto array = py::array::ensure(item);
            keep(array.data(), array.nbytes(), array);
        }
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

void Graph::cut() {
    steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(marked_), steps_.end());
    end();
}

void Graph::launch(const py::object& self) {
    const auto& graph = self.cast<const Graph&>();
    if (!graph.ready_) throw std::runtime_error("Graph: it has not been recorded");
    if (recording_) {
        recording_->steps_.push_back({nullptr, [&graph] { graph.run(); }, {}, 0, {}, 0});
        recording_->kept_.push_back(self);
        return;
    }
    py::gil_scoped_release release;
    const FlushDenormals flush;
    graph.run();
}

void Graph::run() const {
    std::vector<int64_t> begun(spans_);
    for (const Step& step : steps_) {
        if (step.operation) {
            trace::Operation event(step.operation);
            if (event) {
                for (const auto& [shape, bytes] : step.arrays)
                    event.array(shape.data(), shape.size(), bytes);
                event.bytes(step.bytes);
            }
            step.run();
        } else if (step.run) {
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
    if (knows_ && bytes > 0 && std::none_of(known_.begin(), known_.end(), holds))
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
