#include "device.h"

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>

#include "check.h"

namespace pyconv::cuda {
namespace {

std::atomic<int> chosen{0};
thread_local int bound = -1;
thread_local bool recording = false;

// Never destroyed: at the end of a process the driver may be gone before static objects are.
struct Streams {
    std::mutex mutex;
    std::map<std::pair<int, bool>, cudaStream_t> of;  // by device, and whether it records
};

Streams& streams() {
    static Streams* const all = new Streams;
    return *all;
}

int bind_thread() {
    const int device = chosen.load(std::memory_order_relaxed);
    if (bound != device) {
        check(cudaSetDevice(device), "cudaSetDevice");
        bound = device;
    }
    return device;
}

}  // namespace

void check(cudaError_t status, const char* what) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // so that it is not reported again by the next call
    const std::string text = std::string("pyconv: CUDA: ") + what + ": " +
                             cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")";
    if (status == cudaErrorMemoryAllocation) throw OutOfMemory(text);
    throw std::runtime_error(text);
}

void set_device(int device) {
    int count = 0;
    check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    if (device < 0 || device >= count)
        fail("set_device", "there is no cuda:", device, ", this machine has ", count,
             count == 1 ? " device" : " devices");
    chosen = device;
    bind_thread();
}

int device() { return chosen.load(std::memory_order_relaxed); }

cudaStream_t stream() {
    thread_local std::pair<std::pair<int, bool>, cudaStream_t> last{{-1, false}, nullptr};
    const std::pair wanted{bind_thread(), recording};
    if (last.first != wanted) {
        Streams& all = streams();
        const std::lock_guard lock(all.mutex);
        cudaStream_t& made = all.of[wanted];
        // Non-blocking: no order with the default stream, which others may use.
        if (!made)
            check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "cudaStreamCreate");
        last = {wanted, made};
    }
    return last.second;
}

void begin_recording() { recording = true; }

void end_recording() noexcept { recording = false; }

void synchronize() { check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize"); }

}  // namespace pyconv::cuda
