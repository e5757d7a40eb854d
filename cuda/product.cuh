// Convolutions and their gradients as products of matrices, C (m, n) = A (m, k) x B (k, n), whose
// A is read from the images where it lies: no patches in memory. A dense layer is a convolution of
// one pixel.
//                  m                 k                 n            A    B    C
// kForward         output pixels     taps x channels   filters      x    w    y
// kBackwardInput   input pixels      taps x filters    channels     dy   w    dx
// kBackwardFilter  taps x channels   output pixels     filters      x    dy   dw
// Each of a thread's units of a tile, four values or one, is found by a loader: `offset` from
// `base`, or a negative number where the tile reaches outside of the matrix or of the image. `base`
// itself lies in the array: copies of nothing are given it as their source.
#pragma once

#include "divisor.cuh"

namespace pyconv::cuda {

enum class Pass { kForward, kBackwardInput, kBackwardFilter };

constexpr int kMostPhases = 4;
constexpr int kFar = 1 << 30;  // a row that lies before every image, also in sums of two

// Cells (pixels of the result, or of dy for the filters) and taps along one axis. Input pixels meet
// the same taps where they are equal modulo the stride, which is their phase: each is a product of
// its own, and what taps it has is known before.
struct Axis {
    int cells = 0, taps = 0;
    int start = 0;   // source row that the first tap reads under the first cell
    int filter = 0;  // row of the filter that the first tap is
    Divisor by_cells, by_taps;
};

struct Product {
    const float* a;
    const float* b;
    const float* bias;  // (groups * n,) or null
    float* c;

    Axis rows[kMostPhases], cols[kMostPhases];
    int row_phases = 1, col_phases = 1;
    int images, h, w, ld;            // of A's images; ld: floats from one pixel to the next
    int cell_h, cell_w;              // source pixels from one cell to the next
    int tap_h, tap_w;                // and from one tap to the next
    int filter_h = 1, filter_w = 1;  // filter rows and columns from one tap to the next
    int kernel_w;
    int depth;  // channels of a tap, in one group
    Divisor by_depth;
    int groups, n;         // columns, in one group
    int b_group, ldb;      // floats from one group to the next, and from one row
    int c_h, c_w, ldc;     // C's images, where its rows are pixels
    int c_row, c_col;      // pixels of C from one cell to the next
    int phase_h, phase_w;  // of the first phases of this launch
    bool relu;
    int width;  // so many values of a row of C, 4, 2 or 1, may be written at a time

    int m_tiles, n_tiles;
    int splits, split_slices;  // parts of k, and the BK-slices of each
    int64_t split_values;      // floats from one part's C to the next
};

// What one block computes.
template <class Tile, Pass kPass>
struct Block {
    const Axis &rows, &cols;
    int m, k;        // of the matrices
    int m0, n0, k0;  // where the tile begins
    int slices;      // of k
    int group, split, phase_h, phase_w;

    __device__ __forceinline__ explicit Block(const Product& p) : Block(p, blockIdx.x) {}

    __device__ __forceinline__ bool empty() const { return m0 >= m; }

    // Row i of C, from its group's first column.
    __device__ __forceinline__ float* row(const Product& p, int i) const {
        float* c = p.c + split * p.split_values + group * p.n;
        if (kPass != Pass::kBackwardInput) return c + static_cast<int64_t>(i) * p.ldc;
        int col, row;
        const int image = rows.by_cells.divide(cols.by_cells.divide(i, col), row);
        const int64_t line =
            static_cast<int64_t>(image) * p.c_h + row * p.c_row + p.phase_h + phase_h;
        return c + (line * p.c_w + col * p.c_col + p.phase_w + phase_w) * p.ldc;
    }

private:
    struct Place {
        int m_tile, n_tile, col_phase, row_phase, group, split;
        __device__ __forceinline__ Place(const Product& p, unsigned index) {
            // Blocks that run together share the rows of A, which is the larger.
            n_tile = take(index, p.n_tiles);
            m_tile = take(index, p.m_tiles);
            col_phase = take(index, p.col_phases);
            row_phase = take(index, p.row_phases);
            group = take(index, p.groups);
            split = static_cast<int>(index);
        }
        __device__ static __forceinline__ int take(unsigned& index, int extent) {
            const unsigned all = index;
            index /= static_cast<unsigned>(extent);
            return static_cast<int>(all - index * static_cast<unsigned>(extent));
        }
    };

    __device__ __forceinline__ Block(const Product& p, unsigned index)
        : Block(p, Place(p, index)) {}
    __device__ __forceinline__ Block(const Product& p, const Place& at)
        : rows(p.rows[at.row_phase]),
          cols(p.cols[at.col_phase]),
          group(at.group),
          split(at.split),
          phase_h(at.row_phase),
          phase_w(at.col_phase) {
        const int cells = p.images * rows.cells * cols.cells;
        const int taps = rows.taps * cols.taps * p.depth;
        m = kPass == Pass::kBackwardFilter ? taps : cells;
        k = kPass == Pass::kBackwardFilter ? cells : taps;
        m0 = at.m_tile * Tile::BM;
        n0 = at.n_tile * Tile::BN;
        k0 = split * p.split_slices * Tile::BK;
        slices = min(max((k - k0 + Tile::BK - 1) / Tile::BK, 0), p.split_slices);
    }
};

// Where a thread's units of kWidth values, 4 or 1, lie in a tile of kExtent x BK: side by side
// along k where those are neighbours in memory, else across, and those of a warp in the same order.
template <class Tile, int kExtent, bool kAlongK, int kWidth>
struct Units {
    static constexpr int kAll = kExtent * Tile::BK / kWidth;
    static constexpr int kEach = (kAll + Tile::kThreads - 1) / Tile::kThreads;
    static constexpr int kLine = (kAlongK ? Tile::BK : kExtent) / kWidth;
    static_assert(Tile::kThreads % kLine == 0, "a thread's units lie in one column");

    __device__ static __forceinline__ bool has(int i) {
        return kAll % Tile::kThreads == 0 || index(i) < kAll;
    }
    // Their first value.
    __device__ static __forceinline__ int k(int i) {
        return kAlongK ? index(i) % kLine * kWidth : index(i) / kLine;
    }
    __device__ static __forceinline__ int extent(int i) {
        return kAlongK ? index(i) / kLine : index(i) % kLine * kWidth;
    }

private:
    __device__ static __forceinline__ int index(int i) {
        return static_cast<int>(threadIdx.x) + i * Tile::kThreads;
    }
};

// A: values of the image's pixels, cells x (taps x channels). One of the two is k and moves on from
// slice to slice, the other is m and stays. A thread has one tap, and a cell for each unit.
template <class Tile, Pass kPass, int kWidth>
struct Pixels {
    static constexpr bool kAlongK = kPass != Pass::kBackwardFilter;
    using At = Units<Tile, Tile::BM, kAlongK, kWidth>;

    __device__ __forceinline__ Pixels(const Product& product, const Block<Tile, kPass>& b)
        : base(product.a + b.group * product.depth), p(product), block(b), k(b.k0) {
        if constexpr (kAlongK)
            find_cells(block.m0, block.m);
        else
            find_tap(block.m0 + At::extent(0), block.m);
        locate();
    }

    __device__ __forceinline__ void advance() {
        k += Tile::BK;
        locate();
    }

    __device__ __forceinline__ int offset(int i) const {
        const int r = cell_row[i] + tap_row, c = cell_col[i] + tap_col;
        const bool inside = static_cast<unsigned>(r) < static_cast<unsigned>(p.h) &&
                            static_cast<unsigned>(c) < static_cast<unsigned>(p.w);
        return inside ? cell_offset[i] + tap_offset : -1;
    }

    const float* base;

private:
    __device__ __forceinline__ void locate() {
        if constexpr (kAlongK)
            find_tap(k + At::k(0), block.k);
        else
            find_cells(k, block.k);
    }

    __device__ __forceinline__ void find_cells(int first, int end) {
#pragma unroll
        for (int i = 0; i < At::kEach; ++i) {
            const int cell = first + (kAlongK ? At::extent(i) : At::k(i));
            int row, col;
            const int image =
                block.rows.by_cells.divide(block.cols.by_cells.divide(cell, col), row);
            const int r = row * p.cell_h + block.rows.start;
            cell_col[i] = col * p.cell_w + block.cols.start;
            cell_offset[i] = ((image * p.h + r) * p.w + cell_col[i]) * p.ld;
            cell_row[i] = cell < end ? r : -kFar;
        }
    }

    __device__ __forceinline__ void find_tap(int at, int end) {
        int channel, col;
        const int tap = p.by_depth.divide(at, channel);
        const int r = block.cols.by_taps.divide(tap, col) * p.tap_h;
        tap_col = col * p.tap_w;
        tap_offset = (r * p.w + tap_col) * p.ld + channel;
        tap_row = at < end ? r : -kFar;
    }

    const Product& p;
    const Block<Tile, kPass>& block;
    int k;
    int cell_row[At::kEach], cell_col[At::kEach], cell_offset[At::kEach];
    int tap_row, tap_col, tap_offset;
};

// B: rows of n values, one for each k: filters, or dy.
template <class Tile, Pass kPass, int kWidth>
struct Rows {
    static constexpr bool kAlongK = false;
    using At = Units<Tile, Tile::BN, kAlongK, kWidth>;

    __device__ __forceinline__ Rows(const Product& p, const Block<Tile, kPass>& block)
        : base(p.b + block.group * p.b_group),
          column(block.n0 + At::extent(0)),
          inside(column < p.n),
          k(block.k0),
          end(block.k),
          ld(p.ldb) {}

    __device__ __forceinline__ void advance() { k += Tile::BK; }

    __device__ __forceinline__ int offset(int i) const {
        const int row = k + At::k(i);
        return row < end && inside ? row * ld + column : -1;
    }

    const float* base;

private:
    int column;
    bool inside;
    int k, end, ld;
};

// B of the input's gradient: w (taps, n, filters) as (taps x filters, n).
template <class Tile, Pass kPass, int kWidth>
struct Filters {
    static constexpr bool kAlongK = true;
    using At = Units<Tile, Tile::BN, kAlongK, kWidth>;

    __device__ __forceinline__ Filters(const Product& product, const Block<Tile, kPass>& b)
        : base(product.b + b.group * product.b_group), p(product), block(b), k(b.k0) {
        locate();
    }

    __device__ __forceinline__ void advance() {
        k += Tile::BK;
        locate();
    }

    __device__ __forceinline__ int offset(int i) const {
        const int column = block.n0 + At::extent(i);
        return tap_offset >= 0 && column < p.n ? tap_offset + column * p.ldb : -1;
    }

    const float* base;

private:
    __device__ __forceinline__ void locate() {
        const int at = k + At::k(0);
        int channel, col;
        const int tap = p.by_depth.divide(at, channel);
        const int row = block.cols.by_taps.divide(tap, col);
        const int filter = (block.rows.filter + row * p.filter_h) * p.kernel_w + block.cols.filter +
                           col * p.filter_w;
        tap_offset = at < block.k ? filter * p.n * p.ldb + channel : -1;
    }

    const Product& p;
    const Block<Tile, kPass>& block;
    int k;
    int tap_offset;
};

template <class Tile, Pass kPass, int kWidth>
using LoaderB = std::conditional_t<kPass == Pass::kBackwardInput, Filters<Tile, kPass, kWidth>,
                                   Rows<Tile, kPass, kWidth>>;

// kCount values, 4 or 2, side by side.
template <int kCount>
using Vector = std::conditional_t<kCount == 4, float4, float2>;

// The bias of kCount columns from n on, once for all rows of a thread; -0 where there is none,
// which keeps the sign of a sum of -0.
template <int kCount>
__device__ __forceinline__ void load_bias(const Product& p, int group, int n, float* bias) {
    const float* from = p.bias + group * p.n + n;
    if (p.bias && p.width >= kCount && n < p.n) {
        *reinterpret_cast<Vector<kCount>*>(bias) =
            __ldg(reinterpret_cast<const Vector<kCount>*>(from));
        return;
    }
#pragma unroll
    for (int i = 0; i < kCount; ++i) bias[i] = p.bias && n + i < p.n ? __ldg(from + i) : -0.f;
}

// Writes kCount values of a row of C from column n on, with bias and activation.
template <int kCount>
__device__ __forceinline__ void write(const Product& p, float* row, int n, const float* sums,
                                      const float* bias) {
    if (n >= p.n) return;
    alignas(16) float values[kCount];
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
        const float value = sums[i] + bias[i];
        values[i] = p.relu && value < 0.f ? 0.f : value;
    }
    const auto store = [&](auto vector) {
        constexpr int kWidth = sizeof(vector) / sizeof(float);
#pragma unroll
        for (int i = 0; i < kCount; i += kWidth)
            if (n + i < p.n)
                *reinterpret_cast<decltype(vector)*>(row + n + i) =
                    *reinterpret_cast<const decltype(vector)*>(values + i);
    };
    if (p.width >= kCount)
        store(Vector<kCount>{});
    else if (kCount == 4 && p.width == 2)
        store(float2{});
    else
        store(float{});
}

}  // namespace pyconv::cuda
