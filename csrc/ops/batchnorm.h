// Batch normalization. x, y, dy, dx (rows, c); gamma and beta (c,) or null for 1 and 0; all other
// arrays (c,).
#pragma once

#include <cstdint>

#include "ops/shapes.h"

namespace pyconv {

struct BatchNormShape {
    int64_t rows, c;
    float epsilon;
};

// The mean of each channel in two parts, mean + rest, and its variance, biased. Where a mean is
// large beside the deviation, its rounding to float would be seen in the result.
void batchnorm_moments(const BatchNormShape& s, const float* x, float* mean, float* rest,
                       float* variance);

// average = momentum * average + (1 - momentum) * values, each (n,)
void moving_average(int64_t n, float* average, const float* values, double momentum);

// What becomes of a normalized array: y = act(normalized + addend), addend (rows, c) or null.
struct NormEnd {
    const float* addend;
    Activation activation;
};

// y = act(gamma * (x - mean - rest) / sqrt(variance + epsilon) + beta + addend); y may be x or the
// addend; rest null for 0.
void batchnorm_forward(const BatchNormShape& s, const float* x, const float* gamma,
                       const float* beta, const float* mean, const float* rest,
                       const float* variance, const NormEnd& end, float* y);

// dgamma, dbeta, dx: null where nobody asks; dx may be dy. of_batch: mean and variance are those of
// x, so that dx takes part of its gradient through them. y, of a ReLU at the end, else null: dy is
// set to 0 where y is, which is the gradient of the addend too.
void batchnorm_backward(const BatchNormShape& s, const float* x, const float* y, float* dy,
                        const float* gamma, const float* mean, const float* rest,
                        const float* variance, bool of_batch, float* dgamma, float* dbeta,
                        float* dx);

}  // namespace pyconv
