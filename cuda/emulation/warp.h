// Barriers and what the 32 threads of a warp do together.
#pragma once

#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

namespace pyconv::emulation {

// Where in the source a thread waits. Threads that wait at different places do not meet.
using Place = std::source_location;

enum class Together : uint8_t { sync, shuffle, vote, matrix };

// Waits for the threads of `mask`; the last to arrive calls compute(operands of all lanes, mask).
// Each lane's `operands` are on its own stack and may be written to.
void together(Together what, unsigned mask, void* operands,
              void (*compute)(void* const* lanes, unsigned mask), const Place& place);

// 0: and, 1: or, 2: count of `predicate`, over the threads of the block; a barrier.
int block_barrier(bool predicate, int reduction, const Place& place);

[[noreturn]] void kernel_fault(const char* text);

template <class T>
struct Shuffle {
    T value;
    int source;  // lane
    T result;
};

template <class T>
T shuffle(unsigned mask, T value, int source, const Place& place) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
    Shuffle<T> operands{value, source, value};
    together(
        Together::shuffle, mask, &operands,
        [](void* const* lanes, unsigned all) {
            for (int lane = 0; lane < 32; ++lane) {
                if (!(all >> lane & 1)) continue;
                auto* const mine = static_cast<Shuffle<T>*>(lanes[lane]);
                if (!(all >> mine->source & 1))
                    kernel_fault("shuffles from a lane that is not in the mask");
                mine->result = static_cast<Shuffle<T>*>(lanes[mine->source])->value;
            }
        },
        place);
    return operands.result;
}

int lane();

inline unsigned ballot(unsigned mask, bool predicate, const Place& place) {
    struct Vote {
        bool predicate;
        unsigned result;
    } operands{predicate, 0};
    together(
        Together::vote, mask, &operands,
        [](void* const* lanes, unsigned all) {
            unsigned votes = 0;
            for (int i = 0; i < 32; ++i)
                if (all >> i & 1) votes |= unsigned{static_cast<Vote*>(lanes[i])->predicate} << i;
            for (int i = 0; i < 32; ++i)
                if (all >> i & 1) static_cast<Vote*>(lanes[i])->result = votes;
        },
        place);
    return operands.result;
}

}  // namespace pyconv::emulation

#define PYCONV_HERE const pyconv::emulation::Place& here = pyconv::emulation::Place::current()

inline void __syncthreads(PYCONV_HERE) { pyconv::emulation::block_barrier(true, 0, here); }
inline int __syncthreads_and(int predicate, PYCONV_HERE) {
    return pyconv::emulation::block_barrier(predicate != 0, 0, here);
}
inline int __syncthreads_or(int predicate, PYCONV_HERE) {
    return pyconv::emulation::block_barrier(predicate != 0, 1, here);
}
inline int __syncthreads_count(int predicate, PYCONV_HERE) {
    return pyconv::emulation::block_barrier(predicate != 0, 2, here);
}

inline void __syncwarp(unsigned mask = 0xffffffff, PYCONV_HERE) {
    pyconv::emulation::together(pyconv::emulation::Together::sync, mask, nullptr, nullptr, here);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, PYCONV_HERE) {
    const int first = pyconv::emulation::lane() & ~(width - 1);
    return pyconv::emulation::shuffle(mask, value, first | (source & (width - 1)), here);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, PYCONV_HERE) {
    const int lane = pyconv::emulation::lane(), last = lane | (width - 1);
    return pyconv::emulation::shuffle(mask, value, (lane ^ lanes) > last ? lane : lane ^ lanes,
                                      here);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, PYCONV_HERE) {
    const int lane = pyconv::emulation::lane(), last = lane | (width - 1);
    const int source = lane + static_cast<int>(delta);
    return pyconv::emulation::shuffle(mask, value, source > last ? lane : source, here);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, PYCONV_HERE) {
    const int lane = pyconv::emulation::lane(), first = lane & ~(width - 1);
    const int source = lane - static_cast<int>(delta);
    return pyconv::emulation::shuffle(mask, value, source < first ? lane : source, here);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, PYCONV_HERE) {
    return pyconv::emulation::ballot(mask, predicate != 0, here);
}
inline int __any_sync(unsigned mask, int predicate, PYCONV_HERE) {
    return pyconv::emulation::ballot(mask, predicate != 0, here) != 0;
}
inline int __all_sync(unsigned mask, int predicate, PYCONV_HERE) {
    return pyconv::emulation::ballot(mask, predicate == 0, here) == 0;
}
#undef PYCONV_HERE
