// Streams, events and graphs: work is done when it is waited for, and not before.

#include <cstdlib>
#include <cstring>

#include "check.h"

namespace pyconv::testing {
namespace {

__global__ void add_kernel(float* x, float value) { x[threadIdx.x] += value; }

// Answers of the runtime on a machine with other devices and another driver.
cudaError_t count_of(const char* name, const char* value, int* count) {
    setenv(name, value, 1);
    const cudaError_t status = cudaGetDeviceCount(count);
    unsetenv(name);
    cudaGetLastError();
    return status;
}

}  // namespace

void test_streams() {
    int count = 0;
    expect("two devices",
           count_of("PYCONV_EMULATED_DEVICES", "2", &count) == cudaSuccess && count == 2);
    expect("no device", count_of("PYCONV_EMULATED_DEVICES", "0", &count) == cudaErrorNoDevice);
    expect("no driver",
           count_of("PYCONV_EMULATED_DRIVER", "0", &count) == cudaErrorInsufficientDriver);
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

    for (const auto mode : {cudaStreamCaptureModeThreadLocal, cudaStreamCaptureModeRelaxed}) {
        cudaStreamBeginCapture(stream, mode);
        expect("no wait in a capture",
               cudaStreamSynchronize(stream) == cudaErrorStreamCaptureUnsupported);
        expect("which is invalid then",
               cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
    }
    cudaFreeHost(pinned);
    cudaGetLastError();
}

}  // namespace pyconv::testing
