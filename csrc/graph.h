// Training steps that are recorded and launched as a whole: no Python between their operations.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "trace.h"

namespace pyconv {

namespace py = pybind11;

using Shape = std::vector<int64_t>;
class Input;
class Output;
class Integers;

// Operations on the memory that they were recorded with. What numpy computes between them is not
// seen: they may read only what the recording began with, and what was written before them.
class Graph {
public:
    Graph() = default;
    ~Graph() { abandon(); }
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    // Records the operations of this thread, none of which runs, until end(), cut() or abandon().
    // Without `known`, nothing but they writes to what they read before they are launched.
    // RuntimeError where another graph is being recorded.
    void begin(const std::optional<py::iterable>& known);
    // RuntimeError where the operations cannot be recorded.
    void end();
    void abandon() noexcept;
    // Ends a part of what is recorded.
    void mark() { marked_ = steps_.size(); }
    // As end(), but leaves out what came after the last mark.
    void cut();
    // Runs them, without the GIL; while another graph is recorded, they become a part of that
    // instead.
    static void launch(const py::object& self);

    // That of this thread, or none.
    static Graph* recording() { return recording_; }

    template <class... Arrays, class Operation>
    void add(const char* name, const std::tuple<Arrays&...>& arrays, const Operation& operation) {
        steps_.push_back({name, operation, {}, 0, {}, 0});
        std::apply([&](const auto&... a) { (reads(name, a), ...); }, arrays);
        std::apply([&](const auto&... a) { (writes(a), ...); }, arrays);
    }
    // A span of Python's side, in which each launch shows what it holds: from here, and until here.
    int64_t begin_span() {
        steps_.push_back({nullptr, nullptr, {}, 0, {}, spans_});
        return ++spans_;
    }
    void end_span(const std::string& name, int64_t begin) {
        steps_.push_back({nullptr, nullptr, {}, 0, name, begin - 1});
    }
    void refuse(const std::string& why) {
        if (refused_.empty()) refused_ = why;
    }

private:
    void reads(const char* name, const Input& array);
    void reads(const char* name, const Integers& array);
    void reads(const char*, const Moved& moved) { steps_.back().bytes += moved.bytes; }
    template <class Other>
    void reads(const char*, const Other&) {}
    void writes(const Output& array);
    template <class Other>
    void writes(const Other&) {}

    template <class Array>
    void reads(const char* name, const std::optional<Array>& array) {
        if (array) reads(name, *array);
    }
    template <class Array>
    void writes(const std::optional<Array>& array) {
        if (array) writes(*array);
    }
    template <class Array>
    void reads(const char* name, const std::vector<Array>& arrays) {
        for (const Array& array : arrays) reads(name, array);
    }
    template <class Array>
    void writes(const std::vector<Array>& arrays) {
        for (const Array& array : arrays) writes(array);
    }
    void reads(const char* name, const void* data, int64_t bytes, const py::object& holder);
    void note(const Shape& shape, int64_t bytes);
    void keep(const void* data, int64_t bytes, const py::object& holder);

    void run() const;

    static thread_local Graph* recording_;

    // An operation, or the steps of another graph, or the begin of a span, or the end of one: it
    // has a name.
    struct Step {
        const char* operation;
        std::function<void()> run;
        std::vector<std::pair<Shape, int64_t>> arrays;  // shapes and bytes, for a trace
        int64_t bytes;                                  // of others
        std::string span;
        int64_t number;
    };

    std::vector<Step> steps_;
    int64_t spans_ = 0;
    std::vector<py::object> kept_;
    std::vector<std::pair<const char*, const char*>> known_;  // memory, from and up to
    bool knows_ = true;
    size_t marked_ = 0;
    std::string refused_;
    bool ready_ = false;
};

}  // namespace pyconv
