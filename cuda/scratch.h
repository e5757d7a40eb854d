// Workspace of one operation on the device: what csrc/scratch.h is on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"

namespace pyconv {

// Takes memory of the device, and gives all of it back at the end of the scope: the kernels that
// were launched on the stream before are done with it before those that come later begin.
class Scratch {
public:
    Scratch() = default;
    ~Scratch() {
        for (void* memory : taken_) cuda::release(memory);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    // Uninitialized, aligned to 256 bytes. Throws std::bad_alloc.
    template <class T>
    T* take(int64_t count) {
        taken_.reserve(taken_.size() + 1);
        taken_.push_back(cuda::allocate(static_cast<size_t>(count) * sizeof(T)));
        return static_cast<T*>(taken_.back());
    }

private:
    std::vector<void*> taken_;
};

}  // namespace pyconv
