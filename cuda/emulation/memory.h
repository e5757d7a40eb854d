// Memory of the emulated device: each allocation between two pages that nobody may touch.
#pragma once

#include <cstddef>
#include <string>

namespace pyconv::emulation {

// Null where there is no memory left.
void* allocate_device(size_t bytes);
// False where no allocation begins there.
bool free_device(void* memory);

void* allocate_pinned(size_t bytes);
bool free_pinned(void* memory);

bool is_device(const void* memory);
bool is_pinned(const void* memory);
bool is_shared_with_device(const void* memory, size_t bytes);

// All of [memory, memory + bytes) is in one allocation of the device, or in memory of the host that
// is shared with it.
bool in_allocation(const void* memory, size_t bytes);

// While one lives, memory of the device can be touched. At other times a touch by the host ends the
// process, where accesses are checked.
class Exposed {
public:
    Exposed();
    ~Exposed();
    Exposed(const Exposed&) = delete;
};

size_t device_bytes();
size_t device_bytes_used();

// "0x..., 16 bytes past the end of the 4096 bytes at 0x...".
std::string describe_address(const void* address);

}  // namespace pyconv::emulation
