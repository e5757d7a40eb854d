// Local response normalization: one thread an element, in strides of the grid. The gradient is two
// kernels: what each element adds to those in its window, and the sums of that.

#include "ops/lrn.h"

#include "elementwise.cuh"
#include "scratch.h"

namespace pyconv {
namespace {

struct Window {
    int64_t begin, end;
};

// The elements, of all rows, in the window of element i.
__device__ Window window_of(int64_t i, int64_t c, int64_t radius) {
    const int64_t row = i / c * c;
    return {max(row, i - radius), min(row + c, i + radius + 1)};
}

// d[i]
__device__ float scale_of(int64_t i, int64_t c, const LrnParams& p, const float* x) {
    const Window window = window_of(i, c, p.radius);
    float sum = 0.f;
    for (int64_t j = window.begin; j < window.end; ++j) sum += x[j] * x[j];
    return p.bias + p.alpha * sum;
}

__global__ void lrn_kernel(int64_t n, int64_t c, LrnParams p, const float* x, float* y) {
    for (int64_t i = cuda::first_task(); i < n; i += cuda::task_step())
        y[i] = x[i] * powf(scale_of(i, c, p, x), -p.beta);
}

// terms (n,): dy * x * d^(-beta - 1); dx = dy * d^-beta, over dy where they are one
__global__ void terms_kernel(int64_t n, int64_t c, LrnParams p, const float* x, const float* dy,
                             float* terms, float* dx) {
    for (int64_t i = cuda::first_task(); i < n; i += cuda::task_step()) {
        const float d = scale_of(i, c, p, x), direct = dy[i] * powf(d, -p.beta);
        terms[i] = direct * x[i] / d;
        dx[i] = direct;
    }
}

__global__ void through_kernel(int64_t n, int64_t c, LrnParams p, const float* x,
                               const float* terms, float* dx) {
    for (int64_t i = cuda::first_task(); i < n; i += cuda::task_step()) {
        const Window window = window_of(i, c, p.radius);
        float sum = 0.f;
        for (int64_t j = window.begin; j < window.end; ++j) sum += terms[j];
        dx[i] -= 2.f * p.alpha * p.beta * x[i] * sum;
    }
}

}  // namespace

void lrn_forward(int64_t rows, int64_t c, const LrnParams& p, const float* x, float* y) {
    const int64_t n = rows * c;
    if (n == 0) return;
    cuda::launch(lrn_kernel, cuda::element_blocks(n), cuda::kElementThreads, 0, cuda::stream(), n,
                 c, p, x, y);
}

void lrn_backward(int64_t rows, int64_t c, const LrnParams& p, const float* x, const float* dy,
                  float* dx) {
    const int64_t n = rows * c;
    if (n == 0) return;
    Scratch scratch;
    float* terms = scratch.take<float>(n);
    cuda::launch(terms_kernel, cuda::element_blocks(n), cuda::kElementThreads, 0, cuda::stream(), n,
                 c, p, x, dy, terms, dx);
    cuda::launch(through_kernel, cuda::element_blocks(n), cuda::kElementThreads, 0, cuda::stream(),
                 n, c, p, x, terms, dx);
}

}  // namespace pyconv
