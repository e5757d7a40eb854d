// The product on tensor cores: operands rounded to TF32, sums in float32. A block has a tile of
// BM x BN of C, a warp WM x WN of it; slices of k are copied past the registers into a ring of
// buffers, two ahead of the one that is used.
#pragma once

#include "product.cuh"
#include "ptx.cuh"

namespace pyconv::cuda {

template <int kBM, int kBN, int kWM, int kWN, int kBlocksOfSm>
struct Tf32Tile {
    static constexpr bool kTensorCores = true;
    static constexpr int BM = kBM, BN = kBN, WM = kWM, WN = kWN;
    // 16 is two steps of the tensor core between barriers, and three buffers of the largest tile
    // leave room for a second block on an SM of 164 KB.
    static constexpr int BK = 16, kStages = 3;
    static constexpr int kWarpCols = BN / WN, kThreads = BM / WM * kWarpCols * 32;
    static constexpr int kBlocks = kBlocksOfSm;
};

// A tile in shared memory as it lies in memory. The 32 words of a fragment, and 8 quads of a copy,
// lie in 32 banks: of rows along k because the quads of every second pair of rows change places,
// of the others because they are 8 floats longer than the tile.
template <class Tile, int kExtent, bool kAlongK>
struct Tf32Buffer {
    static constexpr int kLd = kAlongK ? Tile::BK : kExtent + 8;
    static constexpr int kFloats = (kAlongK ? kExtent : Tile::BK) * kLd;
    __device__ static __forceinline__ int at(int k, int extent) {
        if constexpr (kAlongK)
            return extent * kLd + (k / 4 ^ extent / 2 % (kLd / 4)) * 4 + k % 4;
        else
            return k * kLd + extent;
    }
};

template <class Tile, Pass kPass>
struct Tf32Buffers {
    using A = Tf32Buffer<Tile, Tile::BM, Pixels<Tile, kPass, 4>::kAlongK>;
    using B = Tf32Buffer<Tile, Tile::BN, LoaderB<Tile, kPass, 4>::kAlongK>;
    static constexpr int kStage = A::kFloats + B::kFloats;
    static constexpr size_t kBytes = sizeof(float) * kStage * Tile::kStages;
};

// Starts the copy of a thread's quads of a slice; zeros where there are none.
template <class Buffer, class Loader>
__device__ __forceinline__ void copy(const Loader& loader, float* buffer) {
    using At = typename Loader::At;
#pragma unroll
    for (int i = 0; i < At::kEach; ++i) {
        if (!At::has(i)) continue;
        const int offset = loader.offset(i);
        cp_async<16>(buffer + Buffer::at(At::k(i), At::extent(i)), loader.base + max(offset, 0),
                     offset >= 0 ? 16 : 0);
    }
}

__device__ __forceinline__ float rounded(float value) { return __uint_as_float(to_tf32(value)); }

// Rounds what this thread has copied: once, in two instructions a value, where each of the warps
// that read it would do it again.
template <class Buffer, class Loader>
__device__ __forceinline__ void round_copied(float* buffer) {
    using At = typename Loader::At;
#pragma unroll
    for (int i = 0; i < At::kEach; ++i) {
        if (!At::has(i)) continue;
        auto* const quad = reinterpret_cast<float4*>(buffer + Buffer::at(At::k(i), At::extent(i)));
        const float4 v = *quad;
        *quad = make_float4(rounded(v.x), rounded(v.y), rounded(v.z), rounded(v.w));
    }
}

// Rows m .. m + 16 of A and k .. k + 8, as mma takes them.
template <class Buffer, bool kAlongK>
__device__ __forceinline__ void load_a(const float* As, int m, int k, uint32_t (&a)[4]) {
    const int lane = threadIdx.x % 32;
    if constexpr (kAlongK) {
        ldmatrix_x4(a, As + Buffer::at(k + lane / 16 * 4, m + lane % 16));
    } else {
#pragma unroll
        for (int i = 0; i < 4; ++i)
            a[i] =
                __float_as_uint(As[Buffer::at(k + lane % 4 + i / 2 * 4, m + lane / 4 + i % 2 * 8)]);
    }
}

// Columns n .. n + 16 of B and k .. k + 8: two operands.
template <class Buffer, bool kAlongK>
__device__ __forceinline__ void load_b(const float* Bs, int n, int k, uint32_t (&b)[4]) {
    const int lane = threadIdx.x % 32;
    if constexpr (kAlongK) {
        ldmatrix_x4(b, Bs + Buffer::at(k + lane / 8 % 2 * 4, n + lane / 16 * 8 + lane % 8));
    } else {
#pragma unroll
        for (int i = 0; i < 4; ++i)
            b[i] =
                __float_as_uint(Bs[Buffer::at(k + lane % 4 + i % 2 * 4, n + lane / 4 + i / 2 * 8)]);
    }
}

template <class Tile, Pass kPass>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    product_tf32_kernel(const __grid_constant__ Product p) {
#if __CUDA_ARCH__ >= 800
    using A = Pixels<Tile, kPass, 4>;
    using B = LoaderB<Tile, kPass, 4>;
    using Buffers = Tf32Buffers<Tile, kPass>;
    constexpr int BK = Tile::BK, kStages = Tile::kStages;
    constexpr int kRows = Tile::WM / 16, kCols = Tile::WN / 8;
    // (kStages) times As (BM, BK) and Bs (BN, BK), or the other way around
    PYCONV_DYNAMIC_SHARED(float, buffers);

    const Block<Tile, kPass> block(p);
    if (block.empty()) return;
    A a(p, block);
    B b(p, block);
    int copied = 0, into = 0;  // slices, and the buffer of the next
    const auto copy_next = [&] {
        if (copied < block.slices) {
            float* const As = buffers + into * Buffers::kStage;
            copy<typename Buffers::A>(a, As);
            copy<typename Buffers::B>(b, As + Buffers::A::kFloats);
            a.advance();
            b.advance();
        }
        cp_async_commit();
        ++copied;
        into = into + 1 == kStages ? 0 : into + 1;
    };

    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int warp_m = warp / Tile::kWarpCols * Tile::WM;
    const int warp_n = warp % Tile::kWarpCols * Tile::WN;
    float sums[kRows][kCols][4];
#pragma unroll
    for (int i = 0; i < kRows; ++i)
#pragma unroll
        for (int j = 0; j < kCols; ++j)
#pragma unroll
            for (int e = 0; e < 4; ++e) sums[i][j][e] = 0.f;

#pragma unroll
    for (int i = 0; i < kStages - 1; ++i) copy_next();
    int from = 0;
    for (int slice = 0; slice < block.slices; ++slice) {
        cp_async_wait<kStages - 2>();
        float* const As = buffers + from * Buffers::kStage;
        float* const Bs = As + Buffers::A::kFloats;
        round_copied<typename Buffers::A, A>(As);
        round_copied<typename Buffers::B, B>(Bs);
        __syncthreads();  // the slice is there, and the one before has been used by all
        copy_next();
#pragma unroll
        for (int k = 0; k < BK; k += 8) {
            uint32_t u[kRows][4], v[kCols][2];
#pragma unroll
            for (int i = 0; i < kRows; ++i)
                load_a<typename Buffers::A, A::kAlongK>(As, warp_m + 16 * i, k, u[i]);
#pragma unroll
            for (int j = 0; j < kCols; j += 2) {
                uint32_t two[4];
                load_b<typename Buffers::B, B::kAlongK>(Bs, warp_n + 8 * j, k, two);
#pragma unroll
                for (int e = 0; e < 4; ++e) v[j + e / 2][e % 2] = two[e];
            }
#pragma unroll
            for (int i = 0; i < kRows; ++i)
#pragma unroll
                for (int j = 0; j < kCols; ++j) mma_m16n8k8_tf32(sums[i][j], u[i], v[j]);
        }
        from = from + 1 == kStages ? 0 : from + 1;
    }
    cp_async_wait<0>();

    alignas(8) float bias[kCols][2];
#pragma unroll
    for (int j = 0; j < kCols; ++j)
        load_bias<2>(p, block.group, block.n0 + warp_n + 8 * j + lane % 4 * 2, bias[j]);
#pragma unroll
    for (int i = 0; i < 2 * kRows; ++i) {
        const int m = block.m0 + warp_m + 8 * i + lane / 4;
        if (m >= block.m) continue;
        float* row = block.row(p, m);
#pragma unroll
        for (int j = 0; j < kCols; ++j)
            write<2>(p, row, block.n0 + warp_n + 8 * j + lane % 4 * 2, &sums[i / 2][j][i % 2 * 2],
                     bias[j]);
    }
#endif
}

}  // namespace pyconv::cuda
