// Workspace of one operation on the device: what csrc/scratch.h is on the CPU.
#pragma once

#include <cstddef>
#include <vector>

#include "memory.h"
#include "workspace.h"

namespace pyconv {

// Takes memory of the device, and gives all of it back at the end of the scope: the kernels that
// were launched on the stream before are done with it before those that come later begin.
class Scratch final : public Workspace {
public:
    Scratch() = default;
    ~Scratch() {
        for (void* memory : taken_) cuda::release(memory);
    }

private:
    void* take_bytes(size_t bytes) override {
        taken_.reserve(taken_.size() + 1);
        taken_.push_back(cuda::allocate(bytes));
        return taken_.back();
    }
    std::vector<void*> taken_;
};

}  // namespace pyconv
