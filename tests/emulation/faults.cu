// Faults that are planted here, and must be found even where accesses are not checked.

#include "check.h"

namespace pyconv::testing {
namespace {

__global__ void fill_kernel(float* y, int count) {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += 32) y[i] = 1;
}

__global__ void divergent_kernel(float* y, unsigned count) {
    if (threadIdx.x < count) __syncthreads();
    y[threadIdx.x] = 1;
}

__global__ void two_barriers_kernel(float* y, unsigned count) {
    if (threadIdx.x < count)
        __syncthreads();
    else
        __syncthreads();
    y[threadIdx.x] = 1;
}

__global__ void early_end_kernel(float* y, unsigned count) {
    if (threadIdx.x >= count) return;
    __syncwarp();
    y[threadIdx.x] = 1;
}

__global__ void copy4_kernel(const float* x, float* y) {
    *reinterpret_cast<float4*>(y) = *reinterpret_cast<const float4*>(x);
}

// Lanes below `count` shuffle, by a mask, from the lane `source`.
__global__ void shuffle_kernel(float* y, unsigned count, unsigned mask, int source) {
    if (threadIdx.x < count) y[threadIdx.x] = __shfl_sync(mask, 1.0f, source);
}

__global__ void two_shuffles_kernel(float* y) {
    if (threadIdx.x % 2)
        y[threadIdx.x] = __shfl_xor_sync(0xffffffff, 1.0f, 1);
    else
        y[threadIdx.x] = __shfl_xor_sync(0xffffffff, 2.0f, 1);
}

__device__ float deep(float x, int depth) {
    volatile float local[64];
    local[depth % 64] = x;
    return depth ? deep(local[depth % 64], depth - 1) + local[depth % 64] : x;
}

__global__ void deep_kernel(float* y, int depth) { y[0] = deep(y[0], depth); }

__global__ void divide_kernel(float* y, int by) { y[0] = static_cast<float>(7 / by); }

}  // namespace

void test_faults() {
    const cudaStream_t stream = cuda::stream();
    Memory y(64);
    expect_fault(
        "an index past the end",
        {"fill_kernel, block (0, 0, 0), thread (0, 0, 0)", "past the end of the 256 bytes"},
        [&] { cuda::launch(fill_kernel, 1, 32, 0, stream, y, 65); });
    expect_fault("an index far before the start", {"before the 256 bytes"},
                 [&] { cuda::launch(fill_kernel, 1, 32, 0, stream, y - 1100, 1); });
    expect("no fault", fault_of([&] { cuda::launch(fill_kernel, 1, 32, 0, stream, y, 64); }) == "");
    expect_fault(
        "a barrier in a branch",
        {"divergent_kernel, block (0, 0, 0): threads do not meet: thread (0, 0, 0) waits in "
         "__syncthreads at faults.cu:",
         "thread (40, 0, 0) has ended"},
        [&] { cuda::launch(divergent_kernel, 1, 64, 0, stream, y, 40u); });
    expect_fault("two barriers in place of one",
                 {"two_barriers_kernel", "thread (40, 0, 0) waits in __syncthreads at"},
                 [&] { cuda::launch(two_barriers_kernel, 1, 64, 0, stream, y, 40u); });
    expect_fault("a warp of which one thread has ended",
                 {"early_end_kernel", "waits for threads of its warp", "(31, 0, 0) has ended"},
                 [&] { cuda::launch(early_end_kernel, 1, 32, 0, stream, y, 31u); });
    const Memory x(std::vector<float>(128, 1));
    expect_fault(
        "a misaligned float4",
        {"copy4_kernel", "misaligned: 'const struct float4' at faults.cu:", "byte 8 of the 512"},
        [&] { cuda::launch(copy4_kernel, 1, 1, 0, stream, x + 2, y); });
    expect_fault("a misaligned float4 that is written",
                 {"misaligned: 'struct float4' at faults.cu"},
                 [&] { cuda::launch(copy4_kernel, 1, 1, 0, stream, x, y + 1); });
    expect_fault("a shuffle that the mask leaves a lane out of",
                 {"shuffle_kernel", "thread (31, 0, 0): is not in the mask"},
                 [&] { cuda::launch(shuffle_kernel, 1, 32, 0, stream, y, 32u, 0x7fffffffu, 0); });
    expect_fault("a shuffle that not all lanes of the mask reach",
                 {"shuffle_kernel", "waits for threads of its warp", "(20, 0, 0) has ended"},
                 [&] { cuda::launch(shuffle_kernel, 1, 32, 0, stream, y, 20u, ~0u, 0); });
    expect_fault("a shuffle from a lane outside of the mask",
                 {"shuffle_kernel", "shuffles from a lane that is not in the mask"},
                 [&] { cuda::launch(shuffle_kernel, 1, 32, 0, stream, y, 16u, 0xffffu, 20); });
    expect("a shuffle of half a warp",
           fault_of([&] { cuda::launch(shuffle_kernel, 1, 32, 0, stream, y, 16u, 0xffffu, 15); }) ==
               "");
    expect_fault("two shuffles in place of one", {"two_shuffles_kernel", "threads do not meet"},
                 [&] { cuda::launch(two_shuffles_kernel, 1, 32, 0, stream, y); });
    cuda::launch(fill_kernel, 1, 32, 0, stream, y, 64);
    expect_fault("a stack that is used up", {"deep_kernel", "has used up its stack"},
                 [&] { cuda::launch(deep_kernel, 1, 1, 0, stream, y, 100000); });
#ifdef __x86_64__  // others go on with 0
    expect_fault("a division by zero", {"divide_kernel", "divides an integer by zero"},
                 [&] { cuda::launch(divide_kernel, 1, 1, 0, stream, y, 0); });
#endif
}

}  // namespace pyconv::testing
