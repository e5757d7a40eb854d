// Optimizers: one pass over all parameters of a network.
#pragma once

#include <cstdint>
#include <vector>

#include "simd/kernels.h"

namespace pyconv {

// A gradient that is not multiplied out: x (rows, in), dy (rows, units) -> x' x dy (in, units)
struct Product {
    int64_t rows, in, units;
    const float* x;
    const float* dy;
};

// One parameter: n weights, their gradient, and the optimizer's states, null where not used.
struct Parameter {
    int64_t n;
    float* w;
    const float* g;
    float* state[3];
    const Product* product = nullptr;  // in place of g, on the CPU alone
};

// states: velocity
void sgd_update(const std::vector<Parameter>& parameters, const simd::SgdParams& p);
// states: velocity (mean of squares), mean of gradients, momentum
void rmsprop_update(const std::vector<Parameter>& parameters, const simd::RmspropParams& p);
// states: momentum, velocity, maximum of velocities
void adam_update(const std::vector<Parameter>& parameters, const simd::AdamParams& p);

}  // namespace pyconv
