#include "traffic.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "machine.h"

namespace pyconv::emulation {
namespace {

struct Entry {
    const void* code;
    uintptr_t address;
    uint32_t bytes;
    bool shared, write;
};

std::vector<Entry> logs[1024];  // of each thread, since the last barrier

struct Sum {
    int64_t requests = 0, transactions = 0, ideal = 0;
    int bytes = 0;
};

using Key = std::tuple<const void*, const void*, bool, bool>;  // kernel, code, shared, write

std::map<Key, Sum>& sums() {
    static auto* const all = new std::map<Key, Sum>;
    return *all;
}

// Of sorted addresses: how many different blocks of `unit` bytes.
int64_t blocks_of(const std::vector<uintptr_t>& bytes, uintptr_t unit) {
    int64_t count = 0;
    for (size_t i = 0; i < bytes.size(); ++i)
        count += i == 0 || bytes[i] / unit != bytes[i - 1] / unit;
    return count;
}

// What the lanes of one warp did in one instruction.
void add_request(Sum& sum, std::vector<Entry>& lanes) {
    ++sum.requests;
    sum.bytes = static_cast<int>(lanes[0].bytes);
    // Shared memory takes 128 bytes at a time: 32 lanes of 4 bytes, 16 of 8, 8 of 16.
    const size_t together = lanes[0].shared ? 128 / std::clamp(lanes[0].bytes, 4u, 16u) : 32;
    for (size_t first = 0; first < lanes.size(); first += together) {
        std::vector<uintptr_t> words;
        for (size_t i = first; i < std::min(first + together, lanes.size()); ++i)
            for (uintptr_t at = lanes[i].address / 4; at * 4 < lanes[i].address + lanes[i].bytes;
                 ++at)
                words.push_back(at);
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        if (!lanes[0].shared) {
            sum.transactions += blocks_of(words, 8);
            sum.ideal += static_cast<int64_t>((words.size() + 7) / 8);
            continue;
        }
        int64_t in_bank[32] = {}, most = 0;
        for (const uintptr_t word : words) most = std::max(most, ++in_bank[word % 32]);
        sum.transactions += most;
        sum.ideal += static_cast<int64_t>((words.size() + 31) / 32);
    }
}

void add_warp(const void* kernel, int first, int lanes) {
    // The n-th time that each lane came by the same code was one instruction of the warp.
    std::map<std::pair<const void*, int>, std::vector<Entry>> requests;
    for (int lane = first; lane < first + lanes; ++lane) {
        std::unordered_map<const void*, int> times;
        for (const Entry& entry : logs[lane])
            requests[{entry.code, times[entry.code]++}].push_back(entry);
        logs[lane].clear();
    }
    for (auto& [key, entries] : requests)
        add_request(sums()[{kernel, key.first, entries[0].shared, entries[0].write}], entries);
}

}  // namespace

void count_access(const void* address, size_t bytes, Access what, const void* code, bool shared) {
    logs[machine().running].push_back({code, reinterpret_cast<uintptr_t>(address),
                                       static_cast<uint32_t>(bytes), shared, what != Access::read});
}

void add_traffic() {
    const Machine& m = machine();
    if (!now.counting) return;
    for (int first = 0; first < m.count; first += 32)
        add_warp(m.kernel->address, first, std::min(32, m.count - first));
}

void count_traffic(bool on) {
    const std::lock_guard lock(machine().mutex);
    if (on) sums().clear();
    for (auto& log : logs) log.clear();
    now.counting = on && kChecks;
}

std::vector<Traffic> traffic() {
    const std::lock_guard lock(machine().mutex);
    std::vector<Traffic> all;
    for (const auto& [key, sum] : sums()) {
        const auto& [kernel, code, shared, write] = key;
        all.push_back({function_name(kernel), code_place(code), shared, write, sum.bytes,
                       sum.requests, sum.transactions, sum.ideal});
    }
    return all;
}

}  // namespace pyconv::emulation
