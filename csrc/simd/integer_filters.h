// Filters of images in uint8, exact in integers of 16 bits.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

constexpr int kShorts = 2 * kLanes;  // values of a Shorts
static_assert(sizeof(Shorts) == sizeof(uint16_t) * kShorts);

// One way to work on kShorts values at once and another for one of them.
struct ManyShorts {
    using Value = Shorts;
    static constexpr int kCount = kShorts;
    static Shorts load(const uint8_t* p) { return widen(p); }
    static Shorts load(const uint16_t* p) {
        Shorts v;
        __builtin_memcpy(&v, p, sizeof v);
        return v;
    }
    static void store(Shorts v, uint16_t* p) { __builtin_memcpy(p, &v, sizeof v); }
    static void store(Shorts v, uint8_t* p) { narrow(v, p); }
    static Shorts set1(uint16_t x) { return Shorts{} + x; }
    static Shorts high(Shorts a, Shorts b) { return high_product(a, b); }
};

struct OneShort {
    using Value = uint16_t;
    static constexpr int kCount = 1;
    template <class T>
    static uint16_t load(const T* p) {
        return *p;
    }
    static void store(uint16_t v, uint16_t* p) { *p = v; }
    static void store(uint16_t v, uint8_t* p) { *p = static_cast<uint8_t>(v < 255 ? v : 255); }
    static uint16_t set1(uint16_t x) { return x; }
    static uint16_t high(uint16_t a, uint16_t b) {
        return static_cast<uint16_t>(static_cast<uint32_t>(a) * b >> 16);
    }
};

// Calls body(j, access) with blocks of four vectors, then of one, then for single values. What is
// written is not read, so that the last vector may begin earlier and repeat some values.
template <class Body>
PYCONV_INLINE void each_shorts(int64_t n, const Body& body) {
    int64_t j = 0;
    for (; j + 4 * kShorts <= n; j += 4 * kShorts) body.template operator()<4>(j, ManyShorts{});
    for (; j + kShorts <= n; j += kShorts) body.template operator()<1>(j, ManyShorts{});
    if (j == n) return;
    if (n >= kShorts) return body.template operator()<1>(n - kShorts, ManyShorts{});
    for (; j < n; ++j) body.template operator()<1>(j, OneShort{});
}

// In place of a number of weights: the weights 1, 2, 1, which need no multiplication.
constexpr int kBinomial = -3;

// A symmetric filter: cell(t) points at what weight t of `count` meets.
template <int kCount, int V, class Access, class Cell>
PYCONV_INLINE void symmetric_sum(Access at, const int count, const uint16_t* w, const Cell& cell,
                                 typename Access::Value (&acc)[V]) {
    using Value = typename Access::Value;
    const int middle = count / 2;
    PYCONV_UNROLL
    for (int v = 0; v < V; ++v) {
        const Value x = at.load(cell(middle) + v * Access::kCount);
        acc[v] = static_cast<Value>(kCount == kBinomial ? x + x : x * w[middle]);
    }
    for (int t = 0; t < middle; ++t) {
        const auto *a = cell(t), *b = cell(count - 1 - t);
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) {
            const Value pair = at.load(a + v * Access::kCount) + at.load(b + v * Access::kCount);
            acc[v] += static_cast<Value>(kCount == kBinomial ? pair : pair * w[t]);
        }
    }
}

// Calls body<kCount>() with the usual numbers of weights as constants, which unrolls loops over
// them, and body<0>() with others; body<kBinomial>() where they are 1, 2, 1.
template <class Body>
PYCONV_INLINE void with_count(int count, const uint16_t* w, const Body& body) {
    if (count == 3 && w[0] == 1 && w[1] == 2) return body.template operator()<kBinomial>();
    if (count == 3) return body.template operator()<3>();
    if (count == 5) return body.template operator()<5>();
    if (count == 7) return body.template operator()<7>();
    body.template operator()<0>();
}

template <int kCount, bool kSplit>
void symmetric_rows_u8(int any_count, int64_t n, const uint8_t* const* x, const uint16_t* w,
                       uint16_t* y, uint16_t* low) {
    const int count = kCount > 0 ? kCount : kCount == kBinomial ? 3 : any_count;
    each_shorts(n, [&]<int V, class Access>(int64_t j, Access at) {
        using Value = typename Access::Value;
        Value acc[V];
        symmetric_sum<kCount>(at, count, w, [&](int t) { return x[t] + j; }, acc);
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) {
            const int64_t to = j + v * Access::kCount;
            if (kSplit) {
                at.store(static_cast<Value>(acc[v] >> 8), y + to);
                at.store(static_cast<Value>(acc[v] & 255), low + to);
            } else {
                at.store(acc[v], y + to);
            }
        }
    });
}

void any_symmetric_rows_u8(int count, int64_t n, const uint8_t* const* x, const uint16_t* w,
                           uint16_t* y, uint16_t* low) {
    with_count(count, w, [&]<int kCount>() {
        if (low) return symmetric_rows_u8<kCount, true>(count, n, x, w, y, low);
        symmetric_rows_u8<kCount, false>(count, n, x, w, y, low);
    });
}

template <int kCount, bool kSplit>
void symmetric_cols_u16(int any_count, int64_t n, int64_t step, const uint16_t* x,
                        const uint16_t* low, const uint16_t* w, int shift, uint8_t* y) {
    const int count = kCount > 0 ? kCount : kCount == kBinomial ? 3 : any_count;
    const uint16_t half = static_cast<uint16_t>(1 << (shift - 1));
    each_shorts(n, [&]<int V, class Access>(int64_t j, Access at) {
        using Value = typename Access::Value;
        Value acc[V];
        symmetric_sum<kCount>(at, count, w, [&](int t) { return x + j + t * step; }, acc);
        if (kSplit) {
            Value rest[V];
            symmetric_sum<kCount>(at, count, w, [&](int t) { return low + j + t * step; }, rest);
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[v] += static_cast<Value>(rest[v] >> 8);
        }
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v)
            at.store(static_cast<Value>(static_cast<Value>(acc[v] + half) >> shift),
                     y + j + v * Access::kCount);
    });
}

void any_symmetric_cols_u16(int count, int64_t n, int64_t step, const uint16_t* x,
                            const uint16_t* low, const uint16_t* w, int shift, uint8_t* y) {
    with_count(count, w, [&]<int kCount>() {
        if (low) return symmetric_cols_u16<kCount, true>(count, n, step, x, low, w, shift, y);
        symmetric_cols_u16<kCount, false>(count, n, step, x, low, w, shift, y);
    });
}

void sum_rows_u8(int count, int64_t n, const uint8_t* const* x, uint16_t* y) {
    each_shorts(n, [&]<int V, class Access>(int64_t j, Access at) {
        typename Access::Value acc[V];
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) acc[v] = at.load(x[0] + j + v * Access::kCount);
        for (int t = 1; t < count; ++t) {
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[v] += at.load(x[t] + j + v * Access::kCount);
        }
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) at.store(acc[v], y + j + v * Access::kCount);
    });
}

void mean_cols_u16(int count, int64_t n, int64_t step, const uint16_t* x, uint16_t add,
                   uint16_t factor, int shift, uint8_t* y) {
    each_shorts(n, [&]<int V, class Access>(int64_t j, Access at) {
        using Value = typename Access::Value;
        Value acc[V];
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) acc[v] = at.load(x + j + v * Access::kCount) + at.set1(add);
        for (int t = 1; t < count; ++t) {
            const uint16_t* from = x + j + t * step;
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[v] += at.load(from + v * Access::kCount);
        }
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v)
            at.store(static_cast<Value>(at.high(acc[v], at.set1(factor)) >> shift),
                     y + j + v * Access::kCount);
    });
}

template <class T>
void move_rows_u8(int64_t n, const uint8_t* __restrict in, const uint8_t* __restrict out,
                  T* __restrict y) {
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(y[i] + in[i] - out[i]);
}

}  // namespace
}  // namespace pyconv::simd
