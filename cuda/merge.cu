// Sums of branches, and channels side by side: one thread an element, in strides of the grid.

#include "ops/merge.h"

#include "elementwise.cuh"

namespace pyconv {
namespace {

struct Sum {
    bool relu;
    __device__ float operator()(float a, float b) const {
        const float sum = a + b;
        return relu && sum < 0.f ? 0.f : sum;
    }
};

// x (rows, c) and y (rows, y_c) from its channel `at` on, or the reverse
template <bool kGather>
__global__ void columns_kernel(int64_t rows, int64_t c, float* x, int64_t at, int64_t y_c,
                               float* y) {
    for (int64_t i = cuda::first_task(); i < rows * c; i += cuda::task_step()) {
        const int64_t row = i / c;
        float& there = y[row * y_c + at + (i - row * c)];
        if constexpr (kGather)
            there = x[i];
        else
            x[i] = there;
    }
}

template <bool kGather, class T>
void each_part(int64_t rows, const std::vector<Columns<T>>& parts, float* y) {
    int64_t c = 0, at = 0;
    for (const auto& part : parts) c += part.c;
    for (const auto& part : parts) {
        cuda::launch(columns_kernel<kGather>, cuda::element_blocks(rows * part.c),
                     cuda::kElementThreads, 0, cuda::stream(), rows, part.c,
                     const_cast<float*>(part.data), at, c, y);
        at += part.c;
    }
}

}  // namespace

void add_forward(int64_t n, const float* a, const float* b, Activation activation, float* y) {
    cuda::map(n, Sum{activation == Activation::kRelu}, a, b, y);
}

void concat_forward(int64_t rows, const std::vector<Columns<const float>>& xs, float* y) {
    each_part<true>(rows, xs, y);
}

void concat_backward(int64_t rows, const float* dy, const std::vector<Columns<float>>& dxs) {
    each_part<false>(rows, dxs, const_cast<float*>(dy));
}

}  // namespace pyconv
