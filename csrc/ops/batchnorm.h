// Batch normalization. x, y, dy, dx (rows, c); gamma and beta (c,) or null for 1 and 0; all other
// arrays (c,).
#pragma once

#include <cstdint>

namespace pyconv {

struct BatchNormShape {
    int64_t rows, c;
    float epsilon;
};

// The mean of each channel in two parts, mean + rest, and its variance, biased. Where a mean is
// large beside the deviation, its rounding to float would be seen in the result.
void batchnorm_moments(const BatchNormShape& s, const float* x, float* mean, float* rest,
                       float* variance);

// y = gamma * (x - mean - rest) / sqrt(variance + epsilon) + beta; y may be x; rest null for 0.
void batchnorm_forward(const BatchNormShape& s, const float* x, const float* gamma,
                       const float* beta, const float* mean, const float* rest,
                       const float* variance, float* y);

// dgamma, dbeta, dx: null where nobody asks; dx may be dy. of_batch: mean and variance are those of
// x, so that dx takes part of its gradient through them.
void batchnorm_backward(const BatchNormShape& s, const float* x, const float* dy,
                        const float* gamma, const float* mean, const float* rest,
                        const float* variance, bool of_batch, float* dgamma, float* dbeta,
                        float* dx);

}  // namespace pyconv
