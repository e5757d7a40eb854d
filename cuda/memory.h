// Memory of the device and pinned memory of the host, kept for the next one who asks: a training
// loop allocates nothing from CUDA after its first step. All work is on one stream, so that memory
// may be given back, and taken again, before the work on it is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "device.h"

namespace pyconv::cuda {

struct MemoryStats {
    int64_t in_use, peak, cached;  // bytes of the device
    int64_t requests;              // of memory of the device
    int64_t mallocs, frees;        // calls of cudaMalloc and cudaFree
    int64_t pinned, pinned_mallocs;
};

// Memory of the device that is chosen, aligned to 256 bytes; OutOfMemory where it is used up.
void* allocate(size_t bytes);
void release(void* memory) noexcept;

// Pinned memory of the host. What the stream still does with it must be done before it goes back.
void* allocate_pinned(size_t bytes);
void release_pinned(void* memory) noexcept;

MemoryStats memory_stats();
// Gives memory that is kept and not in use back to CUDA.
void trim();
// Whether memory is kept. An emulated device checks each array's bounds only where it is not.
void keep_memory(bool keep);

// Memory of the device for as long as somebody has it.
std::shared_ptr<void> device_memory(size_t bytes);

// What is taken between operations of graphs, which write to it at each launch: all graphs of a
// device share it, as they run in order, and nobody else has it until the last of them is gone.
struct GraphMemory;
// From here to end(), memory that is released is that of graphs.
void begin_capture_memory();
std::shared_ptr<GraphMemory> end_capture_memory();

// dst (on the device) = src (on the host), which may be overwritten at once: it goes through pinned
// memory, and the copy is not waited for.
void upload(void* dst, const void* src, size_t bytes);
// dst (on the host) = src (on the device), once the stream is there.
void download(void* dst, const void* src, size_t bytes);

// A piece of pinned memory that the host fills and the stream then reads.
class Staged {
public:
    explicit Staged(size_t bytes);
    ~Staged();
    Staged(const Staged&) = delete;
    void* data() const { return data_; }
    // dst (on the device) = what was written to data().
    void send(void* dst);

private:
    void* data_;
    size_t bytes_;
};

}  // namespace pyconv::cuda
