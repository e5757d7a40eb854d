// The emulated device: one block at a time, one fiber for each of its threads, each run until it
// waits. All of it is behind one lock; kernels run in the thread that waits for them.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "checks.h"
#include "launch.h"
#include "warp.h"

namespace pyconv::emulation {

// Bytes of shared memory, for a block and for one that asks for more than the usual.
constexpr size_t kMostStaticShared = 48 << 10, kMostShared = 163 << 10;

enum class Wait : uint8_t { nothing, barrier, warp, ended };

// Not done yet.
struct AsyncCopy {
    void* dst;
    const void* src;
    int bytes, valid, group;
};

struct Thread {
    uint3 index;
    void* place;      // on its stack
    void* stack_end;  // the highest address of its stack
    Wait wait;
    Together what;
    bool predicate;
    int reduction;
    unsigned mask;
    void* operands;
    Place where;
    std::vector<AsyncCopy> copies;
    int group;  // of copies, that is open
    Stamp stamp;
};

struct Machine {
    std::recursive_mutex mutex;
    uint64_t seed = 0;  // 0: threads and blocks in ascending order
    std::mt19937_64 random;

    // What runs now.
    const Kernel* kernel = nullptr;
    uint3 block{};
    uint64_t blocks = 0;          // number of this block among all that ever ran
    uint64_t run = 0;             // its number in stamps
    uint64_t first_run = 0;       // of the launch
    std::vector<uint64_t> order;  // of the launch's blocks
    int count = 0;                // of threads
    int running = -1;             // thread, or -1 between them
    int barrier_result = 0;
    void* scheduler = nullptr;
    std::vector<Thread> threads;

    std::string fault;  // of a kernel or a copy, until somebody has read its text
};

Machine& machine();

// False where a fault was found.
bool run_kernel(const Kernel& kernel);

// Goes on to the next thread, and never comes back to this one.
[[noreturn]] void leave_thread();

// Records a fault of what runs now: "kernel, block, thread: text".
void set_fault(const std::string& text);

// "(1, 2, 3)", of the thread of that number in the block.
std::string thread_name(int thread);
std::string index_name(uint3 index);
std::string place_name(const Place& place);
// The name of the function at an address.
std::string function_name(const void* address);
// "gemm.cu:12" of code, where the debugger's tables and addr2line are at hand; else "".
std::string code_place(const void* code);
// Where the module begins, in memory.
uintptr_t module_begin();
// A stack of a thread, or what the module itself contains.
bool is_own(const void* address);
bool is_stack(const void* address);
// Of the block with that number in stamps.
std::string block_name(uint64_t run);

// A new block begins: nothing is in shared memory.
void reset_shared(const Kernel& kernel);
// "As + 16 bytes, of 4096 in shared memory"; "" where the address is elsewhere.
std::string describe_shared(const void* address);

}  // namespace pyconv::emulation
