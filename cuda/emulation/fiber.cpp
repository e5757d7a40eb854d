#include "fiber.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
// The six callee-saved registers of the System V ABI lie below the address to return to. The
// control words of the floating point units are the same on all fibers.
asm(R"(
.text
.globl pyconv_fiber_switch
.hidden pyconv_fiber_switch
.type pyconv_fiber_switch, @function
pyconv_fiber_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rcx
    jmpq *%rcx
.size pyconv_fiber_switch, .-pyconv_fiber_switch
.section .note.GNU-stack, "", @progbits
.text
)");
#elif defined(__aarch64__)
// x19 to x30 and d8 to d15, as AAPCS64 has it.
asm(R"(
.text
.globl pyconv_fiber_switch
.hidden pyconv_fiber_switch
.type pyconv_fiber_switch, %function
pyconv_fiber_switch:
    sub sp, sp, #160
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x2, sp
    str x2, [x0]
    mov sp, x1
    ldp x19, x20, [sp]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size pyconv_fiber_switch, .-pyconv_fiber_switch
.section .note.GNU-stack, "", %progbits
.text
)");
#else
#error "the emulated device needs x86-64 or AArch64: write pyconv_fiber_switch for this processor"
#endif

namespace pyconv::emulation {

void* new_fiber(void* memory, size_t bytes, void (*entry)()) {
    const uintptr_t top = (reinterpret_cast<uintptr_t>(memory) + bytes) & ~uintptr_t{15};
    const auto start = reinterpret_cast<uintptr_t>(entry);
#if defined(__x86_64__)
    // At its entry a function finds rsp = 8 modulo 16, and here no address to return to.
    uintptr_t frame[8] = {0, 0, 0, 0, 0, 0, start, 0};
    const uintptr_t place = top - sizeof(frame);
#else
    uintptr_t frame[20] = {};
    frame[11] = start;  // x30
    const uintptr_t place = top - sizeof(frame);
#endif
    void* const stack = reinterpret_cast<void*>(place);
    std::memcpy(stack, frame, sizeof(frame));
    return stack;
}

}  // namespace pyconv::emulation
