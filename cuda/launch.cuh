// Launches of kernels, and shared memory in words that the host's compiler has too: it compiles the
// same .cu files for an emulated device (cuda/emulation/README.md). In a kernel:
//   PYCONV_SHARED(float, As, [BK][BM]);    for  __shared__ float As[BK][BM];
//   PYCONV_DYNAMIC_SHARED(float, buffer);  once: a float* to the shared_bytes of the launch
// Both are aligned to 128 bytes. Barriers, shuffles, float4 ... are CUDA's; PTX is in ptx.cuh.
// Arrays in shared memory are not initialized, and every index counts from the array's own start.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "device.h"

#ifdef __CUDACC__
#define PYCONV_SHARED(type, name, ...) __shared__ __align__(128) type name __VA_ARGS__
#define PYCONV_DYNAMIC_SHARED(type, name)                                   \
    extern __shared__ __align__(128) unsigned char pyconv_dynamic_shared[]; \
    type* const name = reinterpret_cast<type*>(pyconv_dynamic_shared)
#endif

namespace pyconv::cuda {

constexpr int kThreads = 256;  // of a block, where nothing asks for another number

// kernel<<<grid, block, shared_bytes, stream>>>(args...), in order behind all else on the stream.
// An empty grid is nothing to do. Throws where the launch is refused.
template <class... Params>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared_bytes,
            cudaStream_t stream, std::type_identity_t<Params>... args) {
    static_assert((std::is_trivially_copyable_v<Params> && ...), "parameters are copied as bytes");
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#ifdef __CUDACC__
    constexpr size_t kWithoutAsking = 48 << 10;
    if (shared_bytes > kWithoutAsking)
        check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                   cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   static_cast<int>(shared_bytes)),
              "shared memory of a kernel");
    kernel<<<grid, block, shared_bytes, stream>>>(args...);
#else
    emulation::launch<Params...>(kernel, grid, block, shared_bytes, stream, args...);
#endif
    check(cudaGetLastError(), "launch of a kernel");
}

// With a grid of so many blocks in one dimension.
template <class... Params>
void launch(void (*kernel)(Params...), int64_t blocks, dim3 block, size_t shared_bytes,
            cudaStream_t stream, std::type_identity_t<Params>... args) {
    if (blocks > 0x7fffffff)
        throw std::length_error("pyconv: CUDA: a grid of " + std::to_string(blocks) +
                                " blocks is more than CUDA has, 2**31 - 1");
    launch(kernel, dim3(static_cast<unsigned>(blocks)), block, shared_bytes, stream, args...);
}

}  // namespace pyconv::cuda
