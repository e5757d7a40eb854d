// A sequence of operations recorded once and launched as a whole, as a CUDA graph.
#pragma once

#include <memory>

#include "memory.h"

namespace pyconv::cuda {

class Graph {
public:
    Graph() = default;
    ~Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    // What is asked of the stream from begin() to end() is recorded and not run. std::runtime_error
    // where it waits for the device or copies from the host; abandon() then ends the recording.
    void begin();
    void end();
    void abandon() noexcept;

    // Runs it all on the stream, on the same memory as when it was recorded.
    void launch() const;

private:
    bool recording_ = false;
    cudaGraphExec_t exec_ = nullptr;
    std::shared_ptr<GraphMemory> memory_;
};

}  // namespace pyconv::cuda
