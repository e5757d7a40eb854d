// Gradient of a convolution's input: for each phase of the stride a product of its own, all in one
// launch.

#include "conv2d_groups.cuh"
#include "conv2d_tasks.cuh"
#include "ops/conv2d.h"

namespace pyconv {

void conv2d_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
    const char* op = "conv2d_backward_input";
    cuda::for_each_conv_part(op, s, [&](const Conv2dShape& part, int64_t at_x, int64_t at_y) {
        if (cuda::has_small_groups(s))
            return cuda::grouped_backward_input(part, dy + at_y, w, dx + at_x);
        cuda::for_each_backward_input_task(part, dy + at_y, w, dx + at_x,
                                           cuda::run<cuda::Pass::kBackwardInput>);
    });
}

}  // namespace pyconv
