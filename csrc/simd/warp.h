// Images warped by a matrix: a row of the result is read along a straight line of the image.
// Part of kernels.cpp.
#pragma once

#include "simd/filters.h"

namespace pyconv::simd {
namespace {

// Places that are computed at once, in double.
constexpr int kPlaces = kLanes / 2 < 4 ? 4 : kLanes / 2;
constexpr int kPlaceBlock = 32;
typedef double PlaceDoubles __attribute__((vector_size(8 * kPlaces)));
typedef int32_t PlaceInts __attribute__((vector_size(4 * kPlaces)));
typedef float PlaceFloats __attribute__((vector_size(4 * kPlaces)));
typedef float Quad __attribute__((vector_size(16)));
typedef float Oct __attribute__((vector_size(32)));
typedef int32_t OctInts __attribute__((vector_size(32)));
constexpr int kOct = 8;

// Where pixels of the result lie: offsets of the four cells around each, in floats, and how far it
// is from the first of them.
struct Places {
    int32_t cells[4][kPlaceBlock];
    float down[kPlaceBlock], across[kPlaceBlock];
};

// Coordinates of one axis: a cell, the next one, and how far it is from the one to the other.
struct AxisPlaces {
    PlaceInts cell, next;
    PlaceFloats share;
};

// Leaves the cell that stands for cell i of n, from -n to 2n - 1 (see `WarpLine`).
PYCONV_INLINE void fold(PlaceInts& i, int n, WarpEdge edge) {
    if (edge == kMirrored) {
        i ^= i >> 31;
        const PlaceInts other = 2 * n - 1 - i;
        i = i < other ? i : other;
    } else if (edge == kRepeated) {
        i += (i >> 31) & n;
        i -= (i >= n) & n;
    } else {
        const int frame = edge == kFramed ? 1 : 0;
        const PlaceInts least = PlaceInts{} - frame, most = PlaceInts{} + (n - 1 + frame);
        i = i < least ? least : i;
        i = i < most ? i : most;
    }
}

// The places at + step * j.
template <bool kBilinear>
PYCONV_INLINE void place(double at, double step, const PlaceDoubles& j, int n, WarpEdge edge,
                         int floats, AxisPlaces& y) {
    PlaceDoubles x = at + step * j;
    if (!kBilinear) x = (x + 6755399441055744.0) - 6755399441055744.0;  // to the nearest integer
    PlaceInts cell = __builtin_convertvector(x, PlaceInts);
    if (kBilinear) {
        // Cut towards 0: one less for what is below.
        cell += __builtin_convertvector(__builtin_convertvector(cell, PlaceDoubles) > x, PlaceInts);
        y.share =
            __builtin_convertvector(x - __builtin_convertvector(cell, PlaceDoubles), PlaceFloats);
        y.next = cell + 1;
        fold(y.next, n, edge);
        y.next *= floats;
    }
    y.cell = cell;
    fold(y.cell, n, edge);
    y.cell *= floats;
}

// The places of kPlaces pixels of a row, from pixel `first` on.
template <bool kBilinear>
PYCONV_INLINE void places(const WarpedImage& image, const WarpLine& line, int64_t first, int c,
                          int at, Places& p) {
    PlaceDoubles j;
    PYCONV_UNROLL
    for (int i = 0; i < kPlaces; ++i) j[i] = i;
    j += static_cast<double>(first + at);
    AxisPlaces rows, columns;
    place<kBilinear>(line.row, line.row_step, j, image.h, image.edge, static_cast<int>(image.ld),
                     rows);
    place<kBilinear>(line.column, line.column_step, j, image.w, image.edge, c, columns);
    const auto store = [&](const PlaceInts& v, int which) {
        __builtin_memcpy(p.cells[which] + at, &v, sizeof v);
    };
    store(rows.cell + columns.cell, 0);
    if (!kBilinear) return;
    store(rows.cell + columns.next, 1);
    store(rows.next + columns.cell, 2);
    store(rows.next + columns.next, 3);
    __builtin_memcpy(p.down + at, &rows.share, sizeof rows.share);
    __builtin_memcpy(p.across + at, &columns.share, sizeof columns.share);
}

// One value, or four, of a pixel between four cells.
template <class T>
PYCONV_INLINE void between(const float* a, const float* b, const float* c, const float* d,
                           float down, float across, T& mixed) {
    const T upper = load_of<T>(a), lower = load_of<T>(c);
    const T above = upper + (load_of<T>(b) - upper) * across;
    const T below = lower + (load_of<T>(d) - lower) * across;
    mixed = above + (below - above) * down;
}

// Pixels of C channels, 0 where they are not known, at places that are known.
template <int C>
PYCONV_INLINE void mix_pixels(const float* x, const Places& p, int count, int64_t c, float* y) {
    const auto pixel = [&](int j, int64_t k, auto& mixed) {
        const float *from = x + k, *a = from + p.cells[0][j], *b = from + p.cells[1][j];
        const float *d = from + p.cells[2][j], *e = from + p.cells[3][j];
        between(a, b, d, e, p.down[j], p.across[j], mixed);
    };
    if constexpr (C == 3) {
        // Four values are read and written; the next pixel is written over the fourth.
        for (int j = 0; j < count - 1; ++j) {
            Quad mixed;
            pixel(j, 0, mixed);
            __builtin_memcpy(y + 3 * j, &mixed, sizeof mixed);
        }
        Quad mixed;
        pixel(count - 1, 0, mixed);
        __builtin_memcpy(y + 3 * (count - 1), &mixed, 3 * sizeof(float));
    } else {
        for (int j = 0; j < count; ++j)
            for (int64_t k = 0; k < c; ++k) pixel(j, k, y[j * c + k]);
    }
}

// The cells of kOct places from `at` on, which are at least 0, and how far each is from its cell.
// Floats that are counted from the least cell are as good as the doubles rounded.
PYCONV_INLINE void framed_places(double at, double step, OctInts& cell, Oct& share) {
    const double last = at + step * (kOct - 1);
    const int least = static_cast<int>(at < last ? at : last);
    Oct x;
    PYCONV_UNROLL
    for (int j = 0; j < kOct; ++j) x[j] = static_cast<float>(j);
    x = x * static_cast<float>(step) + static_cast<float>(at - least);
    cell = __builtin_convertvector(x, OctInts);
    share = x - __builtin_convertvector(cell, Oct);
    cell += least;
}

// v[3] to v[6]
PYCONV_INLINE void next_colours(const Oct& v, Quad& y) {
#if __has_builtin(__builtin_shufflevector)
    y = __builtin_shufflevector(v, v, 3, 4, 5, 6);
#else
    y = Quad{v[3], v[4], v[5], v[6]};
#endif
}

// The places of a block first, then its pixels: each loop alone keeps a core busy, while one chain
// from a place to its pixel would be waited for.
void warp_framed_row(const float* x, int64_t ld, const WarpLine& line, int64_t n, float* y) {
    int32_t cells[kPlaceBlock];
    float down[kPlaceBlock], across[kPlaceBlock];
    for (int64_t first = 0; first < n; first += kPlaceBlock) {
        const int count = n - first < kPlaceBlock ? static_cast<int>(n - first) : kPlaceBlock;
        for (int i = 0; i < count; i += kOct) {
            const double j = static_cast<double>(first + i);
            OctInts rows, columns;
            Oct share;
            framed_places(line.row + line.row_step * j, line.row_step, rows, share);
            __builtin_memcpy(down + i, &share, sizeof share);
            framed_places(line.column + line.column_step * j, line.column_step, columns, share);
            __builtin_memcpy(across + i, &share, sizeof share);
            rows = rows * static_cast<int>(ld) + columns * 3;
            __builtin_memcpy(cells + i, &rows, sizeof rows);
        }
        const auto pixel = [&](int i, Quad& mixed) {
            const float* cell = x + cells[i];
            Oct between, below;
            __builtin_memcpy(&between, cell, sizeof between);
            __builtin_memcpy(&below, cell + ld, sizeof below);
            between += (below - between) * down[i];
            Quad right;
            __builtin_memcpy(&mixed, &between, sizeof mixed);
            next_colours(between, right);
            mixed += (right - mixed) * across[i];
        };
        // Four values are written; the next pixel is written over the fourth.
        float* out = y + 3 * first;
        Quad mixed;
        for (int i = 0; i < count - 1; ++i) {
            pixel(i, mixed);
            __builtin_memcpy(out + 3 * i, &mixed, sizeof mixed);
        }
        pixel(count - 1, mixed);
        __builtin_memcpy(out + 3 * (count - 1), &mixed, 3 * sizeof(float));
    }
}

template <int C, bool kBilinear>
void warp_row(const WarpedImage& image, const WarpLine& line, int64_t n, float* y) {
    Places p;
    const int64_t c = C ? C : image.c;
    const float* x = image.x;
    for (int64_t first = 0; first < n; first += kPlaceBlock) {
        const int count = n - first < kPlaceBlock ? static_cast<int>(n - first) : kPlaceBlock;
        for (int j = 0; j < count; j += kPlaces)
            places<kBilinear>(image, line, first, static_cast<int>(c), j, p);
        float* out = y + first * c;
        if constexpr (kBilinear) {
            mix_pixels<C>(x, p, count, c, out);
        } else {
            for (int j = 0; j < count; ++j)
                for (int64_t k = 0; k < c; ++k) out[j * c + k] = x[p.cells[0][j] + k];
        }
    }
}

void any_warp_row(const WarpedImage& image, const WarpLine& line, int64_t n, bool bilinear,
                  float* y) {
    if (!bilinear) return warp_row<0, false>(image, line, n, y);
    if (image.c == 3) return warp_row<3, true>(image, line, n, y);
    if (image.c == 1) return warp_row<1, true>(image, line, n, y);
    warp_row<0, true>(image, line, n, y);
}

}  // namespace
}  // namespace pyconv::simd
