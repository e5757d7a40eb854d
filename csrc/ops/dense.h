// Dense layer: y = act(x w + b), and its gradients.
#pragma once

#include <cstdint>

#include "ops/shapes.h"

namespace pyconv {

struct DenseShape {
    int64_t n, in, units;
};

// x (n, in), w (in, units), b (units,) or null -> y (n, units)
void dense_forward(const DenseShape& s, const float* x, const float* w, const float* b,
                   Activation activation, float* y);
// dy (n, units), w -> dx (n, in)
void dense_backward_input(const DenseShape& s, const float* dy, const float* w, float* dx);
// x, dy -> dw (in, units)
void dense_backward_weights(const DenseShape& s, const float* x, const float* dy, float* dw);

}  // namespace pyconv
