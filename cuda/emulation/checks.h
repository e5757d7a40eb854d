// What is known of each byte of the device's memory and of shared memory, and who touched it last.
// Where the kernels are compiled with PYCONV_EMULATION_CHECKS, the compiler calls access() before
// each load and store of theirs (hooks.cpp); else only the twins of PTX and the copies come here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace pyconv::emulation {

#ifdef PYCONV_EMULATION_CHECKS
constexpr bool kChecks = true;
#else
constexpr bool kChecks = false;
#endif

enum class Access : uint8_t { read, write, atomic };

// Of a byte: outside of all arrays, never written, being written by cp.async, written.
enum State : uint8_t { kOutside, kFresh, kFlying, kWritten };

// The moment of an access: block 24 bits, thread 10, barriers before it 16, barriers of the warp
// before it 9, then which bytes of the word 4, whether atomic 1. 0 is never.
using Stamp = uint64_t;
constexpr int kBlockBit = 40, kThreadBit = 30, kPhaseBit = 14, kClockBit = 5, kBytesBit = 1;
constexpr uint64_t kMostBlocks = uint64_t{1} << 24;
constexpr int kMostClock = 511;

struct [[gnu::packed, gnu::aligned(4)]] Record {
    Stamp stamp;
    uint32_t place;  // of the code, from the start of the module
};

// The last write to a word, and reads since by two threads, of two warps if there were.
struct Cell {
    Record write, reads[2];
};

// Shadow of [begin, begin + bytes).
struct Shadow {
    uintptr_t begin;
    size_t bytes;
    State* states;
    Cell* cells;
};

// Memory for the shadow of `bytes`, zeros until it is touched.
Shadow new_shadow(const void* begin, size_t bytes);
extern Shadow device_shadow, shared_shadow;

// What the thread that runs now is.
struct Now {
    bool checking = false;  // it is in a kernel's own code
    bool counting = false;  // what it asks of memory (traffic.h)
    Stamp stamp = 0;
    uintptr_t code_begin = 0;  // of the module
    Stamp launch = 0;          // of the launch's first block: what is older was before it
};
extern Now now;

// Faults where the running thread must not do this; else it is counted, where that is wanted.
void access(const void* address, size_t bytes, Access what, const void* code, bool counted = true);

// cp.async writes to dst from here, and has written.
void begin_flight(const void* dst, size_t bytes, const void* code);
void end_flight(const void* dst, size_t bytes, const void* code);

// Pages of the device that are outside of all arrays from here on.
void forget_memory(const void* pages, size_t bytes);
void set_state(const void* memory, size_t bytes, State state);
// The first byte of the device's memory that was never written, or null.
const void* first_unwritten(const void* memory, size_t bytes);
// State of what was copied within the device.
void copy_state(const void* dst, const void* src, size_t bytes);

// Orders the threads of a warp by a barrier of theirs.
void order_lanes(int first_thread, unsigned mask);
// Begins the time after a barrier of the block, or before the first.
void next_phase(bool first);
// No access is remembered.
void forget_accesses();

}  // namespace pyconv::emulation
