#include "reduce.cuh"

#include "elementwise.cuh"

namespace pyconv::cuda {
namespace {

// partial (parts, n), bias (channels,) or null, y (n,)
__global__ void sum_parts_kernel(int64_t parts, int64_t n, const float* partial, const float* bias,
                                 int64_t channels, bool relu, float* y) {
    for (int64_t i = first_task(); i < n; i += task_step()) {
        double sum = bias ? bias[i % channels] : 0.0;
        for (int64_t part = 0; part < parts; ++part) sum += partial[part * n + i];
        const auto value = static_cast<float>(sum);
        y[i] = relu && value < 0.f ? 0.f : value;
    }
}

}  // namespace

void sum_parts(int64_t parts, int64_t n, const float* partial, const float* bias, int64_t channels,
               Activation activation, float* y) {
    launch(sum_parts_kernel, element_blocks(n), kElementThreads, 0, stream(), parts, n, partial,
           bias, channels, activation == Activation::kRelu, y);
}

}  // namespace pyconv::cuda
