// Streams: work in order, done when somebody waits for it.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "runtime_api.h"

namespace pyconv::emulation {

using Work = std::function<void()>;  // what goes wrong in it is the machine's fault

}  // namespace pyconv::emulation

struct CUstream_st {
    std::deque<pyconv::emulation::Work> work;
    CUgraph_st* capture = nullptr;  // records in place of queueing
    cudaStreamCaptureMode mode{};
    bool invalid = false;  // did what a capture cannot hold
};

struct CUgraph_st {
    std::vector<pyconv::emulation::Work> work;
};

struct CUgraphExec_st {
    std::vector<pyconv::emulation::Work> work;
};

struct CUevent_st {
    CUstream_st* stream = nullptr;
    int pending = 0;  // records that are not done
    double at = 0;    // milliseconds
};

namespace pyconv::emulation {

CUstream_st* stream_of(cudaStream_t stream);  // null is the default stream
// Adds to what the stream does, or to the graph that it records.
void add(cudaStream_t stream, Work work);
// Does all of it, until a fault is found.
void run(CUstream_st* stream);
void run_all();
// A stream records a graph, in which a call that waits or allocates is not allowed.
bool capturing();

}  // namespace pyconv::emulation
