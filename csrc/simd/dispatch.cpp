// Chooses the table of micro-kernels by what the CPU can do, or by PYCONV_ISA.

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "simd/kernels.h"

namespace pyconv::simd {

#if defined(__x86_64__)
extern const Kernels kernels_avx512, kernels_avx2;
#elif defined(__aarch64__)
extern const Kernels kernels_neon;
#endif
extern const Kernels kernels_baseline;

namespace {

struct Candidate {
    const Kernels* table;
    bool supported;
};

// Best first.
const Candidate* candidates() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    static const Candidate list[] = {
        {&kernels_avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                              __builtin_cpu_supports("avx512bw") &&
                              __builtin_cpu_supports("avx512dq")},
        {&kernels_avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
        {&kernels_baseline, true},
        {nullptr, false},
    };
#elif defined(__aarch64__)
    static const Candidate list[] = {
        {&kernels_neon, true}, {&kernels_baseline, true}, {nullptr, false}};
#else
    static const Candidate list[] = {{&kernels_baseline, true}, {nullptr, false}};
#endif
    return list;
}

const Kernels* find(const char* name) {
    for (const Candidate* c = candidates(); c->table; ++c)
        if (c->supported && std::strcmp(c->table->isa, name) == 0) return c->table;
    return nullptr;
}

const Kernels* best() {
    const Candidate* c = candidates();
    while (!c->supported) ++c;
    return c->table;
}

std::atomic<const Kernels*> active{nullptr};

}  // namespace

const Kernels& kernels() {
    const Kernels* table = active.load(std::memory_order_acquire);
    if (!table) {
        table = best();
        active.store(table, std::memory_order_release);
    }
    return *table;
}

const char* const* available_isas() {
    struct Names {
        const char* list[8] = {};
        Names() {
            int count = 0;
            for (const Candidate* c = candidates(); c->table; ++c)
                if (c->supported) list[count++] = c->table->isa;
        }
    };
    static const Names names;
    return names.list;
}

bool set_isa(const char* name) {
    const Kernels* table = find(name);
    if (table) active.store(table, std::memory_order_release);
    return table != nullptr;
}

}  // namespace pyconv::simd
