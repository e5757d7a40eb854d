#include "ops/augment.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

// The cell that stands for cell i of a row of n, or -1 for the constant.
int64_t inside(int64_t i, int64_t n, Outside::Mode mode) {
    if (i >= 0 && i < n) return i;
    switch (mode) {
        case Outside::kConstant:
            return -1;
        case Outside::kNearest:
            return i < 0 ? 0 : n - 1;
        case Outside::kReflect: {
            if (i < 0 && i >= -n) return -1 - i;
            if (i >= n && i < 2 * n) return 2 * n - 1 - i;
            const int64_t at = ((i % (2 * n)) + 2 * n) % (2 * n);
            return at < n ? at : 2 * n - 1 - at;
        }
        case Outside::kWrap:
            return ((i % n) + n) % n;
    }
    return -1;
}

// Calls body(image, row) for all rows of n images of `rows` rows.
template <class Body>
void each_row(int64_t n, int64_t rows, const Body& body) {
    parallel_for(n * rows, [&](int64_t begin, int64_t end) {
        for (int64_t at = begin; at < end; ++at) body(at / rows, at % rows);
    });
}

// y (count, C) = x (count, C) in reverse order; C is 0 where it is not known.
template <int C>
void reverse_pixels(int64_t count, int64_t channels, const float* x, float* y) {
    const int64_t c = C ? C : channels;
    for (int64_t j = 0; j < count; ++j)
        for (int64_t k = 0; k < c; ++k) y[j * c + k] = x[(count - 1 - j) * c + k];
}

void reverse(int64_t count, int64_t c, const float* x, float* y) {
    if (c == 3) return reverse_pixels<3>(count, c, x, y);
    if (c == 1) return reverse_pixels<1>(count, c, x, y);
    reverse_pixels<0>(count, c, x, y);
}

// The four neighbours of a place between cells, and their weights.
struct Place {
    int64_t row, column;
    float down, right;  // shares of the next row and the next column
};

// std::floor is a call where the baseline has no instruction for it.
int64_t floor_of(double x) {
    const int64_t whole = static_cast<int64_t>(x);
    return whole - (static_cast<double>(whole) > x);
}

Place place(double row, double column) {
    const int64_t r = floor_of(row), c = floor_of(column);
    return {r, c, static_cast<float>(row - static_cast<double>(r)),
            static_cast<float>(column - static_cast<double>(c))};
}

// Narrows [begin, end) to those j for which 0 <= start + step * j < limit.
void narrow(double start, double step, double limit, int64_t& begin, int64_t& end) {
    const auto fits = [&](int64_t j) {
        const double at = start + step * static_cast<double>(j);
        return at >= 0 && at < limit;
    };
    if (step != 0) {
        const double from = -start / step, to = (limit - start) / step;
        const double low = std::clamp(std::min(from, to), -1.0, 1e9);
        const double high = std::clamp(std::max(from, to), -1.0, 1e9);
        begin = std::max(begin, floor_of(low));
        end = std::max(begin, std::min(end, floor_of(high) + 2));
    }
    while (begin < end && !fits(begin)) ++begin;
    while (begin < end && !fits(end - 1)) --end;
}

class Warp {
public:
    Warp(const ImageBatch& shape, bool bilinear, const Outside& outside)
        : s_(shape),
          bilinear_(bilinear),
          outside_(outside),
          blank_(shape.w * shape.c, outside.value) {}

    void row(const float* x, const double* a, int64_t i, float* y) const {
        const bool moves_only = a[0] == 1 && a[1] == 0 && a[3] == 0 && a[4] == 1;
        if (moves_only && bilinear_) return moved_row(x, place(i + a[2], a[5]), y);
        const double r = a[0] * i + a[2], c = a[3] * i + a[5];
        int64_t begin = 0, end = bilinear_ ? s_.w : 0;
        narrow(r, a[1], static_cast<double>(s_.h - 1), begin, end);
        narrow(c, a[4], static_cast<double>(s_.w - 1), begin, end);
        for (int64_t j = 0; j < s_.w; ++j) {
            if (j == begin) j = end;
            if (j >= s_.w) break;
            pixel(x, r + a[1] * j, c + a[4] * j, y + j * s_.c);
        }
        if (s_.c == 3) return inner_pixels<3>(x, r, a[1], c, a[4], begin, end, y);
        if (s_.c == 1) return inner_pixels<1>(x, r, a[1], c, a[4], begin, end, y);
        inner_pixels<0>(x, r, a[1], c, a[4], begin, end, y);
    }

private:
    // A row of x, or of the constant where there is none.
    const float* row_at(const float* x, int64_t r) const {
        const int64_t at = inside(r, s_.h, outside_.mode);
        return at < 0 ? blank_.data() : x + at * s_.w * s_.c;
    }
    const float* cell_at(const float* row, int64_t column) const {
        const int64_t at = inside(column, s_.w, outside_.mode);
        return at < 0 ? blank_.data() : row + at * s_.c;
    }

    // y (c): the place between two rows.
    void mix(const float* upper, const float* lower, const Place& at, float* y) const {
        const float* a = cell_at(upper, at.column);
        const float* b = cell_at(upper, at.column + 1);
        const float* c = cell_at(lower, at.column);
        const float* d = cell_at(lower, at.column + 1);
        for (int64_t k = 0; k < s_.c; ++k) {
            const float above = a[k] * (1 - at.right) + b[k] * at.right;
            const float below = c[k] * (1 - at.right) + d[k] * at.right;
            y[k] = above * (1 - at.down) + below * at.down;
        }
    }

    void pixel(const float* x, double row, double column, float* y) const {
        if (!bilinear_) {
            const float* line = row_at(x, static_cast<int64_t>(std::nearbyint(row)));
            const float* cell = cell_at(line, static_cast<int64_t>(std::nearbyint(column)));
            std::copy(cell, cell + s_.c, y);
            return;
        }
        const Place at = place(row, column);
        mix(row_at(x, at.row), row_at(x, at.row + 1), at, y);
    }

    // Pixels [begin, end) of a row, whose neighbours all lie inside of the image; C channels, 0
    // where they are not known.
    template <int C>
    void inner_pixels(const float* x, double r, double r_step, double c, double c_step,
                      int64_t begin, int64_t end, float* y) const {
        const int64_t channels = C ? C : s_.c, line = s_.w * channels;
        for (int64_t j = begin; j < end; ++j) {
            const double row = r + r_step * static_cast<double>(j);
            const double column = c + c_step * static_cast<double>(j);
            const int32_t r0 = static_cast<int32_t>(row), c0 = static_cast<int32_t>(column);
            const float down = static_cast<float>(row - r0),
                        right = static_cast<float>(column - c0);
            const float* upper = x + r0 * line + c0 * channels;
            const float* lower = upper + line;
            float* out = y + j * channels;
            for (int64_t k = 0; k < channels; ++k) {
                const float above = upper[k] * (1 - right) + upper[k + channels] * right;
                const float below = lower[k] * (1 - right) + lower[k + channels] * right;
                out[k] = above * (1 - down) + below * down;
            }
        }
    }

    // All cells of the row are shifted alike: those whose neighbours lie inside, at once.
    void moved_row(const float* x, const Place& first, float* y) const {
        const float* upper = row_at(x, first.row);
        const float* lower = row_at(x, first.row + 1);
        const int64_t begin = std::clamp<int64_t>(-first.column, 0, s_.w);
        const int64_t end = std::clamp<int64_t>(s_.w - 1 - first.column, begin, s_.w);
        for (int64_t j = 0; j < s_.w; ++j) {
            if (j == begin) j = end;
            if (j >= s_.w) break;
            Place at = first;
            at.column += j;
            mix(upper, lower, at, y + j * s_.c);
        }
        if (begin == end) return;
        const int64_t from = (begin + first.column) * s_.c;
        const float* taps[] = {upper + from, upper + from + s_.c, lower + from,
                               lower + from + s_.c};
        const float weights[] = {(1 - first.down) * (1 - first.right),
                                 (1 - first.down) * first.right, first.down * (1 - first.right),
                                 first.down * first.right};
        simd::kernels().mix4((end - begin) * s_.c, taps, weights, y + begin * s_.c);
    }

    ImageBatch s_;
    bool bilinear_;
    Outside outside_;
    std::vector<float> blank_;
};

}  // namespace

void crop_flip(const ImageBatch& s, int64_t oh, int64_t ow, const float* x, const int64_t* cuts,
               const Outside& outside, float* y) {
    each_row(s.n, oh, [&](int64_t n, int64_t i) {
        const int64_t top = cuts[4 * n], left = cuts[4 * n + 1];
        const bool rows_flip = cuts[4 * n + 2] != 0, columns_flip = cuts[4 * n + 3] != 0;
        float* out = y + (n * oh + i) * ow * s.c;
        const int64_t row = inside(top + (rows_flip ? oh - 1 - i : i), s.h, outside.mode);
        if (row < 0) {
            std::fill(out, out + ow * s.c, outside.value);
            return;
        }
        const float* in = x + (n * s.h + row) * s.w * s.c;
        // Columns [begin, end) of the cut lie inside of the image.
        const int64_t begin = std::clamp<int64_t>(-left, 0, ow);
        const int64_t end = std::clamp<int64_t>(s.w - left, begin, ow);
        if (begin < end) {
            const float* middle = in + (left + begin) * s.c;
            if (columns_flip)
                reverse(end - begin, s.c, middle, out + (ow - end) * s.c);
            else
                std::memcpy(out + begin * s.c, middle, sizeof(float) * (end - begin) * s.c);
        }
        for (int64_t j = 0; j < ow; ++j) {
            if (j == begin) j = end;
            if (j >= ow) break;
            const int64_t column = inside(left + j, s.w, outside.mode);
            float* pixel = out + (columns_flip ? ow - 1 - j : j) * s.c;
            if (column < 0)
                std::fill(pixel, pixel + s.c, outside.value);
            else
                std::copy(in + column * s.c, in + (column + 1) * s.c, pixel);
        }
    });
}

void affine_transform(const ImageBatch& s, const float* x, const double* matrices, bool bilinear,
                      const Outside& outside, float* y) {
    const Warp warp(s, bilinear, outside);
    const int64_t image = s.h * s.w * s.c;
    each_row(s.n, s.h, [&](int64_t n, int64_t i) {
        warp.row(x + n * image, matrices + 6 * n, i, y + n * image + i * s.w * s.c);
    });
}

void erase(const ImageBatch& s, const float* x, const int64_t* boxes, const float* values,
           float* y) {
    each_row(s.n, s.h, [&](int64_t n, int64_t i) {
        const int64_t at = (n * s.h + i) * s.w * s.c;
        std::memcpy(y + at, x + at, sizeof(float) * s.w * s.c);
        const int64_t* box = boxes + 4 * n;
        if (i < box[0] || i >= box[1]) return;
        for (int64_t j = box[2]; j < box[3]; ++j)
            std::copy(values + n * s.c, values + (n + 1) * s.c, y + at + j * s.c);
    });
}

}  // namespace pyconv
