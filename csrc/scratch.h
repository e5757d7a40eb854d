// Workspace of operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "workspace.h"

namespace pyconv {

// Of one operation: takes memory from the calling thread's store, which is reused from call to
// call, and gives all of it back at the end of the scope.
// Scopes of one thread nest. Pointers may be handed to other threads while the scope lives.
class Scratch final : public Workspace {
public:
    Scratch();
    ~Scratch();

private:
    void* take_bytes(size_t bytes) override;
    size_t block_, used_;  // where the store stood when the scope began
};

// For what outlives a call: freed with the object.
class Kept final : public Workspace {
public:
    ~Kept();

private:
    void* take_bytes(size_t bytes) override;
    std::vector<void*> taken_;
};

}  // namespace pyconv
