// Shared memory of the block that runs.

#include <cstring>
#include <string>

#include "machine.h"

namespace pyconv::emulation {
namespace {

// As much again is between the arrays as CUDA has for them.
constexpr size_t kShared = 512 << 10, kBetween = 128;

alignas(128) char shared[kShared];

struct Array {
    const char* name;
    char* memory;
    size_t bytes;
};

std::vector<Array> arrays;
size_t used = 0, dynamic_bytes = 0;

char* take(const char* name, size_t bytes) {
    char* const memory = shared + used;
    used += (bytes + kBetween - 1) / 128 * 128 + kBetween;
    if (used > kShared) kernel_fault("declares more shared memory than there is");
    std::memset(memory, 0xff, bytes);  // NaN
    set_state(memory, bytes, kFresh);
    arrays.push_back({name, memory, bytes});
    return memory;
}

}  // namespace

void reset_shared(const Kernel& kernel) {
    if (kChecks && !shared_shadow.states) shared_shadow = new_shadow(shared, kShared);
    set_state(shared, used, kOutside);
    arrays.clear();
    used = kBetween;
    dynamic_bytes = kernel.shared_bytes;
    take("dynamic shared memory", dynamic_bytes);
}

void* shared_array(SharedArray& array) {
    Machine& m = machine();
    if (array.block == m.blocks) return array.memory;
    size_t bytes = array.bytes;
    for (size_t i = 1; i < arrays.size(); ++i) bytes += arrays[i].bytes;
    if (bytes > kMostStaticShared) kernel_fault("declares more than 48 KB of shared memory");
    array.memory = take(array.name, array.bytes);
    array.block = m.blocks;
    return array.memory;
}

void* dynamic_shared(const char* name) {
    if (dynamic_bytes == 0) kernel_fault("uses dynamic shared memory, and was launched with none");
    arrays[0].name = name;
    return arrays[0].memory;
}

std::string describe_shared(const void* address) {
    const char* const at = static_cast<const char*>(address);
    if (at < shared || at >= shared + kShared) return "";
    const Array* nearest = &arrays[0];
    for (const Array& array : arrays)
        if (array.memory - kBetween / 2 <= at) nearest = &array;
    const std::string name =
        std::string(nearest->name) + " (" + std::to_string(nearest->bytes) + " bytes, shared)";
    if (at < nearest->memory) return std::to_string(nearest->memory - at) + " bytes before " + name;
    const auto past = at - nearest->memory - static_cast<ptrdiff_t>(nearest->bytes);
    if (past >= 0) return std::to_string(past) + " bytes past the end of " + name;
    return "byte " + std::to_string(at - nearest->memory) + " of " + name;
}

}  // namespace pyconv::emulation
