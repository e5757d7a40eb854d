// Instructions that CUDA C++ has no words for. For the emulated device each has a twin of the same
// name in emulation/ptx.h.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#ifndef __CUDACC__
#include "emulation/ptx.h"
#else

namespace pyconv::cuda {

// Asynchronous copies from global to shared memory (sm_80; before that they are done at once). A
// thread sees what it copied after its cp_async_wait, other threads after a barrier behind that.
// dst and src are aligned to Bytes, 4, 8 or 16; of src the first `valid` bytes are read, and the
// rest of dst is zeroed.
template <int Bytes>
__device__ __forceinline__ void cp_async(void* dst, const void* src, int valid = Bytes) {
    static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
#if __CUDA_ARCH__ >= 800
    const auto to = static_cast<uint32_t>(__cvta_generic_to_shared(dst));
    if constexpr (Bytes == 16)  // past L1, which it would not be read from again
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to), "l"(src),
                     "r"(valid)
                     : "memory");
    else
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;\n" ::"r"(to), "l"(src),
                     "n"(Bytes), "r"(valid)
                     : "memory");
#else
    if constexpr (Bytes == 4) {
        *static_cast<float*>(dst) = valid > 0 ? *static_cast<const float*>(src) : 0.0f;
    } else if (valid == Bytes) {
        using Vector = std::conditional_t<Bytes == 16, float4, float2>;
        *static_cast<Vector*>(dst) = *static_cast<const Vector*>(src);
    } else {
#pragma unroll
        for (int i = 0; i < Bytes / 4; ++i)
            static_cast<float*>(dst)[i] = 4 * i < valid ? static_cast<const float*>(src)[i] : 0.0f;
    }
#endif
}

// Ends a group of copies of this thread, which may be empty.
__device__ __forceinline__ void cp_async_commit() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;\n" ::: "memory");
#endif
}

// Waits for all groups of this thread but the last N.
template <int N>
__device__ __forceinline__ void cp_async_wait() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;\n" ::"n"(N) : "memory");
#endif
}

// The nearest value with 10 bits of mantissa, ties away from zero, as the tensor cores take it.
__device__ __forceinline__ uint32_t to_tf32(float value) {
#if __CUDA_ARCH__ >= 800
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(bits) : "f"(value));
    return bits;
#else
    return __float_as_uint(value);
#endif
}

// d (16, 8) += a (16, 8) b (8, 8), by the 32 threads of a warp. With g = lane / 4, t = lane % 4:
// a is (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4); b is (t, g), (t + 4, g);
// d is (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1). sm_80.
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4],
                                                 const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};\n"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();
#endif
}

// Four matrices of 8 rows of 16 bytes from shared memory: lanes 8 i to 8 i + 7 give the addresses
// of the rows of matrix i, and of each matrix i lane l gets word l % 4 of row l / 4 in values[i].
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&values)[4], const void* row) {
    const auto from = static_cast<uint32_t>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(values[0]), "=r"(values[1]), "=r"(values[2]), "=r"(values[3])
                 : "r"(from)
                 : "memory");
}

}  // namespace pyconv::cuda

#endif
