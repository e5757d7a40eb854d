// Shared memory of the block that runs.

#include <algorithm>
#include <cstring>

#include "machine.h"

namespace pyconv::emulation {
namespace {

constexpr size_t kShared = 512 << 10, kBetween = 128;

alignas(128) char shared[kShared];
size_t used, dynamic_bytes;

char* take(size_t bytes) {
    char* const memory = shared + used;
    used += (bytes + kBetween - 1) / 128 * 128 + kBetween;
    if (used > kShared) kernel_fault("declares more shared memory than there is");
    std::memset(memory, 0xff, bytes);  // NaN
    return memory;
}

}  // namespace

void reset_shared(const Kernel& kernel) {
    used = kBetween;
    dynamic_bytes = kernel.shared_bytes;
    take(dynamic_bytes);
}

void* shared_array(SharedArray& array) {
    const uint64_t block = machine().blocks;
    if (array.block != block) {
        array.memory = take(array.bytes);
        array.block = block;
    }
    return array.memory;
}

void* dynamic_shared(const char*) {
    if (dynamic_bytes == 0) kernel_fault("uses dynamic shared memory, and was launched with none");
    return shared + kBetween;
}

}  // namespace pyconv::emulation
