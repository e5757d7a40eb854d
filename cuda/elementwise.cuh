// Kernels that compute each value of the result from the same place of one or two arrays.
#pragma once

#include <algorithm>
#include <cstdint>

#include "launch.cuh"

namespace pyconv::cuda {

constexpr int kElementThreads = 256;

// Blocks for `tasks` threads that go on in strides of the grid: more than any GPU runs at a time.
inline int element_blocks(int64_t tasks) {
    constexpr int64_t kMost = 4096;
    return static_cast<int>(
        std::min<int64_t>((tasks + kElementThreads - 1) / kElementThreads, kMost));
}

// The first of this thread's tasks, and the distance from one to the next.
__device__ __forceinline__ int64_t first_task() {
    return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ int64_t task_step() {
    return static_cast<int64_t>(gridDim.x) * blockDim.x;
}

inline bool is_aligned(const void* memory) {
    return reinterpret_cast<uintptr_t>(memory) % sizeof(float4) == 0;
}

// a, b, y (n,); b may be a, and y either of them. Quads of values where kQuads: n is theirs then.
template <class Operation, bool kQuads>
__global__ void map_kernel(int64_t n, Operation op, const float* a, const float* b, float* y) {
    for (int64_t i = first_task(); i < n; i += task_step()) {
        if constexpr (kQuads) {
            const float4 u = reinterpret_cast<const float4*>(a)[i];
            const float4 v = reinterpret_cast<const float4*>(b)[i];
            reinterpret_cast<float4*>(y)[i] =
                make_float4(op(u.x, v.x), op(u.y, v.y), op(u.z, v.z), op(u.w, v.w));
        } else {
            y[i] = op(a[i], b[i]);
        }
    }
}

// y[i] = op(a[i], b[i])
template <class Operation>
void map(int64_t n, Operation op, const float* a, const float* b, float* y) {
    const bool quads = is_aligned(a) && is_aligned(b) && is_aligned(y);
    const int64_t in_quads = quads ? n / 4 * 4 : 0, rest = n - in_quads;
    launch(map_kernel<Operation, true>, element_blocks(in_quads / 4), kElementThreads, 0, stream(),
           in_quads / 4, op, a, b, y);
    launch(map_kernel<Operation, false>, element_blocks(rest), kElementThreads, 0, stream(), rest,
           op, a + in_quads, b + in_quads, y + in_quads);
}

}  // namespace pyconv::cuda
