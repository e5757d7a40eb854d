// Rows of pooling windows.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

void max_windows(const WindowRow& w, const float* const* taps, float* y) {
    for (int64_t p = 0; p < w.windows; ++p, y += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            Vec best = Vec::set1(-__builtin_inff());
            for (int t = 0; t < w.count; ++t) {
                const Vec x = at.load(taps[t] + at_window + i);
                best = Vec::select(Vec::greater_or_nan(x, best), x, best);
            }
            at.store(best, y + i);
        });
    }
}

void max_windows_backward(const WindowRow& w, const float* const* taps, const float* dy,
                          float* const* dtaps) {
    for (int64_t p = 0; p < w.windows; ++p, dy += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            Vec best = Vec::set1(-__builtin_inff());
            Vec winner = Vec::zero();
            for (int t = 0; t < w.count; ++t) {
                const Vec x = at.load(taps[t] + at_window + i);
                const auto better = Vec::greater_or_nan(x, best);
                best = Vec::select(better, x, best);
                winner = Vec::select(better, Vec::set1(static_cast<float>(t)), winner);
            }
            const Vec grad = at.load(dy + i);
            for (int t = 0; t < w.count; ++t) {
                const auto won = Vec::equal(winner, Vec::set1(static_cast<float>(t)));
                float* dx = dtaps[t] + at_window + i;
                if (w.overlap) {
                    const Vec old = at.load(dx);
                    at.store(Vec::select(won, old + grad, old), dx);
                } else {
                    at.store(Vec::select(won, Vec::zero() + grad, Vec::zero()), dx);
                }
            }
        });
    }
}

void mean_windows(const WindowRow& w, const float* const* taps, float* y) {
    const Vec divisor = Vec::set1(static_cast<float>(w.count));
    for (int64_t p = 0; p < w.windows; ++p, y += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            Vec sum = Vec::zero();
            for (int t = 0; t < w.count; ++t) sum = sum + at.load(taps[t] + at_window + i);
            at.store(sum / divisor, y + i);
        });
    }
}

void mean_windows_backward(const WindowRow& w, const float* dy, float* const* dtaps) {
    const Vec divisor = Vec::set1(static_cast<float>(w.count));
    for (int64_t p = 0; p < w.windows; ++p, dy += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            const Vec share = at.load(dy + i) / divisor;
            for (int t = 0; t < w.count; ++t) {
                float* dx = dtaps[t] + at_window + i;
                at.store(w.overlap ? at.load(dx) + share : share, dx);
            }
        });
    }
}

}  // namespace
}  // namespace pyconv::simd
