// What the tests of the emulated device share.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "launch.cuh"

namespace pyconv::testing {

void expect(const std::string& what, bool ok);

// Runs `work` and waits for it: the text of the fault that was found, or "".
template <class F>
std::string fault_of(F work) {
    try {
        work();
        cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        return "";
    } catch (const std::exception& error) {
        return error.what();
    }
}

// Expects a fault whose text has all the parts.
template <class F>
void expect_fault(const std::string& what, const std::vector<std::string>& parts, F work) {
    const std::string fault = fault_of(work);
    bool all = !fault.empty();
    for (const std::string& part : parts) all = all && fault.find(part) != std::string::npos;
    expect(what + ": " + (fault.empty() ? "no fault found" : fault), all);
}

// Memory of the device.
class Memory {
public:
    explicit Memory(size_t floats) : floats_(floats) { cudaMalloc(&data_, 4 * floats); }
    explicit Memory(const std::vector<float>& values) : Memory(values.size()) {
        cudaMemcpy(data_, values.data(), 4 * floats_, cudaMemcpyHostToDevice);
    }
    ~Memory() { cudaFree(data_); }
    Memory(const Memory&) = delete;

    operator float*() const { return data_; }
    std::vector<float> values() const {
        std::vector<float> result(floats_);
        cuda::synchronize();
        cuda::check(cudaMemcpy(result.data(), data_, 4 * floats_, cudaMemcpyDeviceToHost), "copy");
        return result;
    }

private:
    size_t floats_;
    float* data_ = nullptr;
};

}  // namespace pyconv::testing
