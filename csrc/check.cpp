#include "check.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace pyconv {
namespace {

// What a container may use, in bytes, where the file says it (it holds "max" where all is allowed).
double container_memory(const char* path) {
    std::ifstream file(path);
    double bytes;
    return file >> bytes ? bytes : HUGE_VAL;
}

}  // namespace

double memory_limit() {
    static const double limit =
        std::min({static_cast<double>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE),
                  container_memory("/sys/fs/cgroup/memory.max"),
                  container_memory("/sys/fs/cgroup/memory/memory.limit_in_bytes")}) /
        2;
    return limit;
}

void check_memory(const char* op, const std::string& what, double floats) {
    const double bytes = floats * sizeof(float);
    if (bytes > memory_limit())
        fail(op, what, " would take ", std::floor(bytes / (1 << 20)),
             " MiB, more than half of this machine's memory");
}

}  // namespace pyconv
