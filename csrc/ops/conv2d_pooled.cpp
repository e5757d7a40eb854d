#include "ops/conv2d_pooled.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "ops/conv_taps.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
bool pools_pairs(const Conv2dShape& conv, const WindowShape& pool) {
    return pool.kernel.h == 2 && pool.kernel.w == 2 && pool.strides.h == 2 && pool.strides.w == 2 &&
           pool.padding.top == 0 && pool.padding.left == 0 && pool.oh == conv.oh / 2 &&
           pool.ow == conv.ow / 2;
}

bool pools_in_registers(const Conv2dShape& conv) {
    return conv.groups == 1 && conv.kernel.h * conv.kernel.w * conv.c <= kMaxK;
}

// What one row of windows needs.
struct PooledConv::Row {
    const float* panels;
    const float* bias;
    int flags;
    float* y;
    float* winners;
};

PooledConv::PooledConv(const Conv2dShape& conv) : s_(conv) {
    const bool side_by_side = s_.dilation.w == 1;
    run_ = (side_by_side ? s_.kernel.w : 1) * s_.c;
    const int64_t reach = (s_.kernel.w - 1) * s_.dilation.w, step = 2 * s_.strides.w;
    inner0_ = std::min(s_.ow / 2, ceil_div(s_.padding.left, step));
    inner1_ = std::clamp(floor_div(s_.w - 1 - reach + s_.padding.left - s_.strides.w, step) + 1,
                         inner0_, s_.ow / 2);
    patch_row_ = ((s_.ow - 1) * s_.strides.w + reach + 1) * s_.c;
    for (int64_t kh = 0; kh < s_.kernel.h; ++kh) {
        for (int64_t kw = 0; kw < s_.kernel.w; kw += side_by_side ? s_.kernel.w : 1) {
            const int64_t row = kh * s_.dilation.h, col = kw * s_.dilation.w * s_.c;
            offsets_.push_back(row * s_.w * s_.c + col);
            patch_offsets_.push_back(row * patch_row_ + col);
        }
    }
}

// Windows first .. first + count; `source` is the first cell's first value.
void PooledConv::windows(const Row& row, int64_t first, int64_t count, const float* source,
                         int64_t source_row, const std::vector<int64_t>& offsets) const {
    const simd::Kernels& k = simd::kernels();
    const simd::PooledRow shape{count,
                                static_cast<int64_t>(offsets.size()),
                                run_,
                                s_.strides.h * source_row,
                                s_.strides.w * s_.c,
                                s_.oc};
    const int64_t panel = s_.kernel.h * s_.kernel.w * s_.c * k.nr;
    for (int64_t column = 0; column < s_.oc; column += k.nr) {
        const int64_t at = first * s_.oc + column;
        k.pooled_row(shape, static_cast<int>(std::min<int64_t>(k.nr, s_.oc - column)), source,
                     offsets.data(), row.panels + column / k.nr * panel,
                     row.bias ? row.bias + column : nullptr, row.y + at,
                     row.winners ? row.winners + at : nullptr, row.flags);
    }
}

void PooledConv::run(int64_t images, const float* x, const float* panels, const float* b,
                     Activation activation, float* y, float* winners) const {
    const int64_t rows = s_.oh / 2, cols = s_.ow / 2;
    const int64_t reach = s_.strides.h + (s_.kernel.h - 1) * s_.dilation.h;  // below a window's top
    const int64_t width = s_.w * s_.c, first_col = -s_.padding.left * s_.c;
    parallel_for(images * rows, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* patch = scratch.take<float>((reach + 1) * patch_row_);
        for (int64_t i = begin; i < end; ++i) {
            const int64_t image = i / rows, top = i % rows * 2 * s_.strides.h - s_.padding.top;
            const float* pixels = x + image * s_.h * width;
            const int64_t to = i * cols * s_.oc;
            const Row row{panels, b, activation == Activation::kRelu ? simd::kRelu : 0, y + to,
                          winners ? winners + to : nullptr};
            const bool all_rows = top >= 0 && top + reach < s_.h;
            const int64_t inner0 = all_rows ? inner0_ : cols, inner1 = all_rows ? inner1_ : cols;
            // A copy with its padding serves what reaches over the border.
            const auto copied = [&](int64_t w0, int64_t w1) {
                if (w0 == w1) return;
                const int64_t from = w0 * 2 * s_.strides.w * s_.c + first_col;
                const int64_t length = ((w1 - w0) * 2 * s_.strides.w - s_.strides.w +
                                        (s_.kernel.w - 1) * s_.dilation.w + 1) *
                                       s_.c;
                for (int64_t r = 0; r <= reach; ++r) {
                    float* to_row = patch + r * patch_row_;
                    std::memset(to_row, 0, sizeof(float) * length);
                    const int64_t c0 = std::max<int64_t>(0, from);
                    const int64_t c1 = std::min(width, from + length);
                    if (top + r >= 0 && top + r < s_.h && c0 < c1)
                        std::memcpy(to_row + c0 - from, pixels + (top + r) * width + c0,
                                    sizeof(float) * (c1 - c0));
                }
                windows(row, w0, w1 - w0, patch, patch_row_, patch_offsets_);
            };
            copied(0, inner0);
            if (inner0 < inner1)
                windows(row, inner0, inner1 - inner0,
                        pixels + top * width + inner0 * 2 * s_.strides.w * s_.c + first_col, width,
                        offsets_);
            copied(inner1, cols);
        }
    });
}

}  // namespace pyconv
