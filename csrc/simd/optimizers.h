// Updates of weights, with the formulas of Keras 3; RMSprop also with that of Keras 2.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

void sgd(int64_t n, const SgdParams& p, float* w, const float* g, float* velocity) {
    const Vec lr = Vec::set1(p.learning_rate), mu = Vec::set1(p.momentum);
    const Vec decay = Vec::set1(p.weight_decay * p.learning_rate);
    each_vector(n, [&](int64_t i, auto at) {
        Vec weight = at.load(w + i);
        if (p.weight_decay != 0.f) weight = weight - weight * decay;
        const Vec step = at.load(g + i) * lr;
        if (velocity) {
            const Vec v = mu * at.load(velocity + i) - step;
            at.store(v, velocity + i);
            weight = p.nesterov ? weight + (mu * v - step) : weight + v;
        } else {
            weight = weight - step;
        }
        at.store(weight, w + i);
    });
}

template <bool kEpsilonOutside>
void rmsprop_of(int64_t n, const RmspropParams& p, float* w, const float* g, float* velocity,
                float* mean_grad, float* momentum) {
    const Vec lr = Vec::set1(p.learning_rate), rho = Vec::set1(p.rho);
    const Vec rest = Vec::set1(1.f - p.rho), epsilon = Vec::set1(p.epsilon);
    const Vec mu = Vec::set1(p.momentum), decay = Vec::set1(p.weight_decay * p.learning_rate);
    each_vector(n, [&](int64_t i, auto at) {
        Vec weight = at.load(w + i);
        if (p.weight_decay != 0.f) weight = weight - weight * decay;
        const Vec grad = at.load(g + i);
        const Vec v = rho * at.load(velocity + i) + rest * (grad * grad);
        at.store(v, velocity + i);
        Vec spread = v;
        if (mean_grad) {
            const Vec mean = rho * at.load(mean_grad + i) + rest * grad;
            at.store(mean, mean_grad + i);
            spread = v - mean * mean;
        }
        const Vec root =
            kEpsilonOutside ? Vec::sqrt(spread) + epsilon : Vec::sqrt(spread + epsilon);
        Vec step = lr * grad / root;
        if (momentum) {
            step = mu * at.load(momentum + i) + step;
            at.store(step, momentum + i);
        }
        at.store(weight - step, w + i);
    });
}

void rmsprop(int64_t n, const RmspropParams& p, float* w, const float* g, float* velocity,
             float* mean_grad, float* momentum) {
    const auto update = p.epsilon_outside ? rmsprop_of<true> : rmsprop_of<false>;
    update(n, p, w, g, velocity, mean_grad, momentum);
}

void adam(int64_t n, const AdamParams& p, float* w, const float* g, float* m, float* v,
          float* v_max) {
    const Vec alpha = Vec::set1(p.alpha), epsilon = Vec::set1(p.epsilon);
    const Vec rest_1 = Vec::set1(1.f - p.beta_1), rest_2 = Vec::set1(1.f - p.beta_2);
    const Vec decay = Vec::set1(p.weight_decay * p.learning_rate);
    each_vector(n, [&](int64_t i, auto at) {
        Vec weight = at.load(w + i);
        if (p.weight_decay != 0.f) weight = weight - weight * decay;
        const Vec grad = at.load(g + i);
        const Vec m_old = at.load(m + i), v_old = at.load(v + i);
        const Vec m_new = m_old + (grad - m_old) * rest_1;
        const Vec v_new = v_old + (grad * grad - v_old) * rest_2;
        at.store(m_new, m + i);
        at.store(v_new, v + i);
        Vec second = v_new;
        if (v_max) {
            const Vec old = at.load(v_max + i);
            second = Vec::select(Vec::greater_or_nan(v_new, old), v_new, old);
            at.store(second, v_max + i);
        }
        at.store(weight - alpha * m_new / (Vec::sqrt(second) + epsilon), w + i);
    });
}

}  // namespace
}  // namespace pyconv::simd
