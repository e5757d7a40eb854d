// Numbers below the smallest normal float, for each of which a core takes some hundred cycles.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#endif

namespace pyconv {

// Within, this thread takes and gives 0 in their place. Running means, as optimizers keep them,
// would end among them where gradients are 0, and stay: 0.9 times the smallest is rounded to
// itself.
class FlushDenormals {
public:
#if defined(__SSE__)
    FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kResults | kOperands); }
    ~FlushDenormals() { _mm_setcsr(before_); }
#elif defined(__aarch64__)
    FlushDenormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before_));
        asm volatile("msr fpcr, %0" : : "r"(before_ | kBoth));
    }
    ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }
#else
    FlushDenormals() {}
#endif
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__SSE__)
    static constexpr unsigned kResults = 0x8000, kOperands = 0x0040;
    unsigned before_;
#elif defined(__aarch64__)
    static constexpr uint64_t kBoth = uint64_t{1} << 24;
    uint64_t before_;
#endif
};

}  // namespace pyconv
