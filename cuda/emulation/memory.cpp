#include "memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>

namespace pyconv::emulation {
namespace {

constexpr size_t kPage = 4096, kAlignment = 16;
// Addresses for the device, more than its memory: what was freed is not soon used again.
constexpr size_t kAddresses = size_t{1} << 36, kMemory = size_t{8} << 30;
constexpr uint32_t kPoison = 0x7ffadbad;  // a NaN, and an index that is far outside

struct Allocation {
    size_t bytes;
    char* pages;
    size_t page_bytes;
    bool freed;
};

struct Store {
    char* base;
    size_t next = 0, used = 0;
    std::map<char*, Allocation> device;  // freed ones too, until their addresses are used again
    std::map<char*, size_t> pinned;

    Store() {
        void* const memory = mmap(nullptr, kAddresses, PROT_NONE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        base = static_cast<char*>(memory);
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

}  // namespace

void* allocate_device(size_t bytes) {
    Store& s = store();
    if (bytes > kMemory - s.used) return nullptr;
    const size_t page_bytes = (bytes + kPage - 1) / kPage * kPage;
    // As much free room behind it as it is large: what goes past its end meets nothing.
    const size_t room = 2 * page_bytes + kPage;
    if (s.next + room + kPage > kAddresses) s.next = 0;
    char* const pages = s.base + s.next + kPage;
    for (auto at = before(s, pages + room); at != s.device.end(); at = before(s, pages + room)) {
        if (at->second.pages + at->second.page_bytes <= pages) break;
        if (!at->second.freed) return nullptr;
        s.device.erase(at);
    }
    s.next += room;
    if (mprotect(pages, page_bytes, PROT_READ | PROT_WRITE) != 0) return nullptr;
    char* const memory = pages + (page_bytes - bytes) / kAlignment * kAlignment;
    poison(pages, page_bytes);
    s.device[memory] = {bytes, pages, page_bytes, false};
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
    madvise(a.pages, a.page_bytes, MADV_DONTNEED);
    mprotect(a.pages, a.page_bytes, PROT_NONE);
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
    return found != s.device.end() && !found->second.freed &&
           static_cast<const char*>(memory) + bytes <= found->first + found->second.bytes;
}

size_t device_bytes() { return kMemory; }
size_t device_bytes_used() { return store().used; }

std::string describe_address(const void* address) {
    char text[200];
    const char* const at = static_cast<const char*>(address);
    Store& s = store();
    const auto found = before(s, address);
    const auto next = found == s.device.end() ? s.device.begin() : std::next(found);
    // Of two neighbours, the nearer is meant.
    if (is_device(at) && next != s.device.end() &&
        (found == s.device.end() ||
         next->first - at < at - (found->first + static_cast<ptrdiff_t>(found->second.bytes)))) {
        std::snprintf(text, sizeof(text), "%p, %td bytes before the %zu bytes at %p", address,
                      next->first - at, next->second.bytes, static_cast<void*>(next->first));
    } else if (is_device(at) && found != s.device.end()) {
        const ptrdiff_t past = at - (found->first + static_cast<ptrdiff_t>(found->second.bytes));
        std::snprintf(text, sizeof(text), "%p, %td bytes %s the %zu bytes at %p%s", address,
                      past >= 0 ? past : at - found->first, past >= 0 ? "past the end of" : "into",
                      found->second.bytes, static_cast<void*>(found->first),
                      found->second.freed ? ", which were freed" : "");
    } else {
        std::snprintf(text, sizeof(text), "%p, which is no memory of the device", address);
    }
    return text;
}

}  // namespace pyconv::emulation
