#include <cstdio>

#include "check.h"
#include "checks.h"

namespace pyconv::testing {

namespace {
int passed = 0, failed = 0;
}

void expect(const std::string& what, bool ok) {
    ++(ok ? passed : failed);
    if (!ok) std::printf("%s\n", what.c_str());
}

void test_threads();
void test_faults();
void test_accesses();
void test_races();
void test_ptx();
void test_products();
void test_streams();
void test_traffic();

}  // namespace pyconv::testing

int main() {
    using namespace pyconv::testing;
    test_threads();
    test_faults();
    test_ptx();
    test_streams();
    if constexpr (pyconv::emulation::kChecks) {
        test_accesses();
        test_races();
        test_products();
        test_traffic();
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
