#include "ops/gaussian_blur.h"

#include <vector>

#include "ops/separable.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

// The largest power of two that divides 256 and all weights.
int common_shift(const uint16_t* w, int64_t count) {
    unsigned bits = 256;
    for (int64_t i = 0; i < count; ++i) bits |= w[i];
    return __builtin_ctz(bits);
}

std::vector<uint16_t> shifted(const uint16_t* w, int64_t count, int shift) {
    std::vector<uint16_t> result(w, w + count);
    for (uint16_t& value : result) value = static_cast<uint16_t>(value >> shift);
    return result;
}

}  // namespace

void gaussian_blur(const FilterShape& s, const float* x, const float* rows, const float* cols,
                   float* y) {
    separable(s, x, rows, cols, 1.f, y);
}

void gaussian_blur(const FilterShape& s, const uint8_t* x, const uint16_t* rows,
                   const uint16_t* cols, uint8_t* y) {
    const int rows_shift = common_shift(rows, s.kernel.h);
    const int cols_shift = common_shift(cols, s.kernel.w);
    // All sums fit into 16 bits where both shortened filters together add up to at most 256.
    const bool narrow = rows_shift + cols_shift >= 8;
    const auto down = shifted(rows, s.kernel.h, narrow ? rows_shift : 0);
    const auto along = shifted(cols, s.kernel.w, narrow ? cols_shift : 0);
    const int shift = narrow ? std::max(1, 16 - rows_shift - cols_shift) : 8;
    const int kh = static_cast<int>(s.kernel.h), kw = static_cast<int>(s.kernel.w);
    if (rows_shift + cols_shift == 16) {  // both filters are of one weight
        for (int64_t i = 0; i < s.oh; ++i)
            std::memcpy(y + i * s.ow * s.c, x + i * s.line(), s.ow * s.c);
        return;
    }
    each_result_row(s, x, [&](const RowWindow<uint8_t>& window) {
        const simd::FilterKernels& k = simd::kernels().filters;
        const int64_t size = s.line() + (s.kernel.w - 1) * s.c;
        Scratch scratch;
        uint16_t* high = scratch.take<uint16_t>(size) + s.left * s.c;
        uint16_t* low = narrow ? nullptr : scratch.take<uint16_t>(size) + s.left * s.c;
        k.symmetric_rows_u8(kh, s.line(), window.rows, down.data(), high, low);
        fill_border(high, s.w, s.c, s.left, s.right(), s.border);
        if (low) fill_border(low, s.w, s.c, s.left, s.right(), s.border);
        k.symmetric_cols_u16(kw, s.ow * s.c, s.c, high - s.left * s.c,
                             low ? low - s.left * s.c : nullptr, along.data(), shift,
                             y + window.row * s.ow * s.c);
    });
}

}  // namespace pyconv
