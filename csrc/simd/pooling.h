// Rows of pooling windows.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

// The largest of a window's values, and which of them it is.
template <class At>
PYCONV_INLINE void find_max(const WindowRow& w, const float* const* taps, int64_t offset, At at,
                            Vec& best, Vec& winner) {
    best = Vec::set1(-__builtin_inff());
    winner = Vec::zero();
    for (int t = 0; t < w.count; ++t) {
        const Vec x = at.load(taps[t] + offset);
        const auto better = Vec::greater_or_nan(x, best);
        best = Vec::select(better, x, best);
        winner = Vec::select(better, Vec::set1(static_cast<float>(t)), winner);
    }
}

// A vector or its first n lanes.
PYCONV_INLINE void store_lanes(Vec v, int n, float* p) {
    if (n >= kLanes) {
        v.store(p);
    } else {
        Part{n}.store(v, p);
    }
}

// As store_largest, where a cell or a sum may be NaN; by value, as cells that have an address would
// be stored where none is.
__attribute__((noinline)) void store_largest_or_nan(Vec c0, Vec c1, Vec c2, Vec c3, int n, float* y,
                                                    float* winners, int flags) {
    const Vec cells[4] = {c0, c1, c2, c3};
    const auto value = [&](int i) { return flags & kRelu ? Vec::relu(cells[i]) : cells[i]; };
    Vec best = value(0), winner = Vec::zero();
    for (int i = 1; i < 4; ++i) {
        const Vec x = value(i);
        const auto better = Vec::greater_or_nan(x, best);
        best = Vec::select(better, x, best);
        winner = Vec::select(better, Vec::set1(static_cast<float>(i)), winner);
    }
    store_lanes(best, n, y);
    if (winners) store_lanes(winner, n, winners);
}

// Stores the largest of a window of four cells, to each of which `bias` is added unless it is null,
// and which it is where `winners` asks for it: the first n channels, at most a vector.
PYCONV_INLINE void store_largest(Vec c0, Vec c1, Vec c2, Vec c3, const Vec* bias, int n, float* y,
                                 float* winners, int flags) {
    const auto largest = [](Vec a, Vec b, Vec c, Vec d) {
        return Vec::max(d, Vec::max(c, Vec::max(b, a)));
    };
    const auto biased = [&](Vec v) { return bias ? v + *bias : v; };
    const auto activated = [&](Vec v) { return flags & kRelu ? Vec::relu(v) : v; };
    // NaN where a cell is, or infinite, of which a sum may be NaN.
    const Vec sum = (c0 + c1) + (c2 + c3);
    if (Vec::any_nan(sum - sum)) [[unlikely]] {
        store_largest_or_nan(biased(c0), biased(c1), biased(c2), biased(c3), n, y, winners, flags);
        return;
    }
    if (!winners) {
        // Sums and ReLUs of the largest are the largest of the sums and of the ReLUs.
        store_lanes(activated(biased(largest(c0, c1, c2, c3))), n, y);
        return;
    }
    c0 = activated(biased(c0));
    c1 = activated(biased(c1));
    c2 = activated(biased(c2));
    c3 = activated(biased(c3));
    const Vec best = largest(c0, c1, c2, c3);
    Vec winner = Vec::set1(3.f);
    winner = Vec::select(Vec::equal(c2, best), Vec::set1(2.f), winner);
    winner = Vec::select(Vec::equal(c1, best), Vec::set1(1.f), winner);
    winner = Vec::select(Vec::equal(c0, best), Vec::zero(), winner);
    store_lanes(best, n, y);
    store_lanes(winner, n, winners);
}

// Gives the gradient to the cell that won, and 0 to the others.
template <class At>
PYCONV_INLINE void give_to_winner(const WindowRow& w, Vec winner, Vec grad, int64_t offset, At at,
                                  float* const* dtaps) {
    for (int t = 0; t < w.count; ++t) {
        const auto won = Vec::equal(winner, Vec::set1(static_cast<float>(t)));
        float* dx = dtaps[t] + offset;
        if (w.overlap) {
            const Vec old = at.load(dx);
            at.store(Vec::select(won, old + grad, old), dx);
        } else {
            at.store(Vec::select(won, Vec::zero() + grad, Vec::zero()), dx);
        }
    }
}

void max_windows(const WindowRow& w, const float* const* taps, float* y, float* winners) {
    for (int64_t p = 0; p < w.windows; ++p, y += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            Vec best, winner;
            find_max(w, taps, at_window + i, at, best, winner);
            at.store(best, y + i);
            if (winners) at.store(winner, winners + p * w.c + i);
        });
    }
}

void max_windows_unpool(const WindowRow& w, const float* winners, const float* dy,
                        float* const* dtaps) {
    for (int64_t p = 0; p < w.windows; ++p, dy += w.c, winners += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            give_to_winner(w, at.load(winners + i), at.load(dy + i), at_window + i, at, dtaps);
        });
    }
}

void max_windows_backward(const WindowRow& w, const float* const* taps, const float* dy,
                          float* const* dtaps) {
    for (int64_t p = 0; p < w.windows; ++p, dy += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            Vec best, winner;
            find_max(w, taps, at_window + i, at, best, winner);
            give_to_winner(w, winner, at.load(dy + i), at_window + i, at, dtaps);
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
