// Colours of pixels (red, green, blue): towards grey, other saturation, other hues.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

constexpr int kPixelBlock = 64;
static_assert(kPixelBlock % kLanes == 0);

struct Colour {
    Vec red, green, blue;
};

PYCONV_INLINE Vec value_of(const Colour& c) { return Vec::max(Vec::max(c.red, c.green), c.blue); }
PYCONV_INLINE Vec span_of(const Colour& c, Vec value) {
    return value - Vec::min(Vec::min(c.red, c.green), c.blue);
}

// ITU-R BT.601. All the way, the three are the same bits.
PYCONV_INLINE Colour towards_grey(const Colour& c, float factor) {
    const Vec grey =
        c.red * Vec::set1(0.2989f) + c.green * Vec::set1(0.587f) + c.blue * Vec::set1(0.114f);
    if (factor == 1) return {grey, grey, grey};
    const Vec f = Vec::set1(factor);
    return {c.red + f * (grey - c.red), c.green + f * (grey - c.green),
            c.blue + f * (grey - c.blue)};
}

// Of hue, saturation and value only the saturation, span / value, is multiplied, up to 1.
PYCONV_INLINE Colour saturated(const Colour& c, float factor) {
    const Vec value = value_of(c), most = value / span_of(c, value);
    const Vec f =
        Vec::select(Vec::not_positive(value), Vec::zero(), Vec::min(most, Vec::set1(factor)));
    return {value - f * (value - c.red), value - f * (value - c.green),
            value - f * (value - c.blue)};
}

// A channel of the colour whose hue is k of six away from where the channel has no part.
PYCONV_INLINE Vec channel(Vec value, Vec span, Vec k) {
    const Vec six = Vec::set1(6);
    for (int i = 0; i < 2; ++i) k = Vec::select(Vec::greater_or_nan(k, six), k - six, k);
    const Vec part = Vec::min(k, Vec::set1(4) - k);
    return value - span * Vec::max(Vec::min(part, Vec::set1(1)), Vec::zero());
}

// turn: 0 to 6, sixths of the circle. Smith, "Color gamut transform pairs", 1978.
PYCONV_INLINE Colour turned(const Colour& c, float turn, float least) {
    const Vec value = value_of(c), span = span_of(c, value);
    const auto red = Vec::equal(value, c.red), green = Vec::equal(value, c.green);
    const Vec rest = Vec::select(green, c.blue - c.red, c.red - c.green);
    const Vec sector = Vec::select(green, Vec::set1(2), Vec::set1(4));
    Vec hue =
        Vec::select(red, c.green - c.blue, rest) / span + Vec::select(red, Vec::zero(), sector);
    hue = Vec::select(Vec::not_positive(span), Vec::zero(), hue) + Vec::set1(turn);
    const Vec depth = Vec::select(Vec::not_positive(value - Vec::set1(least)), Vec::zero(), span);
    return {channel(value, depth, hue + Vec::set1(5)), channel(value, depth, hue + Vec::set1(3)),
            channel(value, depth, hue + Vec::set1(1))};
}

template <class Change>
PYCONV_INLINE void each_colour(int64_t n, const Recolouring& how, const float* x, float* y,
                               Change change) {
    float planes[3][kPixelBlock] = {};
    for (int64_t first = 0; first < n; first += kPixelBlock) {
        const int count = n - first < kPixelBlock ? static_cast<int>(n - first) : kPixelBlock;
        for (int j = 0; j < count; ++j)
            for (int k = 0; k < 3; ++k) planes[k][j] = x[3 * (first + j) + k];
        for (int j = 0; j < kPixelBlock; j += kLanes) {
            const Colour c = change(Colour{Vec::load(planes[0] + j), Vec::load(planes[1] + j),
                                           Vec::load(planes[2] + j)});
            c.red.store(planes[0] + j);
            c.green.store(planes[1] + j);
            c.blue.store(planes[2] + j);
        }
        for (auto& plane : planes)
            for (float& v : plane) {  // NaN stays NaN
                v = v < how.least ? how.least : v;
                v = v > how.most ? how.most : v;
            }
        for (int j = 0; j < count; ++j)
            for (int k = 0; k < 3; ++k) y[3 * (first + j) + k] = planes[k][j];
    }
}

void recolour(int64_t n, const Recolouring& how, const float* x, float* y) {
    switch (how.kind) {
        case Recolouring::kGrey:
            return each_colour(n, how, x, y,
                               [&](const Colour& c) { return towards_grey(c, how.factor); });
        case Recolouring::kSaturation:
            return each_colour(n, how, x, y,
                               [&](const Colour& c) { return saturated(c, how.factor); });
        case Recolouring::kHue:
            return each_colour(n, how, x, y,
                               [&](const Colour& c) { return turned(c, how.factor, how.least); });
    }
}

}  // namespace
}  // namespace pyconv::simd
