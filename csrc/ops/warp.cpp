#include "ops/warp.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kSlack = 16;  // floats that are read beyond an image

// What is read of an axis of n cells: `before` cells ahead of it, and n + before + after in all.
struct Frame {
    int64_t before, after;
};

// As many on each side as an image needs that turns by any angle.
int64_t most_around(int64_t n) { return n / 4 + 2; }

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

// For places at + across * j + down * i, j below w and i below h, or nothing where it is too large.
std::optional<Frame> frame_for(double at, double down, double across, const ImageSize& s,
                               int64_t n) {
    constexpr double kMargin = 1e-3;  // of what rounding moves
    const double height = static_cast<double>(s.h - 1), width = static_cast<double>(s.w - 1);
    const double least =
        at + std::min(down * height, 0.0) + std::min(across * width, 0.0) - kMargin;
    const double most = at + std::max(down * height, 0.0) + std::max(across * width, 0.0) + kMargin;
    const double around = static_cast<double>(most_around(n));
    if (!(least >= -around && most <= static_cast<double>(n - 1) + around - 1)) return {};
    return Frame{std::max<int64_t>(-floor_of(least), 0),
                 std::max<int64_t>(floor_of(most) + 2 - n, 0)};
}

simd::WarpEdge edge_of(Outside::Mode mode) {
    switch (mode) {
        case Outside::kConstant:
            return simd::kFramed;
        case Outside::kNearest:
            return simd::kNearest;
        case Outside::kReflect:
            return simd::kMirrored;
        case Outside::kWrap:
            return simd::kRepeated;
    }
    return simd::kNearest;
}

}  // namespace

// The cell that stands for cell i of a row of n, or -1 for the constant.
int64_t cell_for(int64_t i, int64_t n, Outside::Mode mode) {
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

Warp::Warp(const ImageSize& image, const AugmentStage& stage, Scratch& scratch)
    : s_(image), bilinear_(stage.bilinear), outside_(stage.outside) {
    const int64_t frame = outside_.mode == Outside::kConstant;
    ld_ = (s_.w + 2 * frame) * s_.c;
    copy_ = scratch.take<float>((s_.h + 2 * frame) * ld_ + kSlack);
    std::fill_n(copy_, (s_.h + 2 * frame) * ld_ + kSlack, outside_.value);
    inner_ = copy_ + frame * (ld_ + s_.c);
    if (bilinear_ && s_.c == 3 && s_.size() < (int64_t{1} << 29))
        framed_ = scratch.take<float>(
            (s_.h + 2 * most_around(s_.h)) * (s_.w + 2 * most_around(s_.w)) * s_.c + kSlack);
    blank_ = scratch.take<float>(s_.line());
    std::fill_n(blank_, s_.line(), outside_.value);
}

void Warp::run(const float* x, const double* a, float* y) const {
    const bool moves_only = a[0] == 1 && a[1] == 0 && a[3] == 0 && a[4] == 1;
    if (moves_only && bilinear_) {
        for (int64_t i = 0; i < s_.h; ++i)
            moved_row(x, place(static_cast<double>(i) + a[2], a[5]), y + i * s_.line());
        return;
    }
    if (framed_ && framed(x, a, y)) return;
    for (int64_t i = 0; i < s_.h; ++i)
        std::memcpy(inner_ + i * ld_, x + i * s_.line(), sizeof(float) * s_.line());
    const simd::WarpedImage image{
        inner_, ld_, s_.c, static_cast<int>(s_.h), static_cast<int>(s_.w), edge_of(outside_.mode)};
    for (int64_t i = 0; i < s_.h; ++i) {
        const double di = static_cast<double>(i);
        const simd::WarpLine line{a[0] * di + a[2], a[1], a[3] * di + a[5], a[4]};
        float* out = y + i * s_.line();
        if (near(line.row, line.row_step, s_.h) && near(line.column, line.column_step, s_.w)) {
            simd::kernels().warp_row(image, line, s_.w, bilinear_, out);
            continue;
        }
        for (int64_t j = 0; j < s_.w; ++j) {
            const double dj = static_cast<double>(j);
            pixel(x, line.row + line.row_step * dj, line.column + line.column_step * dj,
                  out + j * s_.c);
        }
    }
}

// Copies the image with the cells around it that are read, so that no place is at an edge; false
// where these are too many.
bool Warp::framed(const float* x, const double* a, float* y) const {
    const std::optional<Frame> rows = frame_for(a[2], a[0], a[1], s_, s_.h);
    const std::optional<Frame> columns = frame_for(a[5], a[3], a[4], s_, s_.w);
    if (!rows || !columns) return false;
    const int64_t c = s_.c, width = columns->before + s_.w + columns->after, ld = width * c;
    for (int64_t i = 0; i < rows->before + s_.h + rows->after; ++i) {
        const float* in = row_at(x, i - rows->before);
        float* out = framed_ + i * ld;
        std::memcpy(out + columns->before * c, in, sizeof(float) * s_.line());
        for (int64_t j = 0; j < width; ++j) {
            if (j == columns->before) j += s_.w;
            if (j >= width) break;
            std::copy_n(cell_at(in, j - columns->before), c, out + j * c);
        }
    }
    for (int64_t i = 0; i < s_.h; ++i) {
        const double di = static_cast<double>(i);
        const simd::WarpLine line{a[0] * di + a[2] + static_cast<double>(rows->before), a[1],
                                  a[3] * di + a[5] + static_cast<double>(columns->before), a[4]};
        simd::kernels().warp_framed_row(framed_, ld, line, s_.w, y + i * s_.line());
    }
    return true;
}

// Whether warp_row takes the places of a row.
bool Warp::near(double at, double step, int64_t n) const {
    const double last = at + step * static_cast<double>(s_.w - 1);
    const double least = -static_cast<double>(n), most = 2 * static_cast<double>(n) - 1;
    return s_.size() < (int64_t{1} << 30) && at >= least && last >= least && at < most &&
           last < most;
}

// A row of x, or of the constant where there is none.
const float* Warp::row_at(const float* x, int64_t r) const {
    const int64_t at = cell_for(r, s_.h, outside_.mode);
    return at < 0 ? blank_ : x + at * s_.w * s_.c;
}
const float* Warp::cell_at(const float* row, int64_t column) const {
    const int64_t at = cell_for(column, s_.w, outside_.mode);
    return at < 0 ? blank_ : row + at * s_.c;
}

// y (c): the place between two rows.
void Warp::mix(const float* upper, const float* lower, const Place& at, float* y) const {
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

void Warp::pixel(const float* x, double row, double column, float* y) const {
    if (!bilinear_) {
        const float* line = row_at(x, static_cast<int64_t>(std::nearbyint(row)));
        const float* cell = cell_at(line, static_cast<int64_t>(std::nearbyint(column)));
        std::copy(cell, cell + s_.c, y);
        return;
    }
    const Place at = place(row, column);
    mix(row_at(x, at.row), row_at(x, at.row + 1), at, y);
}

// All cells of the row are shifted alike: those whose neighbours lie inside, at once.
void Warp::moved_row(const float* x, const Place& first, float* y) const {
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
    const float* taps[] = {upper + from, upper + from + s_.c, lower + from, lower + from + s_.c};
    const float weights[] = {(1 - first.down) * (1 - first.right), (1 - first.down) * first.right,
                             first.down * (1 - first.right), first.down * first.right};
    simd::kernels().mix4((end - begin) * s_.c, taps, weights, y + begin * s_.c);
}

}  // namespace pyconv
