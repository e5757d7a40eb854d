// The product on CUDA cores. A block has a tile of BM x BN of C, a thread TM x TN of it in
// registers, in quads of rows and columns, so that it reads shared memory 16 bytes at a time; the
// slices of k go through two buffers, one filled while the other is used.
#pragma once

#include "product.cuh"

namespace pyconv::cuda {

template <int kBM, int kBN, int kTM, int kTN, int kBlocksOfSm>
struct Tile {
    static constexpr bool kTensorCores = false;
    static constexpr int BM = kBM, BN = kBN, TM = kTM, TN = kTN;
    // With 8 the transposed stores of a warp meet each bank once; 16 would halve the barriers and
    // store in two passes.
    static constexpr int BK = 8;
    static constexpr int kCols = BN / TN, kThreads = BM / TM * kCols, kBlocks = kBlocksOfSm;
    // A warp of 4 x 8 threads reads 4 quads of A and 8 of B: each in one pass.
    static constexpr int kWarpCols = kCols < 8 ? kCols : 8, kWarpRows = 32 / kWarpCols;
    static constexpr int kWarpsOfRow = kCols / kWarpCols;
};

// A thread's units of a slice, on their way from global to shared memory.
template <class Loader, int kWidth>
struct SliceUnits {
    using At = typename Loader::At;
    using Unit = std::conditional_t<kWidth == 4, float4, float>;
    Unit units[At::kEach];

    __device__ __forceinline__ void load(const Loader& loader) {
#pragma unroll
        for (int i = 0; i < At::kEach; ++i) {
            if (!At::has(i)) continue;
            const int offset = loader.offset(i);
            units[i] = Unit{};
            if (offset >= 0) units[i] = __ldg(reinterpret_cast<const Unit*>(loader.base + offset));
        }
    }

    // to (BK, kLd)
    template <int kLd>
    __device__ __forceinline__ void store(float (*to)[kLd]) const {
#pragma unroll
        for (int i = 0; i < At::kEach; ++i) {
            if (!At::has(i)) continue;
            const int k = At::k(i), e = At::extent(i);
            if constexpr (kWidth == 4 && Loader::kAlongK) {
                to[k][e] = units[i].x;
                to[k + 1][e] = units[i].y;
                to[k + 2][e] = units[i].z;
                to[k + 3][e] = units[i].w;
            } else {
                *reinterpret_cast<Unit*>(&to[k][e]) = units[i];
            }
        }
    }
};

__device__ __forceinline__ void to_array(const float4& quad, float* values) {
    values[0] = quad.x;
    values[1] = quad.y;
    values[2] = quad.z;
    values[3] = quad.w;
}

template <class Tile, Pass kPass, int kWidthA, int kWidthB>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    product_kernel(const __grid_constant__ Product p) {
    using A = Pixels<Tile, kPass, kWidthA>;
    using B = LoaderB<Tile, kPass, kWidthB>;
    constexpr int BK = Tile::BK, TM = Tile::TM, TN = Tile::TN;
    // Where a store is transposed, rows of four more than the tile: a warp's goes to 32 banks.
    constexpr int kLdA = Tile::BM + (A::kAlongK ? 4 : 0), kLdB = Tile::BN + (B::kAlongK ? 4 : 0);
    PYCONV_SHARED(float, As, [2][BK][kLdA]);
    PYCONV_SHARED(float, Bs, [2][BK][kLdB]);

    const Block<Tile, kPass> block(p);
    if (block.empty()) return;
    A a(p, block);
    B b(p, block);
    SliceUnits<A, kWidthA> next_a;
    SliceUnits<B, kWidthB> next_b;

    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int y = (warp / Tile::kWarpsOfRow * Tile::kWarpRows + lane / Tile::kWarpCols) * 4;
    const int x = (warp % Tile::kWarpsOfRow * Tile::kWarpCols + lane % Tile::kWarpCols) * 4;
    constexpr int kRowStep = Tile::BM / (TM / 4), kColStep = Tile::BN / (TN / 4);
    float sums[TM][TN];
#pragma unroll
    for (int i = 0; i < TM; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) sums[i][j] = 0.f;

    if (block.slices > 0) {
        next_a.load(a);
        next_b.load(b);
        next_a.store(As[0]);
        next_b.store(Bs[0]);
    }
    __syncthreads();
    for (int slice = 0; slice < block.slices; ++slice) {
        const int buffer = slice % 2;
        const bool more = slice + 1 < block.slices;
        if (more) {
            a.advance();
            b.advance();
            next_a.load(a);
            next_b.load(b);
        }
#pragma unroll
        for (int k = 0; k < BK; ++k) {
            float u[TM], v[TN];
#pragma unroll
            for (int i = 0; i < TM; i += 4)
                to_array(*reinterpret_cast<const float4*>(&As[buffer][k][i / 4 * kRowStep + y]),
                         u + i);
#pragma unroll
            for (int j = 0; j < TN; j += 4)
                to_array(*reinterpret_cast<const float4*>(&Bs[buffer][k][j / 4 * kColStep + x]),
                         v + j);
#pragma unroll
            for (int i = 0; i < TM; ++i)
#pragma unroll
                for (int j = 0; j < TN; ++j) sums[i][j] += u[i] * v[j];
        }
        if (more) {
            next_a.store(As[buffer ^ 1]);
            next_b.store(Bs[buffer ^ 1]);
        }
        __syncthreads();
    }

    alignas(16) float bias[TN];
#pragma unroll
    for (int j = 0; j < TN; j += 4)
        load_bias<4>(p, block.group, block.n0 + j / 4 * kColStep + x, bias + j);
#pragma unroll
    for (int i = 0; i < TM; ++i) {
        const int m = block.m0 + i / 4 * kRowStep + y + i % 4;
        if (m >= block.m) continue;
        float* row = block.row(p, m);
#pragma unroll
        for (int j = 0; j < TN; j += 4)
            write<4>(p, row, block.n0 + j / 4 * kColStep + x, &sums[i][j], bias + j);
    }
}

}  // namespace pyconv::cuda
