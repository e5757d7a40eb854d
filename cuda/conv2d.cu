// Forward convolution.

#include "ops/conv2d.h"

#include "conv2d_groups.cuh"
#include "conv2d_tasks.cuh"

namespace pyconv {

void conv2d_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                    Activation activation, float* y) {
    cuda::for_each_conv_part("conv2d", s, [&](const Conv2dShape& part, int64_t at_x, int64_t at_y) {
        if (cuda::has_small_groups(s))
            cuda::grouped_forward(part, x + at_x, w, b, activation, y + at_y);
        else
            cuda::run<cuda::Pass::kForward>(
                cuda::forward_task(part, x + at_x, w, b, activation, y + at_y));
    });
}

}  // namespace pyconv
