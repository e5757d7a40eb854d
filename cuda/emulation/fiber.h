// Switch from one stack to another: the callee-saved registers, and nothing that calls the kernel.
#pragma once

#include <cstddef>

namespace pyconv::emulation {

// Saves this stack's place in `from` and goes on at `to`.
extern "C" void pyconv_fiber_switch(void** from, void* to);

// A place on the stack [memory, memory + bytes), at which `entry` begins; it must not return.
void* new_fiber(void* memory, size_t bytes, void (*entry)());

}  // namespace pyconv::emulation
