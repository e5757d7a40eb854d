// Chooses the tile and the parts of k for a product, and launches it.
#pragma once

#include "elementwise.cuh"
#include "parts.h"
#include "precision.h"
#include "product_float32.cuh"
#include "product_tf32.cuh"
#include "reduce.cuh"
#include "scratch.h"

namespace pyconv::cuda {

// A product before its tile is known, which launch_tile sets.
struct Task {
    Product product{};
    int64_t m = 0, k = 0, products = 1;  // of its largest phase, and how many phases x groups
    int64_t c_values = 0;                // size of C
    bool whole = true;                   // this launch writes all of it
    Activation activation = Activation::kLinear;
};

struct Cut {
    int tile, splits;
};

struct TileSize {
    int bm, bn, threads;
};

// The first tile with which there are blocks enough, k being cut where it is long. The number that
// is enough is not asked of the GPU, since the order of the sums, and so their last bits, depend on
// the cut: 128 are one block for each SM of the GPUs that this is for, and more where blocks are
// small, so that there is a warp for each scheduler.
inline Cut choose_cut(const TileSize* tiles, int count, const Task& task) {
    constexpr int64_t kLeastBlocks = 128, kLeastThreads = 4 * 32 * kLeastBlocks;
    constexpr int64_t kShortest = 128, kMostSplits = 256;
    constexpr int64_t kLongest = 8192;  // sum in float, which is less exact the longer it is
    constexpr int64_t kMostWorkspace = int64_t{1} << 26;
    const int64_t m = task.m, n = task.product.n, k = task.k;
    const int64_t most =
        task.whole ? std::clamp<int64_t>(std::min(k / kShortest, kMostWorkspace / task.c_values), 1,
                                         kMostSplits)
                   : 1;
    const int64_t least = std::min(most, (k + kLongest - 1) / kLongest);
    for (int i = 0; i < count; ++i) {
        const auto [bm, bn, threads] = tiles[i];
        const int64_t enough = std::max(kLeastBlocks, kLeastThreads / threads);
        const bool last = i + 1 == count;
        if (!last && (m <= bm / 2 || n <= bn / 2)) continue;  // half of it would be idle
        const int64_t blocks = (m + bm - 1) / bm * ((n + bn - 1) / bn) * task.products;
        if (!last && blocks * most < enough) continue;
        const int64_t splits = (enough + blocks - 1) / blocks;
        return {i, static_cast<int>(std::clamp(splits, std::max<int64_t>(least, 1), most))};
    }
    return {count - 1, 1};  // never reached: the last tile suits all
}

template <class Tile, Pass kPass, int kWidthA, int kWidthB>
void launch_tile(const Task& task, int splits) {
    Product p = task.product;
    p.m_tiles = static_cast<int>((task.m + Tile::BM - 1) / Tile::BM);
    p.n_tiles = (p.n + Tile::BN - 1) / Tile::BN;
    const int64_t slices = (task.k + Tile::BK - 1) / Tile::BK;
    p.split_slices = static_cast<int>((slices + splits - 1) / splits);
    // As few as hold all slices.
    p.splits = p.split_slices == 0 ? 1 : static_cast<int>((slices - 1) / p.split_slices + 1);
    p.split_values = task.c_values;
    Scratch scratch;
    if (p.splits > 1) {
        p.c = scratch.take<float>(p.splits * task.c_values);
        p.bias = nullptr;
    }
    p.relu = p.splits == 1 && task.activation == Activation::kRelu;
    const auto lines_up = [&](int64_t width) {
        return p.n % width == 0 && p.ldc % width == 0 && task.c_values % width == 0;
    };
    const bool aligned = is_aligned(p.c) && is_aligned(p.bias);
    p.width = aligned && lines_up(4) ? 4 : aligned && lines_up(2) ? 2 : 1;
    const int64_t blocks = static_cast<int64_t>(p.m_tiles) * p.n_tiles * task.products * p.splits;
    if constexpr (Tile::kTensorCores)
        launch(product_tf32_kernel<Tile, kPass>, blocks, Tile::kThreads,
               Tf32Buffers<Tile, kPass>::kBytes, stream(), p);
    else
        launch(product_kernel<Tile, kPass, kWidthA, kWidthB>, blocks, Tile::kThreads, 0, stream(),
               p);
    if (p.splits > 1)
        sum_parts(p.splits, task.c_values, p.c, task.product.bias, p.ldc, task.activation,
                  task.product.c);
}

// Of the tiles, from large to small, the one that suits the task.
template <Pass kPass, int kWidthA, int kWidthB, class... Tiles>
void launch_best(const Task& task) {
    constexpr TileSize kSizes[] = {{Tiles::BM, Tiles::BN, Tiles::kThreads}...};
    const Cut cut = choose_cut(kSizes, sizeof...(Tiles), task);
    int tile = 0;
    ((tile++ == cut.tile ? launch_tile<Tiles, kPass, kWidthA, kWidthB>(task, cut.splits) : void()),
     ...);
}

// Whether TF32 was asked for, and the device has it.
inline bool uses_tensor_cores() {
    if (precision() != Precision::kHigh) return false;
    int major = 0;
    check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device()),
          "compute capability");
    return major >= 8;
}

// C of the task, which may not be empty. Tensor cores take what can be copied in quads; the rest,
// such as the three channels of a first layer, stays in float32.
template <Pass kPass>
void run(const Task& task) {
    // 8 x 8 sums a thread need 140 registers: three blocks an SM. A tile of 128 x 128 would read a
    // third less, but leave an SM with one block to wait at its barriers.
    using T128x64 = Tile<128, 64, 8, 8, 3>;
    using T128x64Values = Tile<128, 64, 8, 8, 2>;  // finds eight cells a thread
    using T128x32 = Tile<128, 32, 8, 4, 3>;
    using T64x64 = Tile<64, 64, 8, 4, 4>;
    using T128x16 = Tile<128, 16, 4, 4, 4>;
    using T32x32 = Tile<32, 32, 4, 4, 8>;
    const Product& p = task.product;
    const bool vector_a = p.depth % 4 == 0 && p.ld % 4 == 0 && is_aligned(p.a);
    const bool vector_b = (kPass == Pass::kBackwardInput ? p.depth : p.n) % 4 == 0 &&
                          p.ldb % 4 == 0 && is_aligned(p.b);
    if (vector_a && vector_b && uses_tensor_cores())
        launch_best<kPass, 4, 4, Tf32Tile<128, 128, 64, 32, 1>, Tf32Tile<128, 64, 64, 32, 2>,
                    Tf32Tile<64, 64, 32, 32, 3>>(task);
    else if (vector_a && vector_b)
        launch_best<kPass, 4, 4, T128x64, T128x32, T64x64, T128x16, T32x32>(task);
    else if constexpr (kPass == Pass::kBackwardInput)  // both read along the same channels
        launch_best<kPass, 1, 1, T128x32, T64x64, T128x16, T32x32>(task);
    else if (vector_b)  // three channels, of the first layer
        launch_best<kPass, 1, 4, T128x64Values, T64x64, T128x16, T32x32>(task);
    else
        launch_best<kPass, 1, 1, T128x32, T64x64, T128x16, T32x32>(task);
}

}  // namespace pyconv::cuda
