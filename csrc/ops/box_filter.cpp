#include "ops/box_filter.h"

#include <vector>

#include "ops/separable.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kShortCells = 256;  // so many times 255, and half of them, fit into 16 bits
constexpr int64_t kDirectRows = 4;    // beyond, sums of columns move from row to row

// x / d = (x + add) * factor / 2^(16 + shift), rounded down, for d from 2 to 256 and x below 256 d
// (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994).
struct Division {
    uint16_t add, factor;
    int shift;
};

bool exact(const Division& by, uint32_t d) {
    const auto quotient = [&](uint32_t x) {
        return (x + by.add) * static_cast<uint64_t>(by.factor) >> (16 + by.shift);
    };
    if (255 * d + d / 2 + by.add > UINT16_MAX) return false;
    for (uint32_t q = 1; q < 256; ++q)
        if (quotient(q * d) != q || quotient(q * d - 1) != q - 1) return false;
    return quotient(255 * d + d / 2) == 255;
}

// Rounded to the nearest, half up: that of x + d / 2. Where d is a power of two OpenCV divides
// x + d / 2 + 1, and so do we, to be equal: for two cells a whole mean comes out one too large.
Division division(uint32_t d) {
    if ((d & (d - 1)) == 0)
        return {static_cast<uint16_t>(d / 2 + 1), 1 << 15, __builtin_ctz(d) - 1};
    for (int shift = 8; shift >= 0; --shift) {
        const uint32_t floor = (uint32_t{1} << (16 + shift)) / d;
        for (uint32_t up = 0; up < 2; ++up) {  // rounded up; or down, with 1 more in x
            const uint32_t factor = floor + 1 - up;
            if (factor > UINT16_MAX) continue;
            Division by{static_cast<uint16_t>(up), static_cast<uint16_t>(factor), shift};
            if (!exact(by, d)) continue;
            by.add = static_cast<uint16_t>(by.add + d / 2);
            return by;
        }
    }
    return {};
}

// Sums of each column's kh values, in T, for one row of the result after the other.
template <class T>
class ColumnSums {
public:
    ColumnSums(const FilterShape& s, const uint8_t* x, Scratch& scratch)
        : s_(s), rows_(scratch.take<const uint8_t*>(s.kernel.h)) {
        uint8_t* zeros = scratch.take<uint8_t>(s.line());
        std::memset(zeros, 0, s.line());
        x_ = x;
        zeros_ = zeros;
        sums_ = scratch.take<T>(s.line() + (s.kernel.w - 1) * s.c) + s.left * s.c;
    }

    // Of the windows of result row i; returns the first one's first column.
    const T* take(int64_t i);

private:
    void move(int64_t n, const uint8_t* in, const uint8_t* out, uint16_t* y) {
        simd::kernels().filters.move_rows_u16(n, in, out, y);
    }
    void move(int64_t n, const uint8_t* in, const uint8_t* out, int32_t* y) {
        simd::kernels().filters.move_rows_i32(n, in, out, y);
    }

    const FilterShape& s_;
    const uint8_t *x_, *zeros_;
    const uint8_t** rows_;
    T* sums_;
    int64_t last_ = -2;  // the result row that the sums are of
};

template <class T>
const T* ColumnSums<T>::take(int64_t i) {
    const SourceRows<uint8_t> source(s_, x_, zeros_);
    const int64_t kh = s_.kernel.h, n = s_.line();
    if (sizeof(T) == sizeof(uint16_t) && (last_ != i - 1 || kh <= kDirectRows)) {
        for (int64_t a = 0; a < kh; ++a) rows_[a] = source[i + a];
        simd::kernels().filters.sum_rows_u8(static_cast<int>(kh), n, rows_,
                                            reinterpret_cast<uint16_t*>(sums_));
    } else if (last_ != i - 1) {
        std::memset(sums_, 0, sizeof(T) * n);
        for (int64_t a = 0; a < kh; ++a) move(n, source[i + a], zeros_, sums_);
    } else {
        move(n, source[i + kh - 1], source[i - 1], sums_);
    }
    last_ = i;
    fill_border(sums_, s_.w, s_.c, s_.left, s_.right(), s_.border);
    return sums_ - s_.left * s_.c;
}

// Sums of kw neighbours, c apart, that move from one to the next.
void moving_sums(const FilterShape& s, const int32_t* x, int32_t* y) {
    for (int64_t k = 0; k < s.c; ++k) {
        int32_t sum = 0;
        for (int64_t b = 0; b < s.kernel.w; ++b) sum += x[b * s.c + k];
        y[k] = sum;
        for (int64_t j = 1; j < s.ow; ++j) {
            sum += x[(j + s.kernel.w - 1) * s.c + k] - x[(j - 1) * s.c + k];
            y[j * s.c + k] = sum;
        }
    }
}

}  // namespace

void box_filter(const FilterShape& s, const float* x, bool mean, float* y) {
    const std::vector<float> ones(std::max(s.kernel.h, s.kernel.w), 1.f);
    const float cells = static_cast<float>(s.kernel.h * s.kernel.w);
    separable(s, x, ones.data(), ones.data(), mean ? cells : 1.f, y);
}

void box_filter(const FilterShape& s, const uint8_t* x, bool mean, uint8_t* y) {
    const int64_t cells = s.kernel.h * s.kernel.w, n = s.ow * s.c;
    if (mean && cells > 1 && cells <= kShortCells) {
        const Division by = division(static_cast<uint32_t>(cells));
        parallel_for(s.oh, [&](int64_t begin, int64_t end) {
            const simd::FilterKernels& k = simd::kernels().filters;
            Scratch scratch;
            ColumnSums<uint16_t> columns(s, x, scratch);
            for (int64_t i = begin; i < end; ++i)
                k.mean_cols_u16(static_cast<int>(s.kernel.w), n, s.c, columns.take(i), by.add,
                                by.factor, by.shift, y + i * n);
        });
        return;
    }
    const float scale = mean ? 1.f / static_cast<float>(cells) : 1.f;
    parallel_for(s.oh, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        ColumnSums<int32_t> columns(s, x, scratch);
        int32_t* sums = scratch.take<int32_t>(n);
        for (int64_t i = begin; i < end; ++i) {
            moving_sums(s, columns.take(i), sums);
            simd::kernels().filters.scale_i32(n, sums, scale, y + i * n);
        }
    });
}

}  // namespace pyconv
