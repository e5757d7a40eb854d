// What the filters of images share: their geometry, and values beyond the border.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ops/shapes.h"

namespace pyconv {

enum class PixelType { kUint8, kInt16, kFloat32 };

// OpenCV's: 000|abcd|000, aaa|abcd|ddd, cba|abcd|dcb, dcb|abcd|cba, bcd|abcd|abc
enum class Border { kConstant, kReplicate, kReflect, kReflect101, kWrap };

// Windows of `kernel` cells over an image (h, w, c), each of whose channels is filtered by itself:
// the window of result (i, j) begins in row i - top and column j - left. The result is (oh, ow, c).
struct FilterShape {
    int64_t h, w, c;
    Size2 kernel;
    int64_t top, left;
    int64_t oh, ow;
    Border border;

    int64_t line() const { return w * c; }  // values of a row
    int64_t right() const { return kernel.w - 1 - left; }
};

// Which of n cells stands for cell i, which may lie beyond the ends; -1 for a constant of 0.
int64_t border_index(int64_t i, int64_t n, Border border);

// Fills `before` cells before a line of n cells of c values, and `after` cells after them.
template <class T>
void fill_border(T* line, int64_t n, int64_t c, int64_t before, int64_t after, Border border) {
    const auto fill = [&](int64_t i) {
        const int64_t from = border_index(i, n, border);
        for (int64_t k = 0; k < c; ++k) line[i * c + k] = from < 0 ? T{0} : line[from * c + k];
    };
    for (int64_t i = -before; i < 0; ++i) fill(i);
    for (int64_t i = n; i < n + after; ++i) fill(i);
}

// The rows of an image that a window meets, those beyond the border too.
template <class T>
class SourceRows {
public:
    // zeros (w * c): a row beyond a constant border
    SourceRows(const FilterShape& s, const T* x, const T* zeros) : s_(s), x_(x), zeros_(zeros) {}
    // Row `at` of the windows of the first result.
    const T* operator[](int64_t at) const {
        const int64_t row = border_index(at - s_.top, s_.h, s_.border);
        return row < 0 ? zeros_ : x_ + row * s_.line();
    }

private:
    const FilterShape& s_;
    const T *x_, *zeros_;
};

}  // namespace pyconv
