// Twins of the instructions of ptx.cuh, which says what each does.
#pragma once

#include <cstdint>

#include "warp.h"

namespace pyconv::emulation {

// What dst holds is unknown until the copy is waited for.
void async_copy(void* dst, const void* src, int bytes, int valid);
void async_commit();
void async_wait(int groups);

void mma_m16n8k8_tf32(float* d, const uint32_t* a, const uint32_t* b, const Place& place);
void ldmatrix_x4(uint32_t* values, const void* row, const Place& place);

}  // namespace pyconv::emulation

namespace pyconv::cuda {

template <int Bytes>
void cp_async(void* dst, const void* src, int valid = Bytes) {
    static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
    emulation::async_copy(dst, src, Bytes, valid);
}

inline void cp_async_commit() { emulation::async_commit(); }

template <int N>
void cp_async_wait() {
    emulation::async_wait(N);
}

inline uint32_t to_tf32(float value) {
    const auto bits = __builtin_bit_cast(uint32_t, value);
    const bool finite = (bits & 0x7f800000) != 0x7f800000;
    return (finite ? bits + 0x1000 : bits) & 0xffffe000;
}

inline void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                             const emulation::Place& place = emulation::Place::current()) {
    emulation::mma_m16n8k8_tf32(d, a, b, place);
}

inline void ldmatrix_x4(uint32_t (&values)[4], const void* row,
                        const emulation::Place& place = emulation::Place::current()) {
    emulation::ldmatrix_x4(values, row, place);
}

}  // namespace pyconv::cuda
