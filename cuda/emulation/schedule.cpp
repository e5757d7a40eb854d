// Runs kernels: block by block, warp by warp, and each thread until it waits.

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <numeric>

#include "fiber.h"
#include "handlers.h"
#include "machine.h"
#include "memory.h"
#include "traffic.h"

// The names that kernels read are threadIdx, blockIdx, blockDim and gridDim.
extern "C" {
uint3 pyconv_thread_index, pyconv_block_index;
dim3 pyconv_block_size, pyconv_grid_size;
}

namespace pyconv::emulation {
namespace {

constexpr int kMostThreads = 1024;
constexpr size_t kStack = 128 << 10, kPage = 4096;

// One stack for each thread of a block, an unmapped page below each.
char* stacks() {
    static char* const all = [] {
        void* const memory = mmap(nullptr, kMostThreads * kStack, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        char* const first = static_cast<char*>(memory);
        for (int i = 0; i < kMostThreads; ++i) mprotect(first + i * kStack, kPage, PROT_NONE);
        return first;
    }();
    return all;
}

// Where thread i's stack begins: not the same cache lines for all.
char* stack_end(int i) { return stacks() + (i + 1) * kStack - i % 32 * 576 % 4096; }

void thread_entry() {
    Machine& m = machine();
    m.kernel->thread();
    m.threads[m.running].wait = Wait::ended;
    void* unused;
    pyconv_fiber_switch(&unused, m.scheduler);
}

void run_thread(Machine& m, int i) {
    pyconv_thread_index = m.threads[i].index;
    m.running = i;
    now.stamp = m.threads[i].stamp;
    pyconv_fiber_switch(&m.scheduler, m.threads[i].place);
    now.checking = false;
    m.running = -1;
}

void wait(Machine& m, Thread& thread) {
    pyconv_fiber_switch(&thread.place, m.scheduler);
    now.checking = kChecks;
}

// Runs the threads of a warp until each waits for threads of other warps, or has ended.
bool run_warp(Machine& m, int first) {
    const int lanes = std::min(m.count - first, 32);
    int order[32];
    std::iota(order, order + lanes, first);
    for (bool any = true; any;) {
        any = false;
        if (m.seed) std::shuffle(order, order + lanes, m.random);
        for (int i = 0; i < lanes; ++i) {
            if (m.threads[order[i]].wait != Wait::nothing) continue;
            any = true;
            run_thread(m, order[i]);
            if (!m.fault.empty()) return false;
        }
    }
    return true;
}

std::string state_name(const Thread& thread) {
    switch (thread.wait) {
        case Wait::ended:
            return "has ended";
        case Wait::barrier:
            return "waits in __syncthreads at " + place_name(thread.where);
        default:
            return "waits for threads of its warp at " + place_name(thread.where);
    }
}

bool same_place(const Place& a, const Place& b) {
    return a.line() == b.line() && a.column() == b.column() &&
           (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

// All threads wait or have ended, and not all are at the same barrier.
void set_stalled(const Machine& m) {
    const auto kind = [](const Thread& t) { return t.wait == Wait::warp ? 0 : 1 + int(t.wait); };
    int first = 0;  // a thread that waits, for its warp if any does
    for (int i = 0; i < m.count; ++i)
        if (m.threads[i].wait != Wait::ended &&
            (m.threads[first].wait == Wait::ended || kind(m.threads[i]) < kind(m.threads[first])))
            first = i;
    int other = 0;
    const auto apart = [&](int i) {
        const Thread &a = m.threads[first], &b = m.threads[i];
        if (a.wait == Wait::warp && (i / 32 != first / 32 || !(a.mask >> i % 32 & 1))) return false;
        return a.wait != b.wait || !same_place(a.where, b.where) ||
               (a.wait == Wait::warp && a.mask != b.mask);
    };
    while (other < m.count - 1 && !apart(other)) ++other;
    set_fault("threads do not meet: thread " + thread_name(first) + " " +
              state_name(m.threads[first]) + ", thread " + thread_name(other) + " " +
              state_name(m.threads[other]));
}

// Lets the threads go on from a barrier that all of them are at.
bool release_barrier(Machine& m) {
    int votes = 0;
    for (int i = 0; i < m.count; ++i) {
        const Thread& thread = m.threads[i];
        if (thread.wait != Wait::barrier || !same_place(thread.where, m.threads[0].where))
            return false;
        votes += thread.predicate;
    }
    const int reduction = m.threads[0].reduction;
    m.barrier_result = reduction == 0 ? votes == m.count : reduction == 1 ? votes > 0 : votes;
    for (int i = 0; i < m.count; ++i) m.threads[i].wait = Wait::nothing;
    add_traffic();
    next_phase(false);
    return true;
}

uint3 block_index(uint64_t run) {
    const Machine& m = machine();
    const dim3 grid = m.kernel->grid;
    const uint64_t at = m.order[run - m.first_run];
    return {static_cast<unsigned>(at % grid.x), static_cast<unsigned>(at / grid.x % grid.y),
            static_cast<unsigned>(at / grid.x / grid.y)};
}

bool run_block(Machine& m) {
    ++m.blocks;
    pyconv_block_index = m.block;
    reset_shared(*m.kernel);
    for (int i = 0; i < m.count; ++i) {
        Thread& thread = m.threads[i];
        thread.stack_end = stack_end(i);
        thread.place =
            new_fiber(stacks() + i * kStack, stack_end(i) - (stacks() + i * kStack), thread_entry);
        thread.wait = Wait::nothing;
        thread.copies.clear();
        thread.group = 0;
    }
    next_phase(true);
    std::vector<int> warps((m.count + 31) / 32);
    std::iota(warps.begin(), warps.end(), 0);
    for (;;) {
        if (m.seed) std::shuffle(warps.begin(), warps.end(), m.random);
        for (int warp : warps)
            if (!run_warp(m, warp * 32)) return false;
        if (std::all_of(m.threads.begin(), m.threads.begin() + m.count,
                        [](const Thread& thread) { return thread.wait == Wait::ended; })) {
            add_traffic();
            return true;
        }
        if (!release_barrier(m)) {
            set_stalled(m);
            return false;
        }
    }
}

}  // namespace

Machine& machine() {
    static Machine* const one = [] {
        auto* const made = new Machine;
        const char* const seed = std::getenv("PYCONV_EMULATION_SEED");
        made->seed = seed ? std::strtoull(seed, nullptr, 10) : 0;
        made->random.seed(made->seed);
        return made;
    }();
    return *one;
}

int block_barrier(bool predicate, int reduction, const Place& place) {
    Machine& m = machine();
    Thread& thread = m.threads[m.running];
    thread.wait = Wait::barrier;
    thread.predicate = predicate;
    thread.reduction = reduction;
    thread.where = place;
    wait(m, thread);
    return m.barrier_result;
}

void set_seed(uint64_t seed) {
    const std::lock_guard lock(machine().mutex);
    machine().seed = seed;
    machine().random.seed(seed);
}

void begin_thread() { now.checking = kChecks; }
void end_thread() { now.checking = false; }

std::string block_name(uint64_t run) { return index_name(block_index(run)); }

bool is_stack(const void* address) {
    return static_cast<const char*>(address) >= stacks() &&
           static_cast<const char*>(address) < stacks() + kMostThreads * kStack;
}

int lane() { return machine().running % 32; }

void together(Together what, unsigned mask, void* operands, void (*compute)(void* const*, unsigned),
              const Place& place) {
    Machine& m = machine();
    const int first = m.running / 32 * 32;
    Thread& thread = m.threads[m.running];
    if (m.count - first < 32) mask &= (1u << (m.count - first)) - 1;
    if (!(mask >> m.running % 32 & 1)) kernel_fault("is not in the mask of its own warp operation");
    thread.wait = Wait::warp;
    thread.what = what;
    thread.mask = mask;
    thread.operands = operands;
    thread.where = place;
    void* lanes[32] = {};
    for (int lane = 0; lane < 32; ++lane) {
        if (!(mask >> lane & 1)) continue;
        const Thread& other = m.threads[first + lane];
        if (other.wait != Wait::warp || other.mask != mask || other.what != what ||
            !same_place(other.where, place)) {
            wait(m, thread);
            return;
        }
        lanes[lane] = other.operands;
    }
    if (compute) compute(lanes, mask);
    if (what == Together::sync) order_lanes(first, mask);
    for (int lane = 0; lane < 32; ++lane)
        if (mask >> lane & 1) m.threads[first + lane].wait = Wait::nothing;
}

void leave_thread() {
    Machine& m = machine();
    void* unused;
    pyconv_fiber_switch(&unused, m.scheduler);
    __builtin_unreachable();
}

void kernel_fault(const char* text) {
    now.checking = false;
    set_fault(text);
    leave_thread();
}

bool run_kernel(const Kernel& kernel) {
    Machine& m = machine();
    m.kernel = &kernel;
    m.count = static_cast<int>(kernel.block.x * kernel.block.y * kernel.block.z);
    m.threads.resize(kMostThreads);
    const dim3 size = kernel.block;
    for (unsigned i = 0; i < static_cast<unsigned>(m.count); ++i)
        m.threads[i].index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
    pyconv_block_size = kernel.block;
    pyconv_grid_size = kernel.grid;
    const dim3 grid = kernel.grid;
    m.order.resize(uint64_t{grid.x} * grid.y * grid.z);
    std::iota(m.order.begin(), m.order.end(), 0);
    if (m.seed) std::shuffle(m.order.begin(), m.order.end(), m.random);
    if (m.run + m.order.size() >= kMostBlocks) {
        forget_accesses();
        m.run = 0;
    }
    m.first_run = m.run + 1;
    now.code_begin = module_begin();
    now.launch = m.first_run << kBlockBit;
    const Handlers handlers;
    bool good = true;
    for (size_t i = 0; good && i < m.order.size(); ++i) {
        ++m.run;
        m.block = block_index(m.run);
        good = run_block(m);
    }
    m.kernel = nullptr;
    return good;
}

}  // namespace pyconv::emulation
