#include "builtins.h"
#include "checks.h"

using namespace pyconv::emulation;

namespace {

template <class T>
T add(T* p, T value, const void* code) {
    access(p, sizeof(T), Access::atomic, code);
    const T old = *p;
    *p = old + value;
    return old;
}

}  // namespace

float atomicAdd(float* p, float value) { return add(p, value, __builtin_return_address(0)); }
int atomicAdd(int* p, int value) { return add(p, value, __builtin_return_address(0)); }
unsigned atomicAdd(unsigned* p, unsigned value) {
    return add(p, value, __builtin_return_address(0));
}

unsigned atomicCAS(unsigned* p, unsigned expected, unsigned value) {
    access(p, sizeof(*p), Access::atomic, __builtin_return_address(0));
    const unsigned old = *p;
    if (old == expected) *p = value;
    return old;
}
