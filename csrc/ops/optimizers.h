// Optimizers: one pass over all parameters of a network.
#pragma once

#include <cstdint>
#include <vector>

#include "simd/kernels.h"

namespace pyconv {

// One parameter: n weights, their gradient, and the optimizer's states, null where not used.
struct Parameter {
    int64_t n;
    float* w;
    const float* g;
    float* state[3];
};

// states: velocity
void sgd_update(const std::vector<Parameter>& parameters, const simd::SgdParams& p);
// states: velocity (mean of squares), mean of gradients, momentum
void rmsprop_update(const std::vector<Parameter>& parameters, const simd::RmspropParams& p);
// states: momentum, velocity, maximum of velocities
void adam_update(const std::vector<Parameter>& parameters, const simd::AdamParams& p);

}  // namespace pyconv
