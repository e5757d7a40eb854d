// The status of a call of the runtime, and the error that the next cudaGetLastError gives.
#pragma once

#include <mutex>

#include "machine.h"
#include "runtime_api.h"

namespace pyconv::emulation {

extern thread_local cudaError_t last_error;

// A call of the runtime, alone in the emulated device.
class Call {
public:
    // A fault that was found before is the status of every call, until its text was read.
    cudaError_t end(cudaError_t status = cudaSuccess) const {
        if (!machine().fault.empty()) status = cudaErrorLaunchFailure;
        if (status != cudaSuccess) last_error = status;
        return status;
    }

private:
    std::lock_guard<std::recursive_mutex> lock_{machine().mutex};
};

}  // namespace pyconv::emulation
