// Left empty where PYCONV_CUDA_GRAPHS is off.
#ifdef PYCONV_CUDA_GRAPHS

#include "graph.h"

#include <stdexcept>

namespace pyconv::cuda {

Graph::~Graph() {
    if (recording_) abandon();
    // CUDA waits for what still runs; this thread may be recording another graph.
    if (exec_) cudaGraphExecDestroy(exec_);
}

void Graph::begin() {
    if (recording_ || exec_) throw std::runtime_error("pyconv: CUDA: a graph is recorded once");
    begin_capture_memory();
    // Other threads go on with theirs meanwhile.
    begin_recording();
    try {
        // Relaxed: memory may still be asked for, which is no work of the stream.
        check(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeRelaxed),
              "cudaStreamBeginCapture");
    } catch (...) {
        end_recording();
        end_capture_memory();
        throw;
    }
    recording_ = true;
}

void Graph::end() {
    if (!recording_) throw std::runtime_error("pyconv: CUDA: no graph is being recorded");
    cudaGraph_t graph = nullptr;
    cudaError_t status = cudaStreamEndCapture(stream(), &graph);
    recording_ = false;
    end_recording();
    memory_ = end_capture_memory();
    check(status, "cudaStreamEndCapture");
    status = cudaGraphInstantiate(&exec_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate");
}

void Graph::abandon() noexcept {
    if (!recording_) return;
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(stream(), &graph);
    if (graph) cudaGraphDestroy(graph);
    cudaGetLastError();
    recording_ = false;
    end_recording();
    end_capture_memory();
}

void Graph::launch() const {
    if (!exec_) throw std::runtime_error("pyconv: CUDA: the graph was not recorded");
    check(cudaGraphLaunch(exec_, stream()), "cudaGraphLaunch");
}

}  // namespace pyconv::cuda

#endif
