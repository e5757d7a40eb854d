#include "handlers.h"

#include <pthread.h>
#include <ucontext.h>

#include "machine.h"
#include "memory.h"

namespace pyconv::emulation {
namespace {

constexpr size_t kBytes = 64 << 10;

pthread_t runner;  // the thread that runs kernels
struct sigaction previous_segv, previous_bus, previous_fpe;

// A fault that is no kernel's is for the handler that was there before.
void on_signal(int signal, siginfo_t* info, void* context) {
    Machine& m = machine();
    if (m.running < 0 || !pthread_equal(pthread_self(), runner)) {
        sigaction(signal,
                  signal == SIGFPE   ? &previous_fpe
                  : signal == SIGBUS ? &previous_bus
                                     : &previous_segv,
                  nullptr);
        return;  // and the instruction faults again
    }
    now.checking = false;
    set_fault(signal == SIGFPE          ? "divides an integer by zero"
              : is_stack(info->si_addr) ? "has used up its stack"
                                        : "touches " + describe_address(info->si_addr));
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
    const auto stack = reinterpret_cast<uintptr_t>(m.threads[m.running].stack_end) & ~uintptr_t{15};
    const auto next = reinterpret_cast<uintptr_t>(leave_thread);
#if defined(__x86_64__)
    registers.gregs[REG_RSP] = static_cast<greg_t>(stack - 8);
    registers.gregs[REG_RIP] = static_cast<greg_t>(next);
#else
    registers.sp = stack;
    registers.pc = next;
#endif
}

}  // namespace

Handlers::Handlers() {
    static thread_local char* const memory = new char[kBytes];
    stack_t stack{};
    stack.ss_sp = memory;
    stack.ss_size = kBytes;
    sigaltstack(&stack, &previous_stack_);
    runner = pthread_self();
    struct sigaction action{};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGSEGV, &action, &previous_segv);
    sigaction(SIGBUS, &action, &previous_bus);
    sigaction(SIGFPE, &action, &previous_fpe);
}

Handlers::~Handlers() {
    sigaction(SIGSEGV, &previous_segv, nullptr);
    sigaction(SIGBUS, &previous_bus, nullptr);
    sigaction(SIGFPE, &previous_fpe, nullptr);
    sigaltstack(&previous_stack_, nullptr);
}

}  // namespace pyconv::emulation
