// Counts of what the warps of kernels ask of memory, as the performance model of a GPU has it. The
// compiler of the host decides which loads there are: nvcc may keep more, or fewer, in registers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checks.h"

namespace pyconv::emulation {

// One instruction of a kernel, over all launches since counting began.
struct Traffic {
    std::string kernel, place;
    bool shared, write;
    int bytes;             // of one thread
    int64_t requests;      // warps that executed it
    int64_t transactions;  // global: sectors of 32 bytes; shared: passes over the 32 banks
    int64_t ideal;         // transactions had the same bytes lain side by side
};

// Begins to count, from zero, or ends it. Needs PYCONV_EMULATION_CHECKS.
void count_traffic(bool on);
std::vector<Traffic> traffic();

// An access of the running thread.
void count_access(const void* address, size_t bytes, Access what, const void* code, bool shared);
// All threads of the block are at a barrier, or at their end: theirs since the last is added up.
void add_traffic();

}  // namespace pyconv::emulation
