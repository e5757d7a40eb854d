// The compiler's -fsanitize=thread calls these before each load and store of a kernel. Nothing of
// its own runtime is linked: these names are hidden in the module.

#include "checks.h"

using pyconv::emulation::Access;
using pyconv::emulation::access;

#define PYCONV_HERE __builtin_return_address(0)
#define PYCONV_HOOKS(size)                                                                      \
    void __tsan_read##size(void* address) { access(address, size, Access::read, PYCONV_HERE); } \
    void __tsan_write##size(void* address) { access(address, size, Access::write, PYCONV_HERE); }

extern "C" {
PYCONV_HOOKS(1)
PYCONV_HOOKS(2)
PYCONV_HOOKS(4)
PYCONV_HOOKS(8)
PYCONV_HOOKS(16)
void __tsan_read_range(void* address, size_t bytes) {
    access(address, bytes, Access::read, PYCONV_HERE);
}
void __tsan_write_range(void* address, size_t bytes) {
    access(address, bytes, Access::write, PYCONV_HERE);
}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_init() {}
}
