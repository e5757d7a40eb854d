// The GPU that operations run on, its one stream, and errors of the CUDA runtime.
#pragma once

#include <cuda_runtime.h>

#include <new>
#include <string>

namespace pyconv::cuda {

// Throws where a call of the runtime failed: OutOfMemory, else std::runtime_error with `what`.
void check(cudaError_t status, const char* what);

// Python's MemoryError, with a text of its own.
class OutOfMemory : public std::bad_alloc {
public:
    explicit OutOfMemory(std::string text) : text_(std::move(text)) {}
    const char* what() const noexcept override { return text_.c_str(); }

private:
    std::string text_;
};

// The device of all operations of this process, 0 at first. std::invalid_argument where there is
// no such device.
void set_device(int device);
int device();

// The stream of the device, on which everything runs in order; makes the device the calling
// thread's own. For a thread that records a graph, one that nobody else uses and that runs nothing.
cudaStream_t stream();
void begin_recording();
void end_recording() noexcept;

// Waits until the device has done all that was asked of it.
void synchronize();

}  // namespace pyconv::cuda
