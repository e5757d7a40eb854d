// Launches, and shared memory, of the emulated device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <vector>

#include "runtime_api.h"
#include "vector_types.h"

namespace pyconv::emulation {

struct Kernel {
    const void* address;  // names it
    dim3 grid, block;
    size_t shared_bytes;
    std::vector<const void*> arguments;  // those that are pointers; null for the others
    std::function<void()> thread;        // runs one thread of it
};

// A thread is in the kernel's own code from here, whose accesses are checked.
void begin_thread();
void end_thread();

// Puts it on the stream; what was refused is cudaGetLastError's.
void enqueue(Kernel kernel, cudaStream_t stream);

template <class... Params>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared_bytes,
            cudaStream_t stream, Params... args) {
    static_assert((sizeof(Params) + ... + 0) <= 4096, "CUDA takes 4 KB of parameters");
    const auto address = [](auto argument) -> const void* {
        if constexpr (std::is_pointer_v<decltype(argument)>)
            return argument;
        else
            return nullptr;
    };
    // The arguments are read before the kernel begins: they are in memory of the host.
    const auto thread = [=]() __attribute__((no_sanitize("thread"))) {
        begin_thread();
        kernel(args...);
        end_thread();
    };
    enqueue({reinterpret_cast<const void*>(kernel),
             grid,
             block,
             shared_bytes,
             {address(args)...},
             thread},
            stream);
}

// 0: threads and blocks in ascending order. Else an order drawn from it, another at each wait.
void set_seed(uint64_t seed);

// Memory of the device that the host may touch from here on, and memory of the host that kernels
// may, until it is withdrawn. Of the latter the bounds are all that is checked.
void share_with_host(const void* memory);
void share_with_device(const void* memory, size_t bytes);
void withdraw_from_device(const void* memory);

// A declaration of shared memory: where it lies in the block that last came by.
struct SharedArray {
    const char* name;
    size_t bytes;
    uint64_t block = 0;
    void* memory = nullptr;
};

// The same memory for each thread of the block.
void* shared_array(SharedArray& array);
void* dynamic_shared(const char* name);

}  // namespace pyconv::emulation

#define PYCONV_SHARED(type, name, ...)                                                \
    using name##_type = type __VA_ARGS__;                                             \
    static ::pyconv::emulation::SharedArray name##_array{#name, sizeof(name##_type)}; \
    auto& name = *static_cast<name##_type*>(::pyconv::emulation::shared_array(name##_array))
#define PYCONV_DYNAMIC_SHARED(type, name) \
    type* const name = static_cast<type*>(::pyconv::emulation::dynamic_shared(#name))
