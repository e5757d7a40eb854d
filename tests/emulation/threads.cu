// Indices, barriers, shuffles, votes and shared memory do what CUDA says.

#include "check.h"

namespace pyconv::testing {
namespace {

__global__ void index_kernel(float* y) {
    const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    const unsigned i = block * (blockDim.x * blockDim.y * blockDim.z) + thread;
    y[i] = static_cast<float>(i);
}

// y[block] = sum of x over the block.
template <int N>
__global__ void sum_kernel(const float* x, float* y) {
    PYCONV_SHARED(float, sums, [N / 32]);
    float sum = x[blockIdx.x * N + threadIdx.x];
#pragma unroll
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x > 0) return;
    for (int i = 1; i < N / 32; ++i) sum += sums[i];
    y[blockIdx.x] = sum;
}

__global__ void warp_kernel(float* y) {
    const unsigned lane = threadIdx.x, half = lane < 16 ? 0x0000ffff : 0xffff0000;
    const int value = static_cast<int>(lane);
    y[lane] = static_cast<float>(__shfl_xor_sync(0xffffffff, value, 5));
    y[32 + lane] = static_cast<float>(__shfl_up_sync(0xffffffff, value, 3, 8));
    y[64 + lane] = static_cast<float>(__shfl_sync(half, value, 2, 16));
    y[96 + lane] = static_cast<float>(__popc(__ballot_sync(half, lane % 3 == 0)));
    y[128 + lane] = static_cast<float>(__any_sync(half, lane == 20)) +
                    2 * static_cast<float>(__all_sync(half, lane < 16));
    y[160 + lane] = static_cast<float>(__syncthreads_count(lane < 7));
}

__global__ void reverse_kernel(float* x) {
    PYCONV_DYNAMIC_SHARED(float, buffer);
    buffer[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = buffer[blockDim.x - 1 - threadIdx.x];
}

std::vector<float> ascending(size_t n) {
    std::vector<float> values(n);
    for (size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i);
    return values;
}

}  // namespace

void test_threads() {
    const cudaStream_t stream = cuda::stream();
    Memory y(3 * 2 * 2 * 5 * 3 * 2);
    cuda::launch(index_kernel, dim3(3, 2, 2), dim3(5, 3, 2), 0, stream, y);
    expect("indices of blocks and threads", y.values() == ascending(360));

    const Memory x(std::vector<float>(1024, 1));
    Memory sums(4);
    cuda::launch(sum_kernel<256>, 4, 256, 0, stream, x, sums);
    expect("sum by shuffles", sums.values() == std::vector<float>(4, 256));

    Memory lanes(192);
    cuda::launch(warp_kernel, 1, 32, 0, stream, lanes);
    const std::vector<float> got = lanes.values();
    bool right = true;
    for (int i = 0; i < 32; ++i) {
        const bool low = i < 16;
        right = right && got[i] == static_cast<float>(i ^ 5);
        right = right && got[32 + i] == static_cast<float>(i % 8 < 3 ? i : i - 3);
        right = right && got[64 + i] == static_cast<float>(low ? 2 : 18);
        right = right && got[96 + i] == static_cast<float>(low ? 6 : 5);
        right = right && got[128 + i] == static_cast<float>(low ? 2 : 1);
        right = right && got[160 + i] == 7;
    }
    expect("shuffles and votes", right);

    Memory reversed(ascending(1000));
    cuda::launch(reverse_kernel, 1, 1000, 4000, stream, reversed);
    std::vector<float> wanted = ascending(1000);
    expect("dynamic shared memory",
           reversed.values() == std::vector<float>(wanted.rbegin(), wanted.rend()));
}

}  // namespace pyconv::testing
