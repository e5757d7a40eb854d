// Mean over the pixels of each image: a block has up to 32 channels of an image, side by side, and
// its lines of threads take pixels in turn.

#include "ops/global_avgpool2d.h"

#include "elementwise.cuh"

namespace pyconv {
namespace {

// x (n, pixels, c) -> y (n, c); blocks (n * groups of `lanes` channels)
__global__ void global_avgpool2d_kernel(int64_t pixels, int64_t c, int64_t groups, int lanes,
                                        const float* x, float* y) {
    constexpr int kShort = 32;  // sums in float; their sum in double
    PYCONV_SHARED(double, sums, [cuda::kThreads]);
    const int lane = threadIdx.x % lanes, line = threadIdx.x / lanes,
              lines = cuda::kThreads / lanes;
    const int64_t image = blockIdx.x / groups;
    const int64_t j = (blockIdx.x - image * groups) * lanes + lane;
    double sum = 0;
    if (j < c) {
        for (int64_t p = line; p < pixels; p += kShort * lines) {
            const int64_t end = min(pixels, p + kShort * lines);
            float few = 0.f;
            for (int64_t q = p; q < end; q += lines) few += x[(image * pixels + q) * c + j];
            sum += static_cast<double>(few);
        }
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (int half = lines / 2; half > 0; half /= 2) {
        if (line < half) sums[threadIdx.x] += sums[threadIdx.x + half * lanes];
        __syncthreads();
    }
    if (line == 0 && j < c)
        y[image * c + j] = static_cast<float>(sums[lane] / static_cast<double>(pixels));
}

// dy (n, c) -> dx (n, pixels, c), of n * pixels * c values
__global__ void global_avgpool2d_backward_kernel(int64_t values, int64_t pixels, int64_t c,
                                                 const float* dy, float* dx) {
    const auto divisor = static_cast<float>(pixels);
    for (int64_t i = cuda::first_task(); i < values; i += cuda::task_step()) {
        const int64_t pixel = i / c;
        dx[i] = dy[pixel / pixels * c + (i - pixel * c)] / divisor;
    }
}

}  // namespace

void global_avgpool2d_forward(int64_t n, int64_t pixels, int64_t c, const float* x, float* y) {
    int lanes = 1;
    while (lanes < 32 && lanes < c) lanes *= 2;
    const int64_t groups = (c + lanes - 1) / lanes;
    cuda::launch(global_avgpool2d_kernel, n * groups, cuda::kThreads, 0, cuda::stream(), pixels, c,
                 groups, lanes, x, y);
}

void global_avgpool2d_backward(int64_t n, int64_t pixels, int64_t c, const float* dy, float* dx) {
    const int64_t values = n * pixels * c;
    cuda::launch(global_avgpool2d_backward_kernel, cuda::element_blocks(values),
                 cuda::kElementThreads, 0, cuda::stream(), values, pixels, c, dy, dx);
}

}  // namespace pyconv
