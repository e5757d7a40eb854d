#include "checks.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "machine.h"
#include "memory.h"
#include "traffic.h"

namespace pyconv::emulation {
namespace {

// Of each thread of a warp, the barriers of each other thread of the warp that it is behind.
uint16_t clocks[32][32][32];
bool clocks_used[32];
int phase;

Stamp block_of(Stamp s) { return s >> kBlockBit; }
int thread_of(Stamp s) { return static_cast<int>(s >> kThreadBit & 1023); }
int clock_of(Stamp s) { return static_cast<int>(s >> kClockBit & 511); }
unsigned bytes_of(Stamp s) { return static_cast<unsigned>(s >> kBytesBit & 15); }
bool atomic(Stamp s) { return s & 1; }
bool same_moment(Stamp a, Stamp b) { return (a ^ b) >> kClockBit == 0; }

// Whether what was done at `before` is done for the thread that runs now.
bool ordered(Stamp before, bool shared) {
    if (before < now.launch) return true;
    const Stamp differs = before ^ now.stamp;
    if (differs >> kBlockBit) return shared;
    if (!(differs >> kThreadBit & 1023) || (differs >> kPhaseBit & 0xffff)) return true;
    if (differs >> kThreadBit & 0x3e0) return false;
    return clocks[thread_of(before) / 32][thread_of(now.stamp) % 32][thread_of(before) % 32] >=
           clock_of(before);
}

std::string place_of(const void* code) {
    const std::string place = code_place(code);
    return place.empty() ? "" : " at " + place;
}

[[noreturn]] void fault(std::string text) {
    now.checking = false;
    kernel_fault(text.c_str());
}

const char* verb(Access what) {
    return what == Access::read ? "reads" : what == Access::write ? "writes" : "adds to";
}

[[noreturn]] void race(const void* address, const Record& before, Access earlier, Access what,
                       const void* code) {
    now.checking = false;
    const bool same_block = block_of(before.stamp) == block_of(now.stamp);
    fault("race: " + std::string(verb(what)) + place_of(code) + " what thread " +
          thread_name(thread_of(before.stamp)) +
          (same_block ? "" : " of block " + block_name(block_of(before.stamp))) +
          (earlier == Access::read    ? " reads"
           : earlier == Access::write ? " writes"
                                      : " adds to") +
          place_of(reinterpret_cast<const void*>(now.code_begin + before.place)) +
          ", with no barrier between: " + describe_address(address));
}

inline void check_word(Cell& cell, const void* address, unsigned bytes, Access what,
                       const void* code, bool shared) {
    const Stamp stamp = now.stamp | Stamp{bytes} << kBytesBit | (what == Access::atomic);
    const auto apart = [&](const Record& r) {
        return (bytes_of(r.stamp) & bytes) && !ordered(r.stamp, shared) &&
               !(what == Access::atomic && atomic(r.stamp));
    };
    if (apart(cell.write))
        race(address, cell.write, atomic(cell.write.stamp) ? Access::atomic : Access::write, what,
             code);
    const auto place = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(code) - now.code_begin);
    if (what == Access::read) {
        Record &a = cell.reads[0], &b = cell.reads[1];
        if (same_moment(a.stamp, now.stamp))
            a.stamp |= Stamp{bytes} << kBytesBit;
        else if (same_moment(b.stamp, now.stamp))
            b.stamp |= Stamp{bytes} << kBytesBit;
        else if (ordered(a.stamp, shared))
            a = {stamp, place};
        // Of three threads that read, one of another warp is the one to remember.
        else if ((a.stamp ^ b.stamp) >> (kThreadBit + 5) == 0 || ordered(b.stamp, shared))
            b = {stamp, place};
        return;
    }
    for (const Record& read : cell.reads)
        if (apart(read)) race(address, read, Access::read, what, code);
    if (same_moment(cell.write.stamp, now.stamp)) {
        cell.write.stamp |= stamp;
        return;
    }
    cell.write = {stamp, place};
    if (bytes == 15) cell.reads[0] = cell.reads[1] = {};
}

// All of them written: so it is nearly always.
bool all_written(const State* states, size_t bytes) {
    uint32_t four;
    size_t i = 0;
    for (; i + 4 <= bytes; i += 4) {
        std::memcpy(&four, states + i, 4);
        if (four != kWritten * 0x01010101u) return false;
    }
    for (; i < bytes; ++i)
        if (states[i] != kWritten) return false;
    return true;
}

void check_states(const State* states, const void* address, size_t bytes, Access what,
                  const void* code) {
    if (all_written(states, bytes)) return;
    for (size_t i = 0; i < bytes; ++i) {
        if (states[i] == kWritten || (states[i] == kFresh && what == Access::write)) continue;
        now.checking = false;
        const void* const at = static_cast<const char*>(address) + i;
        const std::string touch = std::string(verb(what)) + " " + std::to_string(bytes) + " bytes" +
                                  place_of(code) + " at ";
        if (states[i] == kOutside) fault(touch + describe_address(at));
        if (states[i] == kFresh) fault(touch + describe_address(at) + ", which nobody wrote");
        fault(touch + describe_address(at) +
              ", to which a cp.async copies that was not waited for");
    }
}

void check_in(const Shadow& shadow, const void* address, size_t bytes, Access what,
              const void* code, bool shared) {
    const uintptr_t at = reinterpret_cast<uintptr_t>(address) - shadow.begin;
    State* const states = shadow.states + at;
    check_states(states, address, bytes, what, code);
    for (size_t word = at / 4; word <= (at + bytes - 1) / 4; ++word) {
        unsigned touched = 15;
        if (word * 4 < at) touched &= 15u << (at - word * 4);
        if (word * 4 + 4 > at + bytes) touched &= 15u >> (word * 4 + 4 - at - bytes);
        check_word(shadow.cells[word], reinterpret_cast<const void*>(shadow.begin + word * 4),
                   touched, what, code, shared);
    }
    if (what == Access::write)
        for (size_t i = 0; i < bytes; ++i) states[i] = kWritten;
}

}  // namespace

Shadow device_shadow, shared_shadow;
Now now;

Shadow new_shadow(const void* begin, size_t bytes) {
    const auto reserve = [](size_t size) {
        void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        return memory;
    };
    return {reinterpret_cast<uintptr_t>(begin), bytes, static_cast<State*>(reserve(bytes)),
            static_cast<Cell*>(reserve(bytes / 4 * sizeof(Cell)))};
}

void access(const void* address, size_t bytes, Access what, const void* code, bool counted) {
    if (!now.checking) return;
    const auto at = reinterpret_cast<uintptr_t>(address);
    const bool shared = at - shared_shadow.begin < shared_shadow.bytes;
    if (!shared && at - device_shadow.begin >= device_shadow.bytes) {
        if (!is_own(address) && !is_shared_with_device(address, bytes)) {
            now.checking = false;
            fault(std::string(verb(what)) + place_of(code) + " memory of the host, at " +
                  describe_address(address));
        }
        return;
    }
    if (bytes <= 16 && (bytes & (bytes - 1)) == 0 && at % bytes != 0) {
        now.checking = false;
        fault("misaligned: " + std::string(verb(what)) + " " + std::to_string(bytes) + " bytes" +
              place_of(code) + " at " + describe_address(address));
    }
    check_in(shared ? shared_shadow : device_shadow, address, bytes, what, code, shared);
    if (now.counting && counted) count_access(address, bytes, what, code, shared);
}

void begin_flight(const void* dst, size_t bytes, const void* code) {
    if (!kChecks) return;
    access(dst, bytes, Access::write, code, false);
    set_state(dst, bytes, kFlying);
}

void end_flight(const void* dst, size_t bytes, const void* code) {
    if (!kChecks) return;
    set_state(dst, bytes, kWritten);
    access(dst, bytes, Access::write, code);
}

void set_state(const void* memory, size_t bytes, State state) {
    if (!kChecks || bytes == 0) return;
    const auto at = reinterpret_cast<uintptr_t>(memory);
    const bool shared = at - shared_shadow.begin < shared_shadow.bytes;
    const Shadow& shadow = shared ? shared_shadow : device_shadow;
    std::memset(shadow.states + (at - shadow.begin), state, bytes);
}

const void* first_unwritten(const void* memory, size_t bytes) {
    if (!kChecks) return nullptr;
    const auto at = reinterpret_cast<uintptr_t>(memory) - device_shadow.begin;
    const State* const states = device_shadow.states + at;
    const State* const found =
        std::find_if(states, states + bytes, [](State state) { return state != kWritten; });
    return found == states + bytes ? nullptr : static_cast<const char*>(memory) + (found - states);
}

void forget_memory(const void* pages, size_t bytes) {
    if (!kChecks) return;
    const auto at = reinterpret_cast<uintptr_t>(pages) - device_shadow.begin;
    madvise(device_shadow.states + at, bytes, MADV_DONTNEED);
    madvise(device_shadow.cells + at / 4, bytes / 4 * sizeof(Cell), MADV_DONTNEED);
}

void copy_state(const void* dst, const void* src, size_t bytes) {
    if (!kChecks) return;
    const auto states = [](const void* p) {
        return device_shadow.states + (reinterpret_cast<uintptr_t>(p) - device_shadow.begin);
    };
    std::memmove(states(dst), states(src), bytes);
}

void next_phase(bool first) {
    if (!kChecks) return;
    Machine& m = machine();
    phase = first ? 0 : phase + 1;
    for (int warp = 0; warp < 32; ++warp) {
        if (!clocks_used[warp]) continue;
        std::memset(clocks[warp], 0, sizeof(clocks[warp]));
        clocks_used[warp] = false;
    }
    for (int i = 0; i < m.count; ++i)
        m.threads[i].stamp = m.run << kBlockBit | Stamp(i) << kThreadBit |
                             Stamp(phase & 0xffff) << kPhaseBit | Stamp{1} << kClockBit;
}

void order_lanes(int first_thread, unsigned mask) {
    if (!kChecks) return;
    Machine& m = machine();
    auto& of = clocks[first_thread / 32];
    clocks_used[first_thread / 32] = true;
    uint16_t latest[32] = {};
    for (int lane = 0; lane < 32; ++lane) {
        if (!(mask >> lane & 1)) continue;
        for (int i = 0; i < 32; ++i) latest[i] = std::max(latest[i], of[lane][i]);
        latest[lane] = static_cast<uint16_t>(
            std::max<int>(latest[lane], clock_of(m.threads[first_thread + lane].stamp)));
    }
    for (int lane = 0; lane < 32; ++lane) {
        if (!(mask >> lane & 1)) continue;
        std::copy(latest, latest + 32, of[lane]);
        Stamp& stamp = m.threads[first_thread + lane].stamp;
        if (clock_of(stamp) < kMostClock) stamp += Stamp{1} << kClockBit;
    }
    now.stamp = m.threads[m.running].stamp;
}

void forget_accesses() {
    if (!kChecks) return;
    for (const Shadow& shadow : {device_shadow, shared_shadow})
        madvise(shadow.cells, shadow.bytes / 4 * sizeof(Cell), MADV_DONTNEED);
}

}  // namespace pyconv::emulation
