#include "ops/relu.h"

#include "ops/elementwise.h"
#include "simd/kernels.h"

namespace pyconv {

void relu_forward(int64_t n, const float* x, float* y) {
    parallel_elements(n, [&](int64_t begin, int64_t end) {
        simd::kernels().relu(end - begin, x + begin, y + begin);
    });
}

void relu_backward(int64_t n, const float* y, const float* dy, float* dx) {
    parallel_elements(n, [&](int64_t begin, int64_t end) {
        simd::kernels().relu_backward(end - begin, y + begin, dy + begin, dx + begin);
    });
}

}  // namespace pyconv
