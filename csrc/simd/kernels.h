// The contract between operations and micro-kernels: plain functions over float32.
// kernels.cpp is compiled once for each instruction set and fills one table; dispatch.cpp picks it.
// Nothing here may be an inline function: the linker could keep a copy that uses instructions
// which another CPU lacks.
#pragma once

#include <stdint.h>

namespace pyconv::simd {

constexpr int kMaxTileRows = 8;
constexpr int kMaxTileCols = 32;

enum TileFlags : int {
    kAccumulate = 1,  // start from y instead of the bias
    kRelu = 2,
};

// A walk over (images, rows, cols) pixels of two operands, with the strides of both in floats.
struct PixelWalk {
    int64_t images, rows, cols;
    int64_t a_image, a_row, a_col;
    int64_t b_image, b_row, b_col;
};

struct SgdParams {
    float learning_rate, momentum, weight_decay;
    bool nesterov;
};

struct RmspropParams {
    float learning_rate, rho, momentum, epsilon, weight_decay;
};

struct AdamParams {
    float learning_rate, alpha, beta_1, beta_2, epsilon, weight_decay;
};

struct Kernels {
    const char* isa;
    int mr;     // rows of a tile (pixels, or rows of a matrix)
    int nr;     // columns of a tile (channels); a packed panel is (k, nr)
    int lanes;  // floats in a vector

    // Matrix product whose left rows are read where they lie.
    // a (segments, mr) pointers to `length` values each; b (segments * length, nr), rows b_ld apart;
    // y m pointers to n values; bias (n,) or null.
    // y[i][j] = act(init[j] + sum over s, k of a[s][i][k] * b[s * length + k][j])
    void (*tile)(int m, int n, int64_t segments, int64_t length, const float* const* a,
                 const float* b, int64_t b_ld, const float* bias, float* const* y, int flags);

    // Sum of outer products over pixels, for gradients of weights.
    // a m pointers, b one pointer, both moved by `walk`; acc (mr, nr), added to when `accumulate`.
    void (*outer_tile)(int m, int n, const PixelWalk& walk, const float* const* a, const float* b,
                       float* acc, bool accumulate);

    // dst (k, nr) = columns 0..n of src (k, >= n) with row stride ld; columns from n on are 0.
    void (*pack_panel)(int64_t k, int n, const float* src, int64_t ld, float* dst);
    // The same where element (k, j) lies at src[j * ld + k].
    void (*pack_panel_transposed)(int64_t k, int n, const float* src, int64_t ld, float* dst);

    // y[j] = sum over rows of x[r * ld + j]
    void (*column_sums)(int64_t rows, int64_t cols, const float* x, int64_t ld, float* y);
    void (*add)(int64_t n, const float* x, float* y);  // y += x

    // Pooling of one window: taps (count) pointers to c channels each, in scan order.
    void (*max_window)(int count, int64_t c, const float* const* taps, float* y);
    void (*max_window_backward)(int count, int64_t c, const float* const* taps, const float* dy,
                                float* const* dtaps);
    void (*mean_window)(int count, int64_t c, const float* const* taps, float* y);
    void (*mean_window_backward)(int count, int64_t c, const float* dy, float* const* dtaps);

    void (*relu)(int64_t n, const float* x, float* y);
    void (*relu_backward)(int64_t n, const float* y, const float* dy, float* dx);

    // Philox4x32-10; element i of the stream is word i % 4 of counter i / 4.
    void (*dropout)(int64_t n, const float* x, float* y, uint64_t first, uint64_t seed,
                    uint32_t threshold, float scale);

    void (*sgd)(int64_t n, const SgdParams& p, float* w, const float* g, float* velocity);
    void (*rmsprop)(int64_t n, const RmspropParams& p, float* w, const float* g, float* velocity,
                    float* mean_grad, float* momentum);
    void (*adam)(int64_t n, const AdamParams& p, float* w, const float* g, float* m, float* v,
                 float* v_max);

    void (*convert_u8)(int64_t n, const uint8_t* x, float* y);
    void (*convert_f64)(int64_t n, const double* x, float* y);
};

// The active table, chosen at import.
const Kernels& kernels();

// Names of the instruction sets that this CPU runs, best first; null-terminated.
const char* const* available_isas();
// Makes `name` the active one; false if it is unknown or this CPU lacks it.
bool set_isa(const char* name);

}  // namespace pyconv::simd
