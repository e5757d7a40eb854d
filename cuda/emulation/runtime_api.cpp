// Devices, errors, memory and copies. Streams and graphs are in stream.cpp.

#include "runtime_api.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "memory.h"
#include "status.h"
#include "stream.h"

using namespace pyconv::emulation;

namespace pyconv::emulation {

thread_local cudaError_t last_error = cudaSuccess;

namespace {

constexpr int kVersion = 13000;

thread_local int current_device = 0;

// Of the environment.
int setting(const char* name, int standard) {
    const char* const text = std::getenv(name);
    return text ? std::atoi(text) : standard;
}

// Why a copy to or from [memory, memory + bytes) is refused; empty where it is not.
std::string refusal(const void* memory, size_t bytes, bool device) {
    if (!device || in_allocation(memory, bytes)) return "";
    return std::to_string(bytes) + " bytes at " + describe_address(memory);
}

cudaError_t copy(void* dst, const void* src, size_t bytes, cudaMemcpyKind kind, bool wait,
                 cudaStream_t stream) {
    const Call call;
    if (bytes == 0) return call.end();
    if (wait && capturing()) return call.end(cudaErrorStreamCaptureUnsupported);
    const bool to = kind == cudaMemcpyDefault
                        ? is_device(dst)
                        : kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from = kind == cudaMemcpyDefault
                          ? is_device(src)
                          : kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if ((!to && is_device(dst)) || (!from && is_device(src)))
        return call.end(cudaErrorInvalidValue);
    const auto move = [=](const void* source) {
        std::string why = refusal(dst, bytes, to);
        if (why.empty()) why = refusal(src, bytes, from);
        if (why.empty() && is_device(src) && !to)
            if (const void* const unwritten = first_unwritten(src, bytes))
                why = "nobody wrote " + describe_address(unwritten);
        if (!why.empty())
            machine().fault = "cudaMemcpy: " + why;
        else
            std::memmove(dst, source, bytes);
        if (!why.empty()) return;
        if (is_device(src) && is_device(dst))
            copy_state(dst, src, bytes);
        else if (is_device(dst))
            set_state(dst, bytes, kWritten);
    };
    // From memory that is not pinned the bytes are taken now; to such memory they come now.
    if (!from && !is_pinned(src)) {
        std::string taken(static_cast<const char*>(src), bytes);
        add(stream, [move, taken = std::move(taken)] { move(taken.data()); });
    } else {
        add(stream, [move, src] { move(src); });
    }
    if (wait || (!to && !is_pinned(dst) && !stream_of(stream)->capture)) run(stream_of(stream));
    return call.end();
}

}  // namespace

void enqueue(Kernel kernel, cudaStream_t stream) {
    const Call call;
    const dim3 b = kernel.block, g = kernel.grid;
    if (size_t{b.x} * b.y * b.z > 1024 || b.z > 64 || b.x * b.y * b.z == 0 || g.y > 65535 ||
        g.z > 65535 || g.x > 0x7fffffff || kernel.shared_bytes > kMostShared) {
        call.end(cudaErrorInvalidConfiguration);
        return;
    }
    add(stream, [kernel = std::move(kernel)] { run_kernel(kernel); });
    call.end();
}

}  // namespace pyconv::emulation

cudaError_t cudaGetDeviceCount(int* count) {
    *count = setting("PYCONV_EMULATED_DEVICES", 1);
    if (setting("PYCONV_EMULATED_DRIVER", kVersion) < kVersion)
        return Call().end(cudaErrorInsufficientDriver);
    return Call().end(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaGetDevice(int* device) {
    *device = current_device;
    return Call().end();
}

cudaError_t cudaSetDevice(int device) {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess) return status;
    if (device < 0 || device >= count) return Call().end(cudaErrorInvalidDevice);
    current_device = device;
    return Call().end();
}

// The limits of an A100.
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess) return status;
    if (device < 0 || device >= count) return Call().end(cudaErrorInvalidDevice);
    *p = {};
    std::snprintf(p->name, sizeof(p->name), "emulated device");
    p->totalGlobalMem = device_bytes();
    p->sharedMemPerBlock = kMostStaticShared;
    p->sharedMemPerBlockOptin = kMostShared;
    p->sharedMemPerMultiprocessor = 164 << 10;
    p->regsPerBlock = 65536;
    p->warpSize = 32;
    p->maxThreadsPerBlock = 1024;
    p->maxThreadsPerMultiProcessor = 2048;
    p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
    p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 0x7fffffff;
    p->maxGridSize[1] = p->maxGridSize[2] = 65535;
    p->major = 8;
    p->multiProcessorCount = 108;
    p->memoryBusWidth = 5120;
    p->l2CacheSize = 40 << 20;
    return Call().end();
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    cudaDeviceProp p;
    const cudaError_t status = cudaGetDeviceProperties(&p, device);
    if (status != cudaSuccess) return status;
    switch (attribute) {
        case cudaDevAttrMaxThreadsPerBlock:
            *value = p.maxThreadsPerBlock;
            break;
        case cudaDevAttrMaxSharedMemoryPerBlock:
            *value = int(p.sharedMemPerBlock);
            break;
        case cudaDevAttrMultiProcessorCount:
            *value = p.multiProcessorCount;
            break;
        case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
            *value = int(p.sharedMemPerMultiprocessor);
            break;
        case cudaDevAttrComputeCapabilityMajor:
            *value = p.major;
            break;
        case cudaDevAttrComputeCapabilityMinor:
            *value = p.minor;
            break;
        case cudaDevAttrMaxSharedMemoryPerBlockOptin:
            *value = int(p.sharedMemPerBlockOptin);
            break;
    }
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = setting("PYCONV_EMULATED_DRIVER", kVersion);
    return Call().end();
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = kVersion;
    return Call().end();
}

cudaError_t cudaGetLastError() {
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}
cudaError_t cudaPeekAtLastError() { return last_error; }

const char* cudaGetErrorName(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return "cudaSuccess";
        case cudaErrorInvalidValue:
            return "cudaErrorInvalidValue";
        case cudaErrorMemoryAllocation:
            return "cudaErrorMemoryAllocation";
        case cudaErrorInvalidConfiguration:
            return "cudaErrorInvalidConfiguration";
        case cudaErrorInsufficientDriver:
            return "cudaErrorInsufficientDriver";
        case cudaErrorNoDevice:
            return "cudaErrorNoDevice";
        case cudaErrorInvalidDevice:
            return "cudaErrorInvalidDevice";
        case cudaErrorInvalidResourceHandle:
            return "cudaErrorInvalidResourceHandle";
        case cudaErrorNotReady:
            return "cudaErrorNotReady";
        case cudaErrorLaunchFailure:
            return "cudaErrorLaunchFailure";
        case cudaErrorStreamCaptureUnsupported:
            return "cudaErrorStreamCaptureUnsupported";
        case cudaErrorStreamCaptureInvalidated:
            return "cudaErrorStreamCaptureInvalidated";
        case cudaErrorUnknown:
            break;
    }
    return "cudaErrorUnknown";
}

// The text of a fault; with its reading the device is as good as new.
const char* cudaGetErrorString(cudaError_t error) {
    static thread_local std::string text;
    if (error != cudaErrorLaunchFailure) return cudaGetErrorName(error);
    const std::lock_guard lock(machine().mutex);
    text = std::move(machine().fault);
    machine().fault.clear();
    return text.c_str();
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
    const Call call;
    if (capturing()) return call.end(cudaErrorStreamCaptureUnsupported);
    *memory = bytes ? allocate_device(bytes) : nullptr;
    return call.end(*memory || !bytes ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* memory) {
    const Call call;
    if (!memory) return call.end();
    if (capturing()) return call.end(cudaErrorStreamCaptureUnsupported);
    run_all();
    return call.end(free_device(memory) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
    const Call call;
    if (capturing()) return call.end(cudaErrorStreamCaptureUnsupported);
    *memory = allocate_pinned(bytes);
    return call.end(*memory ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
    return cudaMallocHost(memory, bytes);
}

cudaError_t cudaFreeHost(void* memory) {
    const Call call;
    run_all();
    return call.end(!memory || free_pinned(memory) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
    const Call call;
    *total = device_bytes();
    *available = *total - device_bytes_used();
    return call.end();
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* a, const void* memory) {
    const Call call;
    *a = {};
    void* const at = const_cast<void*>(memory);
    if (is_device(memory) && in_allocation(memory, 1))
        *a = {cudaMemoryTypeDevice, 0, at, nullptr};
    else if (is_pinned(memory))
        *a = {cudaMemoryTypeHost, 0, at, at};
    return call.end();
}

cudaError_t cudaMemcpy(void* dst, const void* src, size_t bytes, cudaMemcpyKind kind) {
    return copy(dst, src, bytes, kind, true, nullptr);
}

cudaError_t cudaMemcpyAsync(void* dst, const void* src, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    return copy(dst, src, bytes, kind, false, stream);
}

cudaError_t cudaMemsetAsync(void* dst, int value, size_t bytes, cudaStream_t stream) {
    const Call call;
    if (bytes == 0) return call.end();
    add(stream, [=] {
        const std::string why = refusal(dst, bytes, true);
        if (!why.empty())
            machine().fault = "cudaMemset: " + why;
        else
            std::memset(dst, value, bytes);
        if (why.empty() && is_device(dst)) set_state(dst, bytes, kWritten);
    });
    return call.end();
}

cudaError_t cudaMemset(void* dst, int value, size_t bytes) {
    return cudaMemsetAsync(dst, value, bytes, nullptr);
}

cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) { return Call().end(); }
