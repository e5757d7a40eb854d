// Workspace of one operation: memory that each thread keeps and reuses from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace pyconv {

// Takes memory from the calling thread's store, and gives all of it back at the end of the scope.
// Scopes of one thread nest. Pointers may be handed to other threads while the scope lives.
class Scratch {
public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    // Uninitialized, aligned to 64 bytes. Throws std::bad_alloc.
    template <class T>
    T* take(int64_t count) {
        return static_cast<T*>(take_bytes(static_cast<size_t>(count) * sizeof(T)));
    }

private:
    void* take_bytes(size_t bytes);
    size_t block_, used_;  // where the store stood when the scope began
};

}  // namespace pyconv
