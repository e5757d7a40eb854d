// The compiler's -fsanitize=thread calls these before each load and store of a kernel, and
// -fsanitize=alignment where a pointer is not aligned to its type. Nothing of their own runtimes is
// linked: these names are hidden in the module.

#include "checks.h"
#include "machine.h"
#include "memory.h"

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

// Atomics of the host's code in .cu files, such as the guard of a static.
#define PYCONV_ATOMICS(bits, T)                                                                    \
    T __tsan_atomic##bits##_load(const T* p, int) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); } \
    void __tsan_atomic##bits##_store(T* p, T value, int) {                                         \
        __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                                              \
    }                                                                                              \
    T __tsan_atomic##bits##_exchange(T* p, T value, int) {                                         \
        return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);                                    \
    }                                                                                              \
    T __tsan_atomic##bits##_fetch_add(T* p, T value, int) {                                        \
        return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);                                     \
    }                                                                                              \
    T __tsan_atomic##bits##_fetch_sub(T* p, T value, int) {                                        \
        return __atomic_fetch_sub(p, value, __ATOMIC_SEQ_CST);                                     \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_strong(T* p, T* old, T value, int, int) {           \
        return __atomic_compare_exchange_n(p, old, value, false, __ATOMIC_SEQ_CST,                 \
                                           __ATOMIC_SEQ_CST);                                      \
    }
PYCONV_ATOMICS(8, uint8_t)
PYCONV_ATOMICS(32, uint32_t)
PYCONV_ATOMICS(64, uint64_t)

// As libubsan has them.
struct TypeName {
    uint16_t kind, info;
    char name[1];
};
struct Misaligned {
    const char* file;
    uint32_t line, column;
    const TypeName* type;
    unsigned char log_alignment, kind;
};
void __ubsan_handle_type_mismatch_v1(const Misaligned* what, void* address) {
    using namespace pyconv::emulation;
    // Arrays of a thread's own are registers, which have no alignment.
    if (machine().running < 0 || is_stack(address)) return;
    now.checking = false;
    std::string file = what->file;
    file.erase(0, file.rfind('/') + 1);
    const std::string text = "misaligned: " + std::string(what->type->name) + " at " + file + ":" +
                             std::to_string(what->line) + " at " + describe_address(address);
    kernel_fault(text.c_str());
}
}
