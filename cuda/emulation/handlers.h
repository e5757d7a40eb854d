// Faults that the processor finds while a kernel runs.
#pragma once

#include <csignal>
#include <cstddef>

namespace pyconv::emulation {

// While it lives, a thread that touches what it must not, such as a guard page, ends with its
// kernel. The handler has a stack of its own, as the thread's may be what is used up.
class Handlers {
public:
    Handlers();
    ~Handlers();
    Handlers(const Handlers&) = delete;

private:
    stack_t previous_stack_;
};

}  // namespace pyconv::emulation
