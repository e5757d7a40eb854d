// A tile of the image at a time: its rows, with what lies beyond the border, go into a ring of rows
// of float32 that stays in the first-level cache, and each filter reads them from there.

#include "ops/filter2d.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kRingFloats = 8 << 10;
constexpr int64_t kMinTileFloats = 512;
constexpr int64_t kBandRows = 64;  // neighbours read the rows between them twice
// Products of one pass, as the convolution cuts them (conv_taps.cpp).
constexpr int64_t kMaxTaps = 128;

void to_floats(int64_t n, const uint8_t* x, float* y) { simd::kernels().convert_u8(n, x, y); }
void to_floats(int64_t n, const float* x, float* y) { std::memcpy(y, x, sizeof(float) * n); }

// Columns first .. first + count of a row of w cells of c values, which may lie beyond its ends.
template <class T>
void read_row(const T* row, int64_t first, int64_t count, const FilterShape& s, float* to) {
    const int64_t c = s.c, begin = std::clamp<int64_t>(first, 0, s.w),
                  end = std::clamp(first + count, begin, s.w);
    const auto border = [&](int64_t i) {
        const int64_t from = border_index(i, s.w, s.border);
        for (int64_t k = 0; k < c; ++k)
            to[(i - first) * c + k] = from < 0 ? 0.f : static_cast<float>(row[from * c + k]);
    };
    for (int64_t i = first; i < std::min(begin, first + count); ++i) border(i);
    to_floats((end - begin) * c, row + begin * c, to + (begin - first) * c);
    for (int64_t i = std::max(end, first); i < first + count; ++i) border(i);
}

template <class T>
class Tiles {
public:
    Tiles(const FilterShape& s, const T* x, const float* kernel, float delta, void* y,
          PixelType y_type)
        : s_(s),
          x_(x),
          kernel_(kernel),
          delta_(delta),
          y_(y),
          y_type_(y_type),
          ring_(s.kernel.h + simd::kernels().filters.rows - 1) {
        const int64_t floats = std::max(kMinTileFloats, kRingFloats / ring_);
        const int64_t count = ceil_div(s.ow * s.c, floats);
        cols_ = ceil_div(s.ow, count);
        col_tiles_ = ceil_div(s.ow, cols_);
        // Room for the whole vectors that are read.
        ld_ = (cols_ + s.kernel.w - 1) * s.c + simd::kernels().lanes;
    }

    int64_t count() const { return col_tiles_ * ceil_div(s_.oh, kBandRows); }

    void run(int64_t index) const {
        const simd::FilterKernels& k = simd::kernels().filters;
        const int64_t kh = s_.kernel.h, kw = s_.kernel.w;
        const int64_t top = index / col_tiles_ * kBandRows, left = index % col_tiles_ * cols_;
        const int64_t bottom = std::min(s_.oh, top + kBandRows);
        const int64_t cols = std::min(cols_, s_.ow - left), n = cols * s_.c;
        const int64_t height = std::clamp<int64_t>(kMaxTaps / kw, 1, kh);
        Scratch scratch;
        float* ring = scratch.take<float>(ring_ * ld_);
        float* sums = scratch.take<float>(k.rows * n);
        T* zeros = scratch.take<T>(s_.line());
        std::memset(zeros, 0, sizeof(T) * s_.line());
        const float** rows = scratch.take<const float*>(ring_);
        const SourceRows<T> source(s_, x_, zeros);
        int64_t read = top;  // rows that the ring has taken
        for (int64_t i = top; i < bottom; i += k.rows) {
            const int count = static_cast<int>(std::min<int64_t>(k.rows, bottom - i));
            for (; read < i + kh + count - 1; ++read)
                read_row(source[read], left - s_.left, cols + kw - 1, s_,
                         ring + read % ring_ * ld_);
            for (int64_t a = 0; a < kh + count - 1; ++a) rows[a] = ring + (i + a) % ring_ * ld_;
            float* to[simd::kMaxFilterRows];
            for (int r = 0; r < count; ++r)
                to[r] = y_type_ == PixelType::kFloat32 ? static_cast<float*>(y_) + at(i + r, left)
                                                       : sums + r * n;
            for (int64_t a = 0; a < kh; a += height)
                k.correlate(count, n, static_cast<int>(std::min(height, kh - a)),
                            static_cast<int>(kw), s_.c, rows + a, kernel_ + a * kw,
                            a == 0 ? delta_ : 0.f, to, a == 0 ? 0 : simd::kAccumulate);
            for (int r = 0; r < count; ++r) round(n, to[r], at(i + r, left));
        }
    }

private:
    int64_t at(int64_t row, int64_t col) const { return (row * s_.ow + col) * s_.c; }

    void round(int64_t n, const float* sums, int64_t to) const {
        const simd::FilterKernels& k = simd::kernels().filters;
        if (y_type_ == PixelType::kUint8) k.round_u8(n, sums, static_cast<uint8_t*>(y_) + to);
        if (y_type_ == PixelType::kInt16) k.round_i16(n, sums, static_cast<int16_t*>(y_) + to);
    }

    const FilterShape& s_;
    const T* x_;
    const float* kernel_;
    float delta_;
    void* y_;
    PixelType y_type_;
    int64_t ring_;  // rows
    int64_t cols_, col_tiles_, ld_;
};

template <class T>
void run(const FilterShape& s, const T* x, const float* kernel, float delta, void* y,
         PixelType y_type) {
    const Tiles<T> tiles(s, x, kernel, delta, y, y_type);
    parallel_for(tiles.count(), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) tiles.run(i);
    });
}

}  // namespace

void filter2d(const FilterShape& s, const void* x, PixelType x_type, const float* kernel,
              float delta, void* y, PixelType y_type) {
    if (x_type == PixelType::kUint8) {
        run(s, static_cast<const uint8_t*>(x), kernel, delta, y, y_type);
    } else {
        run(s, static_cast<const float*>(x), kernel, delta, y, y_type);
    }
}

}  // namespace pyconv
