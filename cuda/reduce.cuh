// Reductions over the threads of a warp or block, always in the same order, and the sum of partial
// results that many blocks left behind.
#pragma once

#include <cstdint>

#include "launch.cuh"
#include "ops/shapes.h"

namespace pyconv::cuda {

// combine(a, b) over the kWarps * 32 threads of the block, in all of them; `combine` commutes.
template <int kWarps, class T, class Combine>
__device__ __forceinline__ T reduce(T value, const Combine& combine) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes /= 2)
        value = combine(value, __shfl_xor_sync(0xffffffff, value, lanes));
    if constexpr (kWarps > 1) {
        PYCONV_SHARED(T, of_warps, [kWarps]);
        __syncthreads();  // who still reads those of the reduction before
        if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
        __syncthreads();
        value = of_warps[0];
#pragma unroll
        for (int i = 1; i < kWarps; ++i) value = combine(value, of_warps[i]);
    }
    return value;
}

struct Sum {
    template <class T>
    __device__ T operator()(T a, T b) const {
        return a + b;
    }
};

// partial (parts, n) -> y (n,) = act(sum over parts + bias), added up in double in their order.
// bias (channels,), of which value i has that of i % channels; or null.
void sum_parts(int64_t parts, int64_t n, const float* partial, const float* bias, int64_t channels,
               Activation activation, float* y);

}  // namespace pyconv::cuda
