// Softmax over the last axis, alone and with cross-entropy.
#pragma once

#include <cstdint>

namespace pyconv {

// x (rows, c) -> y (rows, c)
void softmax_forward(int64_t rows, int64_t c, const float* x, float* y);
// dx = y * (dy - sum(y * dy)); dx may be dy
void softmax_backward(int64_t rows, int64_t c, const float* y, const float* dy, float* dx);

// Cross-entropy of softmax(logits) (rows, c) with one label a row, a class number or a
// distribution (rows, c). loss (rows,); grad (rows, c) = (softmax * sum of labels - labels) *
// scale.
struct CrossEntropy {
    int64_t rows, c;
    const float* logits;
    const int64_t* classes;      // (rows,), or null
    const float* distributions;  // (rows, c), where `classes` is null
    const float* row_scale;      // (rows,), or null for 1
    float* loss;
    float* grad;
};
void softmax_cross_entropy(const CrossEntropy& ce);

}  // namespace pyconv
