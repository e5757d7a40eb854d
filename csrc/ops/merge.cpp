#include "ops/merge.h"

#include <algorithm>
#include <cstring>

#include "ops/elementwise.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

// copy(part, its first channel, row, channels of all parts) for each part of each row
template <class Parts, class Copy>
void each_part(int64_t rows, const Parts& parts, const Copy& copy) {
    int64_t c = 0;
    for (const auto& part : parts) c += part.c;
    const int64_t piece = std::max<int64_t>(kElementwisePiece / std::max<int64_t>(c, 1), 1);
    parallel_for(ceil_div(rows, piece), [&](int64_t begin, int64_t end) {
        const int64_t last = std::min(rows, end * piece);
        for (int64_t r = begin * piece; r < last; ++r) {
            int64_t at = 0;
            for (const auto& part : parts) {
                copy(part, at, r, c);
                at += part.c;
            }
        }
    });
}

size_t bytes(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

}  // namespace

void add_forward(int64_t n, const float* a, const float* b, Activation activation, float* y) {
    const int flags = activation == Activation::kRelu ? simd::kRelu : 0;
    parallel_elements(n, [&](int64_t begin, int64_t end) {
        simd::kernels().sum(end - begin, a + begin, b + begin, y + begin, flags);
    });
}

void concat_forward(int64_t rows, const std::vector<Columns<const float>>& xs, float* y) {
    each_part(rows, xs, [&](const Columns<const float>& x, int64_t at, int64_t r, int64_t c) {
        std::memcpy(y + r * c + at, x.data + r * x.c, bytes(x.c));
    });
}

void concat_backward(int64_t rows, const float* dy, const std::vector<Columns<float>>& dxs) {
    each_part(rows, dxs, [&](const Columns<float>& dx, int64_t at, int64_t r, int64_t c) {
        std::memcpy(dx.data + r * dx.c, dy + r * c + at, bytes(dx.c));
    });
}

}  // namespace pyconv
