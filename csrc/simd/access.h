// Whole vectors and parts of one, and loops over a run of floats.
// Part of kernels.cpp.
#pragma once

// An array of accumulators stays in registers only if every loop over it is fully unrolled.
#if defined(__clang__)
#define PYCONV_UNROLL _Pragma("unroll")
#define PYCONV_UNROLL_BY_2 _Pragma("unroll 2")
#define PYCONV_UNROLL_BY_4 _Pragma("unroll 4")
#else
#define PYCONV_UNROLL _Pragma("GCC unroll 32")
#define PYCONV_UNROLL_BY_2 _Pragma("GCC unroll 2")
#define PYCONV_UNROLL_BY_4 _Pragma("GCC unroll 4")
#endif
#define PYCONV_INLINE inline __attribute__((always_inline))

namespace pyconv::simd {
namespace {

constexpr int kLanes = Vec::kLanes;
constexpr int kTileCols = kTileVecs * kLanes;
constexpr int kLine = 16;  // floats of a line of the caches
static_assert(kTileRows <= kMaxTileRows && kPackedRows <= kMaxPackedRows &&
              kTileCols <= kMaxTileCols);

// Access to a whole vector, and to the first n < kLanes floats of one.
struct Whole {
    Vec load(const float* p) const { return Vec::load(p); }
    void store(Vec v, float* p) const { v.store(p); }
};

struct Part {
    int64_t n;
    Vec load(const float* p) const { return Vec::load_part(p, static_cast<int>(n)); }
    void store(Vec v, float* p) const { v.store_part(p, static_cast<int>(n)); }
};

template <class Body>
void each_vector(int64_t n, Body body) {
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) body(i, Whole{});
    if (i < n) body(i, Part{n - i});
}

}  // namespace
}  // namespace pyconv::simd
