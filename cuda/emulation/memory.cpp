#include "memory.h"

#include "checks.h"
#include "machine.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <new>

namespace pyconv::emulation {
namespace {

// Without checks of each access an array ends at a guard page, as near as a float4 lets it.
constexpr size_t kPage = 4096, kAlignment = kChecks ? 256 : 16;
// Addresses for the device, more than its memory: what was freed is not soon used again.
constexpr size_t kAddresses = size_t{1} << 35, kMemory = size_t{8} << 30;
constexpr size_t kFreedKnown = 16, kMostKept = size_t{32} << 20;
constexpr uint32_t kPoison = 0x7ffadbad;  // a NaN, and an index that is far outside

struct Allocation {
    size_t bytes;
    char* pages;
    size_t page_bytes;
    bool freed, of_host_too;
};

struct Store {
    char* base;
    size_t next = 0, used = 0;
    std::map<char*, Allocation> device;
    std::deque<char*> freed;            // those in `device` that are: a use of them is found
    std::multimap<size_t, char*> kept;  // pages of older ones, by their bytes
    size_t kept_bytes = 0;
    std::map<char*, size_t> pinned;
    std::multimap<char*, size_t> host;  // what the device may touch

    Store() {
        void* const memory = mmap(nullptr, kAddresses, PROT_NONE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        base = static_cast<char*>(memory);
        if (kChecks) device_shadow = new_shadow(base, kAddresses);
    }
};

Store& store() {
    static Store* const one = new Store;
    return *one;
}

void poison(void* memory, size_t bytes) {
    char* const to = static_cast<char*>(memory);
    for (size_t i = 0; i + 4 <= bytes; i += 4) std::memcpy(to + i, &kPoison, 4);
    for (size_t i = bytes / 4 * 4; i < bytes; ++i) to[i] = static_cast<char>(0xad);
}

// The allocation that begins at or before the address; end() where there is none.
auto before(Store& s, const void* address) {
    auto found = s.device.upper_bound(const_cast<char*>(static_cast<const char*>(address)));
    return found == s.device.begin() ? s.device.end() : std::prev(found);
}

std::string hex(const void* address) {
    char text[32];
    std::snprintf(text, sizeof(text), "%p", address);
    return text;
}

// "the 4096 bytes at 0x..., argument 1"
std::string name(const std::pair<char* const, Allocation>& one) {
    std::string text = "the " + std::to_string(one.second.bytes) + " bytes at " + hex(one.first);
    if (one.second.freed) text += ", which were freed";
    if (!machine().kernel) return text;
    const auto& arguments = machine().kernel->arguments;
    for (size_t i = 0; i < arguments.size(); ++i)
        if (arguments[i] >= one.first && arguments[i] <= one.first + one.second.bytes)
            text += ", argument " + std::to_string(i);
    return text;
}

void empty_kept(Store& s) {
    for (const auto& [bytes, pages] : s.kept) {
        madvise(pages, bytes, MADV_DONTNEED);
        forget_memory(pages, bytes);
    }
    s.kept.clear();
    s.kept_bytes = 0;
}

void forget_oldest(Store& s) {
    const auto found = s.device.find(s.freed.front());
    s.kept.emplace(found->second.page_bytes, found->second.pages);
    s.kept_bytes += found->second.page_bytes;
    s.device.erase(found);
    s.freed.pop_front();
    if (s.kept_bytes > kMostKept) empty_kept(s);
}

// Pages between others that are not mapped; null where there are no addresses left.
char* take_pages(Store& s, size_t bytes) {
    const auto found = s.kept.find(bytes);
    if (found != s.kept.end()) {
        char* const pages = found->second;
        s.kept.erase(found);
        s.kept_bytes -= bytes;
        return pages;
    }
    // As much free room behind it as it is large: what goes past its end meets nothing.
    const size_t room = 2 * bytes + kPage;
    if (s.next + room > kAddresses - kPage) {
        while (!s.freed.empty()) forget_oldest(s);
        empty_kept(s);
        s.next = 0;
    }
    for (;;) {
        const char* const begin = s.base + s.next + kPage;
        const auto at = before(s, begin + room);
        if (at == s.device.end() || at->second.pages + at->second.page_bytes < begin) break;
        s.next = static_cast<size_t>(at->second.pages - s.base) + at->second.page_bytes;
        if (s.next + room > kAddresses - kPage) return nullptr;
    }
    char* const pages = s.base + s.next + kPage;
    s.next += room;
    return pages;
}

}  // namespace

void* allocate_device(size_t bytes) {
    Store& s = store();
    if (bytes > kMemory - s.used) return nullptr;
    const size_t page_bytes = (bytes + kPage - 1) / kPage * kPage;
    char* const pages = take_pages(s, page_bytes);
    if (!pages || mprotect(pages, page_bytes, PROT_READ | PROT_WRITE) != 0) return nullptr;
    char* const memory = pages + (page_bytes - bytes) / kAlignment * kAlignment;
    poison(pages, page_bytes);
    if (kChecks) mprotect(pages, page_bytes, PROT_NONE);
    set_state(memory, bytes, kFresh);
    s.device[memory] = {bytes, pages, page_bytes, false, false};
    s.used += bytes;
    return memory;
}

bool free_device(void* memory) {
    Store& s = store();
    const auto found = s.device.find(static_cast<char*>(memory));
    if (found == s.device.end() || found->second.freed) return false;
    Allocation& a = found->second;
    a.freed = true;
    s.used -= a.bytes;
    set_state(memory, a.bytes, kOutside);
    mprotect(a.pages, a.page_bytes, PROT_NONE);
    s.freed.push_back(found->first);
    if (s.freed.size() > kFreedKnown) forget_oldest(s);
    return true;
}

void* allocate_pinned(size_t bytes) {
    void* const memory = std::aligned_alloc(kPage, (bytes + kPage) / kPage * kPage);
    if (!memory) return nullptr;
    poison(memory, bytes);
    store().pinned[static_cast<char*>(memory)] = bytes;
    return memory;
}

bool free_pinned(void* memory) {
    if (!store().pinned.erase(static_cast<char*>(memory))) return false;
    std::free(memory);
    return true;
}

bool is_device(const void* memory) {
    const char* const at = static_cast<const char*>(memory);
    return at >= store().base && at < store().base + kAddresses;
}

bool is_pinned(const void* memory) {
    auto& pinned = store().pinned;
    char* const at = const_cast<char*>(static_cast<const char*>(memory));
    const auto found = pinned.upper_bound(at);
    return found != pinned.begin() && at < std::prev(found)->first + std::prev(found)->second;
}

bool in_allocation(const void* memory, size_t bytes) {
    Store& s = store();
    const auto found = before(s, memory);
    if (found != s.device.end() && !found->second.freed &&
        static_cast<const char*>(memory) + bytes <= found->first + found->second.bytes)
        return true;
    return is_shared_with_device(memory, bytes);
}

bool is_shared_with_device(const void* memory, size_t bytes) {
    const char* const at = static_cast<const char*>(memory);
    for (const auto& [begin, size] : store().host)
        if (at >= begin && at + bytes <= begin + size) return true;
    return false;
}

void share_with_host(const void* memory) {
    const std::lock_guard lock(machine().mutex);
    const auto found = before(store(), memory);
    if (found == store().device.end()) return;
    found->second.of_host_too = true;
    set_state(found->first, found->second.bytes, kWritten);  // by the host, for all that is known
    mprotect(found->second.pages, found->second.page_bytes, PROT_READ | PROT_WRITE);
}

void share_with_device(const void* memory, size_t bytes) {
    const std::lock_guard lock(machine().mutex);
    store().host.emplace(const_cast<char*>(static_cast<const char*>(memory)), bytes);
}

void withdraw_from_device(const void* memory) {
    const std::lock_guard lock(machine().mutex);
    auto& host = store().host;
    const auto found = host.find(const_cast<char*>(static_cast<const char*>(memory)));
    if (found != host.end()) host.erase(found);
}

namespace {

int exposed = 0;

void protect(int protection) {
    if (!kChecks) return;
    for (const auto& [memory, one] : store().device)
        if (!one.freed && !one.of_host_too) mprotect(one.pages, one.page_bytes, protection);
}

}  // namespace

Exposed::Exposed() {
    if (exposed++ == 0) protect(PROT_READ | PROT_WRITE);
}

Exposed::~Exposed() {
    if (--exposed == 0) protect(PROT_NONE);
}

size_t device_bytes() { return kMemory; }
size_t device_bytes_used() { return store().used; }

std::string describe_address(const void* address) {
    if (std::string text = describe_shared(address); !text.empty()) return text;
    if (!is_device(address)) return hex(address) + ", which is no memory of the device";
    const char* const at = static_cast<const char*>(address);
    Store& s = store();
    const auto found = before(s, address);
    const auto next = found == s.device.end() ? s.device.begin() : std::next(found);
    const auto end = [](auto one) { return one->first + one->second.bytes; };
    // Of two neighbours, the nearer is meant.
    if (next != s.device.end() && (found == s.device.end() || next->first - at < at - end(found)))
        return std::to_string(next->first - at) + " bytes before " + name(*next);
    if (found == s.device.end()) return hex(address) + ", where nothing is allocated";
    if (at >= end(found))
        return std::to_string(at - end(found)) + " bytes past the end of " + name(*found);
    return "byte " + std::to_string(at - found->first) + " of " + name(*found);
}

}  // namespace pyconv::emulation
