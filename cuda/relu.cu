// ReLU and its gradient; comparisons are those of the CPU, so that NaN and -0 are kept.

#include "ops/relu.h"

#include "elementwise.cuh"

namespace pyconv {
namespace {

struct Relu {
    __device__ float operator()(float x, float) const { return x < 0.f ? 0.f : x; }
};

struct ReluGradient {
    __device__ float operator()(float y, float dy) const { return y <= 0.f ? 0.f : dy; }
};

}  // namespace

void relu_forward(int64_t n, const float* x, float* y) { cuda::map(n, Relu{}, x, x, y); }

void relu_backward(int64_t n, const float* y, const float* dy, float* dx) {
    cuda::map(n, ReluGradient{}, y, dy, dx);
}

}  // namespace pyconv
