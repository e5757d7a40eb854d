// Faults planted in the product kernels themselves: a barrier left out, a wait that ends too early,
// an array that is too short, a block that is missing.

#include "check.h"
#include "ptx.cuh"
#include "reduce.cuh"

namespace pyconv::testing {
namespace {

int left_out =
    -1;         // the barrier, by its number, that the threads of the first block do not wait at
int met[1024];  // barriers, by each thread
bool early = false;

__device__ bool leaves_out() { return met[threadIdx.x]++ == left_out; }

}  // namespace
}  // namespace pyconv::testing

namespace pyconv::cuda {
namespace {

// Waits for one group less where that is planted.
template <int N>
__device__ void planted_wait() {
    if (testing::early)
        cp_async_wait<N + 1>();
    else
        cp_async_wait<N>();
}

}  // namespace
}  // namespace pyconv::cuda

#define __syncthreads() (::pyconv::testing::leaves_out() ? void() : __syncthreads())
#define cp_async_wait planted_wait
#include "conv2d_tasks.cuh"
#undef __syncthreads
#undef cp_async_wait

namespace pyconv::testing {
namespace {

constexpr int64_t kImages = 2, kSide = 5, kChannels = 8, kFilters = 12;
constexpr int64_t kPixels = kImages * kSide * kSide;
constexpr Conv2dShape kShape{
    {kImages, kSide, kSide, kChannels, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, kSide, kSide},
    kFilters,
    1};

struct Arrays {
    const Memory x{std::vector<float>(kPixels * kChannels, 1)};
    const Memory w{std::vector<float>(9 * kChannels * kFilters, 1)};
    const Memory b{std::vector<float>(kFilters, 1)};
    const Memory y{kPixels * kFilters};
};

// Runs the forward product of the shape.
std::string fault_with(int barrier, bool wait_early, const float* x, const float* w, const float* b,
                       float* y) {
    left_out = barrier;
    early = wait_early;
    std::fill(std::begin(met), std::end(met), 0);
    const std::string fault = fault_of([&] {
        cuda::run<cuda::Pass::kForward>(
            cuda::forward_task(kShape, x, w, b, Activation::kLinear, y));
    });
    left_out = -1;
    early = false;
    return fault;
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

void test(const std::string& kernel, int barriers) {
    const Arrays a;
    const auto fault = [&](int barrier, bool wait_early) {
        return fault_with(barrier, wait_early, a.x, a.w, a.b, a.y);
    };
    expect(kernel + ": no fault", fault(-1, false) == "");
    // In the middle of the image all taps of all channels count.
    expect(kernel + ": the sums", a.y.values()[12 * kFilters] == 9 * kChannels + 1);
    for (int i = 0; i < barriers; ++i) {
        const std::string text = fault(i, false);
        expect(kernel + ": barrier " + std::to_string(i) + " left out: " + text,
               has(text, kernel.c_str()) && (has(text, "race: ") || has(text, "nobody wrote") ||
                                             has(text, "was not waited for")));
    }
    const Memory short_x(std::vector<float>(kPixels * kChannels - 4, 1));
    const Memory short_w(std::vector<float>(9 * kChannels * kFilters - 4, 1));
    const Memory short_b(std::vector<float>(kFilters - 4, 1)), short_y(kPixels * kFilters - 4);
    const std::string texts[] = {fault_with(-1, false, short_x, a.w, a.b, a.y),
                                 fault_with(-1, false, a.x, short_w, a.b, a.y),
                                 fault_with(-1, false, a.x, a.w, short_b, a.y),
                                 fault_with(-1, false, a.x, a.w, a.b, short_y)};
    for (const std::string& text : texts)
        expect(kernel + ": an index past the end: " + text,
               has(text, kernel.c_str()) && has(text, "bytes past the end of the"));
}

}  // namespace

void test_products() {
    test("product_kernel", 9);
    cuda::set_precision(cuda::Precision::kHigh);
    test("product_tf32_kernel", 5);
    const Arrays a;
    const std::string early_wait = fault_with(-1, true, a.x, a.w, a.b, a.y);
    expect("product_tf32_kernel: a wait that ends too early: " + early_wait,
           has(early_wait, "cp.async copies that was not waited for"));
    cuda::set_precision(cuda::Precision::kHighest);
    expect_fault("loads of four values that are not aligned", {"misaligned", "product_kernel"},
                 [&] {
                     const Memory w(std::vector<float>(9 * kChannels * kFilters + 1, 1));
                     cuda::launch_tile<cuda::Tile<32, 32, 4, 4, 8>, cuda::Pass::kForward, 4, 4>(
                         cuda::forward_task(kShape, a.x, w + 1, a.b, Activation::kLinear, a.y), 1);
                 });
    expect_fault("a block that is missing", {"nobody wrote"}, [&] {
        auto task = cuda::forward_task(kShape, a.x, a.w, a.b, Activation::kLinear, nullptr);
        const Memory y(kPixels * kFilters);
        task.product.c = y;
        task.m /= kImages;  // no block for the second image's rows
        cuda::run<cuda::Pass::kForward>(task);
        y.values();
    });
}

}  // namespace pyconv::testing
