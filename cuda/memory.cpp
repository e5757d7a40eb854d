#include "memory.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <vector>

namespace pyconv::cuda {
namespace {

constexpr size_t kAlignment = 512, kLargeAlignment = size_t{1} << 20;
constexpr size_t kMostPending = 32;

size_t rounded(size_t bytes) {
    const size_t unit = bytes < kLargeAlignment ? kAlignment : kLargeAlignment;
    return std::max<size_t>((bytes + unit - 1) / unit * unit, unit);
}

struct Block {
    size_t bytes;
    int device;
};

using Free = std::multimap<size_t, void*>;

}  // namespace

struct GraphMemory {
    ~GraphMemory();
    Free free;
};

namespace {

// The smallest block that is large enough and of at most so many bytes; null where there is none.
void* taken(Free& free, size_t bytes, size_t most) {
    const auto found = free.lower_bound(bytes);
    if (found == free.end() || found->first > most) return nullptr;
    void* const memory = found->second;
    free.erase(found);
    return memory;
}

// Pinned memory that the stream reads until `done`.
struct Pending {
    void* memory;
    cudaEvent_t done;
    int device;
};

// Never destroyed: at the end of a process the driver may be gone before static objects are.
struct Store {
    std::mutex mutex;
    std::unordered_map<void*, Block> blocks;  // of the device, in use or kept
    std::map<int, Free> free;
    std::map<int, std::weak_ptr<GraphMemory>> of_graphs;  // by device
    // While a graph is captured: what it works with, and by whom.
    std::shared_ptr<GraphMemory> captured;
    std::thread::id capturer;

    std::unordered_map<void*, size_t> pinned;
    Free free_pinned;
    std::deque<Pending> pending;
    std::map<int, std::vector<cudaEvent_t>> events;

    MemoryStats stats{};
#ifdef PYCONV_CUDA_EMULATION
    bool keep = false;
#else
    bool keep = true;
#endif
};

// Whether the calling thread captures a graph.
bool captures(const Store& s) { return s.captured && s.capturer == std::this_thread::get_id(); }

Store& store() {
    static Store* const one = new Store;
    return *one;
}

void free_block(Store& s, void* memory) {
    const auto block = s.blocks.find(memory);
    cudaFree(memory);
    s.stats.cached -= static_cast<int64_t>(block->second.bytes);
    ++s.stats.frees;
    s.blocks.erase(block);
}

void free_all(Store& s, int device) {
    if (s.free[device].empty()) return;
    cudaStreamSynchronize(stream());
    for (const auto& [bytes, memory] : s.free[device]) free_block(s, memory);
    s.free[device].clear();
}

void* malloc_device(Store& s, size_t bytes, int device) {
    void* memory = nullptr;
    cudaError_t status = cudaMalloc(&memory, bytes);
    if (status == cudaErrorMemoryAllocation && !captures(s)) {
        cudaGetLastError();
        free_all(s, device);
        status = cudaMalloc(&memory, bytes);
    }
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        size_t available = 0, total = 0;
        cudaMemGetInfo(&available, &total);
        throw OutOfMemory("pyconv: not enough memory on cuda:" + std::to_string(device) +
                          ": wanted " + std::to_string(bytes >> 20) + " MiB, free are " +
                          std::to_string(available >> 20) + " of " + std::to_string(total >> 20));
    }
    check(status, "cudaMalloc");
    s.blocks[memory] = {bytes, device};
    ++s.stats.mallocs;
    s.stats.cached += static_cast<int64_t>(bytes);
    return memory;
}

// Takes back the pinned memory that the stream is done with; waits for the oldest of too many.
void reap(Store& s) {
    while (!s.pending.empty()) {
        const Pending& oldest = s.pending.front();
        if (s.pending.size() > kMostPending)
            check(cudaEventSynchronize(oldest.done), "cudaEventSynchronize");
        else if (cudaEventQuery(oldest.done) != cudaSuccess)
            break;
        s.events[oldest.device].push_back(oldest.done);
        s.free_pinned.emplace(s.pinned[oldest.memory], oldest.memory);
        s.pending.pop_front();
    }
    cudaGetLastError();  // "not ready" of the query is no error
}

}  // namespace

void* allocate(size_t bytes) {
    Store& s = store();
    stream();  // makes the device the thread's own
    const int at = device();
    const std::lock_guard lock(s.mutex);
    const size_t wanted = s.keep ? rounded(bytes) : std::max<size_t>(bytes, 1);
    void* memory = nullptr;
    if (captures(s)) memory = taken(s.captured->free, wanted, SIZE_MAX);
    if (!memory) memory = taken(s.free[at], wanted, 2 * wanted);
    if (!memory) memory = malloc_device(s, wanted, at);
    const auto size = static_cast<int64_t>(s.blocks[memory].bytes);
    s.stats.cached -= size;
    s.stats.in_use += size;
    s.stats.peak = std::max(s.stats.peak, s.stats.in_use);
    ++s.stats.requests;
    return memory;
}

void release(void* memory) noexcept {
    if (!memory) return;
    Store& s = store();
    const std::lock_guard lock(s.mutex);
    const Block block = s.blocks[memory];
    s.stats.in_use -= static_cast<int64_t>(block.bytes);
    s.stats.cached += static_cast<int64_t>(block.bytes);
    if (captures(s)) {
        s.captured->free.emplace(block.bytes, memory);
    } else if (s.keep) {
        s.free[block.device].emplace(block.bytes, memory);
    } else {
        cudaDeviceSynchronize();
        free_block(s, memory);
    }
}

void* allocate_pinned(size_t bytes) {
    Store& s = store();
    stream();
    const std::lock_guard lock(s.mutex);
    reap(s);
    const size_t wanted = rounded(bytes);
    if (void* const memory = taken(s.free_pinned, wanted, 2 * wanted)) return memory;
    void* memory = nullptr;
    check(cudaMallocHost(&memory, wanted), "cudaMallocHost");
    s.pinned[memory] = wanted;
    s.stats.pinned += static_cast<int64_t>(wanted);
    ++s.stats.pinned_mallocs;
    return memory;
}

void release_pinned(void* memory) noexcept {
    Store& s = store();
    const std::lock_guard lock(s.mutex);
    s.free_pinned.emplace(s.pinned[memory], memory);
}

MemoryStats memory_stats() {
    Store& s = store();
    const std::lock_guard lock(s.mutex);
    return s.stats;
}

void trim() {
    Store& s = store();
    stream();
    const std::lock_guard lock(s.mutex);
    free_all(s, device());
}

void keep_memory(bool keep) {
    trim();
    Store& s = store();
    const std::lock_guard lock(s.mutex);
    s.keep = keep;
}

std::shared_ptr<void> device_memory(size_t bytes) { return {allocate(bytes), release}; }

GraphMemory::~GraphMemory() {
    Store& s = store();
    const std::lock_guard lock(s.mutex);
    for (const auto& [bytes, block] : free) s.free[s.blocks[block].device].emplace(bytes, block);
}

void begin_capture_memory() {
    Store& s = store();
    const std::lock_guard lock(s.mutex);
    if (s.captured) throw std::runtime_error("pyconv: CUDA: a graph is being captured already");
    std::weak_ptr<GraphMemory>& known = s.of_graphs[device()];
    s.captured = known.lock();
    if (!s.captured) known = s.captured = std::make_shared<GraphMemory>();
    s.capturer = std::this_thread::get_id();
}

std::shared_ptr<GraphMemory> end_capture_memory() {
    Store& s = store();
    const std::lock_guard lock(s.mutex);
    return std::move(s.captured);
}

void upload(void* dst, const void* src, size_t bytes) {
    constexpr size_t kPiece = size_t{4} << 20;
    for (size_t at = 0; at < bytes; at += kPiece) {
        const size_t size = std::min(kPiece, bytes - at);
        Staged piece(size);
        std::memcpy(piece.data(), static_cast<const char*>(src) + at, size);
        piece.send(static_cast<char*>(dst) + at);
    }
}

void download(void* dst, const void* src, size_t bytes) {
    if (bytes == 0) return;
    check(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToHost, stream()), "cudaMemcpyAsync");
    synchronize();
}

Staged::Staged(size_t bytes) : data_(allocate_pinned(bytes)), bytes_(bytes) {}

Staged::~Staged() {
    if (data_) release_pinned(data_);
}

void Staged::send(void* dst) {
    if (bytes_ == 0) return;
    Store& s = store();
    const cudaStream_t to = stream();
    const std::lock_guard lock(s.mutex);
    if (captures(s))
        throw std::runtime_error(
            "pyconv: CUDA: a step that copies from the host cannot be captured as a graph");
    std::vector<cudaEvent_t>& events = s.events[device()];
    cudaEvent_t done = nullptr;
    if (events.empty()) {
        check(cudaEventCreateWithFlags(&done, cudaEventDisableTiming), "cudaEventCreate");
    } else {
        done = events.back();
        events.pop_back();
    }
    check(cudaMemcpyAsync(dst, data_, bytes_, cudaMemcpyHostToDevice, to), "cudaMemcpyAsync");
    check(cudaEventRecord(done, to), "cudaEventRecord");
    s.pending.push_back({data_, done, device()});
    data_ = nullptr;
}

}  // namespace pyconv::cuda
