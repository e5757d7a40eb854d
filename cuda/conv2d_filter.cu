// Gradient of a convolution's filters: a small matrix, and a sum over all pixels, which is cut into
// parts that depend on the shape alone and are added up in their order.

#include "conv2d_groups.cuh"
#include "conv2d_tasks.cuh"
#include "ops/conv2d.h"

namespace pyconv {

void conv2d_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
    const char* op = "conv2d_backward_filter";
    const int64_t values = s.kernel.h * s.kernel.w * s.group_c() * s.oc;
    int64_t parts = 0;
    cuda::for_each_conv_part(op, s, [&](const Conv2dShape&, int64_t, int64_t) { ++parts; });
    Scratch scratch;
    float* sums = parts == 1 ? dw : scratch.take<float>(parts * values);
    float* sum = sums;
    cuda::for_each_conv_part(op, s, [&](const Conv2dShape& part, int64_t at_x, int64_t at_y) {
        if (cuda::has_small_groups(s))
            cuda::grouped_backward_filter(part, x + at_x, dy + at_y, sum);
        else
            cuda::run<cuda::Pass::kBackwardFilter>(
                cuda::backward_filter_task(part, x + at_x, dy + at_y, sum));
        sum += values;
    });
    if (parts != 1) cuda::sum_parts(parts, values, sums, nullptr, 1, Activation::kLinear, dw);
}

}  // namespace pyconv
