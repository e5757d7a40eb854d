// The twins of PTX instructions against what the PTX manual says of them.

#include "ptx.cuh"

#include <cmath>

#include "check.h"

namespace pyconv::testing {
namespace {

// y (16, 8) = a (16, 8) b (8, 8)
__global__ void product_kernel(const float* a, const float* b, float* y) {
    PYCONV_SHARED(float, As, [16][8]);
    const unsigned lane = threadIdx.x, g = lane / 4, t = lane % 4;
    cuda::cp_async<16>(&As[0][0] + 4 * lane, a + 4 * lane);
    cuda::cp_async_commit();
    cuda::cp_async_wait<0>();
    __syncthreads();
    // Matrices of 8 rows of 4 values: top left, bottom left, top right, bottom right.
    uint32_t values[4];
    cuda::ldmatrix_x4(values, &As[lane % 16][lane / 16 * 4]);
    for (uint32_t& value : values) value = cuda::to_tf32(__uint_as_float(value));
    const uint32_t columns[2] = {cuda::to_tf32(b[t * 8 + g]), cuda::to_tf32(b[(t + 4) * 8 + g])};
    float d[4] = {};
    cuda::mma_m16n8k8_tf32(d, values, columns);
    for (int i = 0; i < 4; ++i) y[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

__global__ void copy_kernel(const float* x, float* y, int valid) {
    PYCONV_SHARED(float, s, [4]);
    cuda::cp_async<16>(s, x, valid);
    cuda::cp_async_commit();
    cuda::cp_async_wait<0>();
    for (int i = 0; i < 4; ++i) y[i] = s[i];
}

__global__ void round_kernel(const float* x, float* y) {
    y[threadIdx.x] = __uint_as_float(cuda::to_tf32(x[threadIdx.x]));
}

}  // namespace

void test_ptx() {
    const cudaStream_t stream = cuda::stream();
    std::vector<float> a(128), b(64);
    for (int i = 0; i < 128; ++i) a[i] = static_cast<float>(i * 37 % 101 - 50);
    for (int i = 0; i < 64; ++i) b[i] = static_cast<float>(i * 29 % 83 - 40);
    std::vector<float> wanted(128);
    for (int row = 0; row < 16; ++row)
        for (int column = 0; column < 8; ++column)
            for (int k = 0; k < 8; ++k)
                wanted[row * 8 + column] += a[row * 8 + k] * b[k * 8 + column];
    const Memory left(a), right(b);
    Memory y(128);
    cuda::launch(product_kernel, 1, 32, 0, stream, left, right, y);
    expect("ldmatrix and mma.sync", y.values() == wanted);

    // Exact, a tie, which goes away from zero, and just below one.
    const float ulp = std::ldexp(1.0f, -10);
    const Memory exact({1 + ulp, INFINITY, 1 + ulp / 2, -1 - ulp / 2, 1 + ulp * 0.499f});
    Memory rounded(5);
    cuda::launch(round_kernel, 1, 5, 0, stream, exact, rounded);
    expect("rounding to TF32",
           rounded.values() == std::vector<float>({1 + ulp, INFINITY, 1 + ulp, -1 - ulp, 1}));

    const Memory x({1, 2, 3, 4});
    Memory copied(4);
    cuda::launch(copy_kernel, 1, 1, 0, stream, x, copied, 8);
    expect("cp.async fills with zeros", copied.values() == std::vector<float>({1, 2, 0, 0}));
}

}  // namespace pyconv::testing
