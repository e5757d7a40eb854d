#include "check.h"

#include <unistd.h>

namespace pyconv {

int64_t memory_limit() {
    static const int64_t limit = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGE_SIZE) / 2;
    return limit;
}

void check_memory(const char* op, const std::string& what, double floats) {
    const double bytes = floats * sizeof(float);
    if (bytes > static_cast<double>(memory_limit()))
        fail(op, what, " would take ", static_cast<int64_t>(bytes / (1 << 20)),
             " MiB, more than half of this machine's memory");
}

}  // namespace pyconv
