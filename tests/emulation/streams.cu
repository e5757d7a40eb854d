// Streams, events and graphs: work is done when it is waited for, and not before.

#include <cstring>

#include "check.h"

namespace pyconv::testing {
namespace {

__global__ void add_kernel(float* x, float value) { x[threadIdx.x] += value; }

}  // namespace

void test_streams() {
    const cudaStream_t stream = cuda::stream();
    Memory x({1, 2, 3, 4});
    float* pinned = nullptr;
    cudaMallocHost(&pinned, 16);
    pinned[0] = -1;
    cuda::launch(add_kernel, 1, 4, 0, stream, x, 10.0f);
    cudaMemcpyAsync(pinned, x, 16, cudaMemcpyDeviceToHost, stream);
    expect("a copy is not done before it is waited for", pinned[0] == -1);
    cudaEvent_t event;
    cudaEventCreate(&event);
    cudaEventRecord(event, stream);
    expect("an event is not there yet", cudaEventQuery(event) == cudaErrorNotReady);
    cudaEventSynchronize(event);
    expect("an event is there", cudaEventQuery(event) == cudaSuccess);
    expect("the copy is done", pinned[0] == 11 && pinned[3] == 14);
    cudaEventDestroy(event);
    cudaGetLastError();

    cudaGraph_t graph;
    cudaGraphExec_t exec;
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    cuda::launch(add_kernel, 1, 4, 0, stream, x, 100.0f);
    cuda::check(cudaStreamEndCapture(stream, &graph), "capture");
    expect("a capture runs nothing", x.values()[0] == 11);
    cudaGraphInstantiate(&exec, graph, 0);
    cudaGraphLaunch(exec, stream);
    cudaGraphLaunch(exec, stream);
    expect("a graph runs at each launch", x.values()[0] == 211);
    cudaGraphExecDestroy(exec);
    cudaGraphDestroy(graph);

    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    expect("no wait in a capture",
           cudaStreamSynchronize(stream) == cudaErrorStreamCaptureUnsupported);
    expect("which is invalid then",
           cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
    cudaFreeHost(pinned);
    cudaGetLastError();
}

}  // namespace pyconv::testing
