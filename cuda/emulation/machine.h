// The emulated device: one block at a time, one fiber for each of its threads, each run until it
// waits. All of it is behind one lock; kernels run in the thread that waits for them.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "launch.h"
#include "warp.h"

namespace pyconv::emulation {

enum class Wait : uint8_t { nothing, barrier, warp, ended };

// Not done yet.
struct AsyncCopy {
    void* dst;
    const void* src;
    int bytes, valid, group;
};

struct Thread {
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
};

struct Machine {
    std::recursive_mutex mutex;
    uint64_t seed = 0;  // 0: threads and blocks in ascending order
    std::mt19937_64 random;

    // What runs now.
    const Kernel* kernel = nullptr;
    uint3 block{};
    uint64_t blocks = 0;  // number of this block among all that ever ran
    int count = 0;        // of threads
    int running = -1;     // thread, or -1 between them
    int barrier_result = 0;
    void* scheduler = nullptr;
    std::vector<Thread> threads;

    std::string fault;  // of a kernel or a copy, until somebody has read its text
};

Machine& machine();

// False where a fault was found.
bool run_kernel(const Kernel& kernel);

// Records a fault of what runs now: "kernel, block, thread: text".
void set_fault(const std::string& text);

// "(1, 2, 3)", of the thread of that number in the block.
std::string thread_name(int thread);
std::string index_name(uint3 index);
std::string place_name(const Place& place);
// The name of the function at an address.
std::string function_name(const void* address);

// A new block begins: nothing is in shared memory.
void reset_shared(const Kernel& kernel);

}  // namespace pyconv::emulation
