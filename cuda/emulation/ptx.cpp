#include "ptx.h"

#include "machine.h"

namespace pyconv::emulation {
namespace {

struct Matrix {
    float* d;
    const uint32_t *a, *b;
};

// What a tensor core sees of a register.
double tf32(uint32_t bits) { return __builtin_bit_cast(float, bits & 0xffffe000); }

void multiply(void* const* lanes, unsigned mask) {
    if (mask != 0xffffffff) kernel_fault("mma.sync wants all 32 threads of a warp");
    const auto at = [&](int lane) { return static_cast<const Matrix*>(lanes[lane]); };
    for (int row = 0; row < 16; ++row)
        for (int column = 0; column < 8; ++column) {
            float& d = at(row % 8 * 4 + column / 2)->d[row / 8 * 2 + column % 2];
            double sum = d;
            for (int k = 0; k < 8; ++k)
                sum += tf32(at(row % 8 * 4 + k % 4)->a[row / 8 + k / 4 * 2]) *
                       tf32(at(column * 4 + k % 4)->b[k / 4]);
            d = static_cast<float>(sum);
        }
}

struct Rows {
    const char* row;
    uint32_t* values;
};

void load(void* const* lanes, unsigned mask) {
    if (mask != 0xffffffff) kernel_fault("ldmatrix wants all 32 threads of a warp");
    for (int lane = 0; lane < 32; ++lane)
        for (int i = 0; i < 4; ++i)
            std::memcpy(static_cast<const Rows*>(lanes[lane])->values + i,
                        static_cast<const Rows*>(lanes[8 * i + lane / 4])->row + lane % 4 * 4, 4);
}

}  // namespace

void async_copy(void* dst, const void* src, int bytes, int valid) {
    if (valid < 0 || valid > bytes) kernel_fault("cp.async reads more bytes than it writes");
    const auto misaligned = [&](const void* p) { return reinterpret_cast<uintptr_t>(p) % bytes; };
    if (misaligned(dst) || (valid && misaligned(src))) kernel_fault("misaligned cp.async");
    Machine& m = machine();
    Thread& thread = m.threads[m.running];
    begin_flight(dst, bytes, __builtin_return_address(0));
    std::memset(dst, 0xff, bytes);  // NaN
    thread.copies.push_back({dst, src, bytes, valid, thread.group});
}

void async_commit() {
    Machine& m = machine();
    ++m.threads[m.running].group;
}

void async_wait(int groups) {
    Machine& m = machine();
    Thread& thread = m.threads[m.running];
    const void* const code = __builtin_return_address(0);
    size_t done = 0;
    for (; done < thread.copies.size(); ++done) {
        const AsyncCopy& copy = thread.copies[done];
        if (copy.group >= thread.group - groups) break;
        if (copy.valid) access(copy.src, copy.valid, Access::read, code);
        end_flight(copy.dst, copy.bytes, code);
        std::memcpy(copy.dst, copy.src, copy.valid);
        std::memset(static_cast<char*>(copy.dst) + copy.valid, 0, copy.bytes - copy.valid);
    }
    thread.copies.erase(thread.copies.begin(), thread.copies.begin() + static_cast<int>(done));
}

void mma_m16n8k8_tf32(float* d, const uint32_t* a, const uint32_t* b, const Place& place) {
    Matrix operands{d, a, b};
    together(Together::matrix, 0xffffffff, &operands, multiply, place);
}

void ldmatrix_x4(uint32_t* values, const void* row, const Place& place) {
    if (reinterpret_cast<uintptr_t>(row) % 16) kernel_fault("misaligned row of ldmatrix");
    access(row, 16, Access::read, __builtin_return_address(0));
    Rows operands{static_cast<const char*>(row), values};
    together(Together::matrix, 0xffffffff, &operands, load, place);
}

}  // namespace pyconv::emulation
