#include "ops/optimizers.h"

#include <algorithm>

#include "check.h"
#include "parallel.h"

namespace pyconv {
namespace {

// Calls update(n, w, g, s0, s1, s2) on pieces of the parameters, shared out over the threads.
template <class Update>
void for_each_piece(const std::vector<Parameter>& parameters, const Update& update) {
    constexpr int64_t kPiece = 16 * 1024;
    std::vector<int64_t> first{0};  // piece at which each parameter begins
    for (const Parameter& parameter : parameters)
        first.push_back(first.back() + ceil_div(parameter.n, kPiece));
    parallel_for(first.back(), [&](int64_t begin, int64_t end) {
        size_t i = std::upper_bound(first.begin(), first.end(), begin) - first.begin() - 1;
        for (int64_t piece = begin; piece < end; ++piece) {
            while (piece >= first[i + 1]) ++i;
            const Parameter& p = parameters[i];
            const int64_t at = (piece - first[i]) * kPiece, n = std::min(kPiece, p.n - at);
            const auto state = [&](int k) { return p.state[k] ? p.state[k] + at : nullptr; };
            update(n, p.w + at, p.g + at, state(0), state(1), state(2));
        }
    });
}

}  // namespace

void sgd_update(const std::vector<Parameter>& parameters, const simd::SgdParams& p) {
    for_each_piece(parameters, [&](int64_t n, float* w, const float* g, float* velocity, float*,
                                   float*) { simd::kernels().sgd(n, p, w, g, velocity); });
}

void rmsprop_update(const std::vector<Parameter>& parameters, const simd::RmspropParams& p) {
    for_each_piece(parameters, [&](int64_t n, float* w, const float* g, float* velocity,
                                   float* mean_grad, float* momentum) {
        simd::kernels().rmsprop(n, p, w, g, velocity, mean_grad, momentum);
    });
}

void adam_update(const std::vector<Parameter>& parameters, const simd::AdamParams& p) {
    for_each_piece(parameters,
                   [&](int64_t n, float* w, const float* g, float* m, float* v, float* v_max) {
                       simd::kernels().adam(n, p, w, g, m, v, v_max);
                   });
}

}  // namespace pyconv
