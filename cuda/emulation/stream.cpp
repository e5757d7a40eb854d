#include "stream.h"

#include <chrono>
#include <set>

#include "machine.h"
#include "memory.h"
#include "status.h"

using namespace pyconv::emulation;

namespace pyconv::emulation {
namespace {

std::set<CUstream_st*>& streams() {
    static auto* const all = new std::set<CUstream_st*>;
    return *all;
}

double milliseconds() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
}

}  // namespace

CUstream_st* stream_of(cudaStream_t stream) {
    static auto* const standard = [] {
        auto* const one = new CUstream_st;
        streams().insert(one);
        return one;
    }();
    return stream ? stream : standard;
}

void add(cudaStream_t stream, Work work) {
    CUstream_st* const s = stream_of(stream);
    if (s->capture)
        s->capture->work.push_back(std::move(work));
    else
        s->work.push_back(std::move(work));
}

void run(CUstream_st* stream) {
    if (stream->work.empty()) return;
    const Exposed exposed;
    while (!stream->work.empty() && machine().fault.empty()) {
        const Work work = std::move(stream->work.front());
        stream->work.pop_front();
        work();
    }
    if (!machine().fault.empty()) stream->work.clear();
}

void run_all() {
    for (CUstream_st* stream : streams()) run(stream);
}

bool capturing() {
    for (CUstream_st* stream : streams()) {
        if (!stream->capture || stream->mode == cudaStreamCaptureModeRelaxed) continue;
        stream->invalid = true;
        return true;
    }
    return false;
}

namespace {

// Whether the stream is being captured, in any mode: who waits for it ends that.
bool breaks_capture(cudaStream_t stream) {
    CUstream_st* const s = stream_of(stream);
    if (s->capture) s->invalid = true;
    return s->capture;
}

}  // namespace
}  // namespace pyconv::emulation

cudaError_t cudaDeviceSynchronize() {
    const Call call;
    if (capturing()) return call.end(cudaErrorStreamCaptureUnsupported);
    run_all();
    return call.end();
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    const Call call;
    streams().insert(*stream = new CUstream_st);
    return call.end();
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    const Call call;
    run(stream);
    streams().erase(stream);
    delete stream;
    return call.end();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    const Call call;
    if (capturing() || breaks_capture(stream)) return call.end(cudaErrorStreamCaptureUnsupported);
    run(stream_of(stream));
    return call.end();
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    const Call call;
    if (breaks_capture(stream)) return call.end(cudaErrorStreamCaptureUnsupported);
    return call.end(stream_of(stream)->work.empty() ? cudaSuccess : cudaErrorNotReady);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    const Call call;
    *event = new CUevent_st;
    return call.end();
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    const Call call;
    if (event->stream) run(event->stream);
    delete event;
    return call.end();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    const Call call;
    CUstream_st* const s = stream_of(stream);
    event->stream = s;
    if (!s->capture) ++event->pending;
    add(stream, [event, counted = !s->capture] {
        if (counted) --event->pending;
        event->at = milliseconds();
    });
    return call.end();
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    const Call call;
    if (event->pending) run(event->stream);
    return call.end();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    const Call call;
    return call.end(event->pending ? cudaErrorNotReady : cudaSuccess);
}

cudaError_t cudaEventElapsedTime(float* result, cudaEvent_t start, cudaEvent_t end) {
    const Call call;
    if (start->pending || end->pending) return call.end(cudaErrorNotReady);
    *result = static_cast<float>(end->at - start->at);
    return call.end();
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    const Call call;
    add(stream, [event] {
        if (event->pending) run(event->stream);
    });
    return call.end();
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
    const Call call;
    if (!stream || stream->capture) return call.end(cudaErrorStreamCaptureUnsupported);
    stream->capture = new CUgraph_st;
    stream->mode = mode;
    stream->invalid = false;
    return call.end();
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    const Call call;
    if (!stream || !stream->capture) return call.end(cudaErrorInvalidValue);
    *graph = stream->capture;
    stream->capture = nullptr;
    if (!stream->invalid) return call.end();
    delete *graph;
    *graph = nullptr;
    return call.end(cudaErrorStreamCaptureInvalidated);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
    const Call call;
    const CUstream_st* const s = stream_of(stream);
    *status = !s->capture  ? cudaStreamCaptureStatusNone
              : s->invalid ? cudaStreamCaptureStatusInvalidated
                           : cudaStreamCaptureStatusActive;
    return call.end();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
    const Call call;
    *exec = new CUgraphExec_st{graph->work};
    return call.end();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    const Call call;
    for (const Work& work : exec->work) add(stream, work);
    return call.end();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    const Call call;
    delete exec;
    return call.end();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    const Call call;
    delete graph;
    return call.end();
}
