// Local response normalization of rows of channels.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

// d^-beta: by square roots for the exponents that networks have.
struct Half {
    static Vec power(Vec d, float) { return Vec::set1(1.f) / Vec::sqrt(d); }
};
struct ThreeQuarters {
    static Vec power(Vec d, float) {
        const Vec root = Vec::sqrt(d);
        return Vec::set1(1.f) / (root * Vec::sqrt(root));
    }
};
struct AnyExponent {
    static Vec power(Vec d, float beta) {
        float lanes[kLanes];
        d.store(lanes);
        for (int i = 0; i < kLanes; ++i) lanes[i] = __builtin_powf(lanes[i], -beta);
        return Vec::load(lanes);
    }
};

template <class Access>
PYCONV_INLINE Vec window_sum(Access at, const float* x, int64_t count) {
    Vec sum = at.load(x);
    for (int64_t t = 1; t < count; ++t) sum = sum + at.load(x + t);
    return sum;
}

// A row between `radius` zeros at each side.
float* padded_row(int64_t c, int64_t radius, float* work) {
    for (int64_t i = 0; i < radius; ++i) work[i] = work[radius + c + i] = 0.f;
    return work + radius;
}

void squares_of(int64_t c, const float* x, float* y) {
    each_vector(c, [&](int64_t j, auto at) {
        const Vec value = at.load(x + j);
        at.store(value * value, y + j);
    });
}

template <class Exponent>
void lrn_rows(int64_t rows, int64_t c, const LrnParams& p, const float* x, float* y, float* work) {
    const int64_t count = 2 * p.radius + 1;
    const Vec alpha = Vec::set1(p.alpha), bias = Vec::set1(p.bias);
    float* squares = padded_row(c, p.radius, work);
    for (int64_t r = 0; r < rows; ++r, x += c, y += c) {
        squares_of(c, x, squares);
        each_vector(c, [&](int64_t j, auto at) {
            const Vec d = Vec::fmadd(alpha, window_sum(at, work + j, count), bias);
            at.store(at.load(x + j) * Exponent::power(d, p.beta), y + j);
        });
    }
}

// dx[j] = dy[j] * d[j]^-beta - 2 * alpha * beta * x[j] * sum over the window of
//   dy[i] * x[i] * d[i]^(-beta - 1)
template <class Exponent>
void lrn_rows_backward(int64_t rows, int64_t c, const LrnParams& p, const float* x, const float* dy,
                       float* dx, float* work) {
    const int64_t count = 2 * p.radius + 1;
    const Vec alpha = Vec::set1(p.alpha), bias = Vec::set1(p.bias);
    const Vec factor = Vec::set1(-2.f * p.alpha * p.beta);
    float* terms_of = work + c + 2 * p.radius;
    float* squares = padded_row(c, p.radius, work);
    float* terms = padded_row(c, p.radius, terms_of);
    for (int64_t r = 0; r < rows; ++r, x += c, dy += c, dx += c) {
        squares_of(c, x, squares);
        each_vector(c, [&](int64_t j, auto at) {
            const Vec d = Vec::fmadd(alpha, window_sum(at, work + j, count), bias);
            const Vec direct = at.load(dy + j) * Exponent::power(d, p.beta);
            at.store(direct * at.load(x + j) / d, terms + j);
            at.store(direct, dx + j);
        });
        each_vector(c, [&](int64_t j, auto at) {
            const Vec through = factor * at.load(x + j);
            at.store(Vec::fmadd(through, window_sum(at, terms_of + j, count), at.load(dx + j)),
                     dx + j);
        });
    }
}

void lrn(int64_t rows, int64_t c, const LrnParams& p, const float* x, float* y, float* work) {
    const auto run = p.beta == 0.75f  ? lrn_rows<ThreeQuarters>
                     : p.beta == 0.5f ? lrn_rows<Half>
                                      : lrn_rows<AnyExponent>;
    run(rows, c, p, x, y, work);
}

void lrn_backward(int64_t rows, int64_t c, const LrnParams& p, const float* x, const float* dy,
                  float* dx, float* work) {
    const auto run = p.beta == 0.75f  ? lrn_rows_backward<ThreeQuarters>
                     : p.beta == 0.5f ? lrn_rows_backward<Half>
                                      : lrn_rows_backward<AnyExponent>;
    run(rows, c, p, x, dy, dx, work);
}

}  // namespace
}  // namespace pyconv::simd
