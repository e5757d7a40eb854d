// Memory that operations work with; scratch.h has its kinds, on the CPU and on a device.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pyconv {

// What gives memory.
class Workspace {
public:
    Workspace() = default;
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    // Uninitialized, aligned to 64 bytes or more. Throws std::bad_alloc.
    template <class T>
    T* take(int64_t count) {
        return static_cast<T*>(take_bytes(static_cast<size_t>(count) * sizeof(T)));
    }

protected:
    ~Workspace() = default;

private:
    virtual void* take_bytes(size_t bytes) = 0;
};

}  // namespace pyconv
