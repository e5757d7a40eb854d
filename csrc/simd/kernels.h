// The contract between operations and micro-kernels: plain functions over float32.
// kernels.cpp is compiled once for each instruction set and fills one table; dispatch.cpp picks it.
// Nothing here may be an inline function: the linker could keep a copy that uses instructions
// which another CPU lacks.
#pragma once

#include <stdint.h>

namespace pyconv::simd {

constexpr int kMaxTileRows = 8;
constexpr int kMaxPackedRows = 12;
constexpr int kPackedSlack = 16;  // floats, at least a vector
constexpr int kMaxOuterRows = 2 * kMaxTileRows;
constexpr int kMaxTileCols = 32;
constexpr int kMaxCombinedRows = 4;
constexpr int kMaxStreamedRows = 3;
constexpr int kMaxFilterRows = 4;

enum TileFlags : int {
    kAccumulate = 1,  // add to y
    kRelu = 2,
    kWriteAhead = 4,  // tile_row: ask for the lines that later tiles write
};

// A walk over (images, rows, cols) pixels of two operands, with the strides of both in floats.
struct PixelWalk {
    int64_t images, rows, cols;
    int64_t a_image, a_row, a_col;
    int64_t b_image, b_row, b_col;
    int64_t a_ahead = 0, b_ahead = 0;  // floats from where they are read to what is asked for
};

// Windows side by side that have the same number of cells.
struct WindowRow {
    int64_t windows, c;  // channels
    int64_t step;        // floats from one window's cell to the next window's
    int count;           // cells of a window
    bool overlap;        // a gradient adds to what a cell holds, else it overwrites
};

// Windows of 2x2 cells side by side, a window's cells a_row and a_col floats apart in the source.
struct PooledRow {
    int64_t windows, segments, length;  // products: (segments * length) of each cell
    int64_t a_row, a_col, y_step;
};

// Winograd's tiles side by side: tile t begins in column `col + 2 t` of image rows of `width`
// pixels, `ld` floats apart. Values outside are read as 0, and not written.
struct TileRow {
    int64_t tiles, col, width, ld;
};

// Transforms of Winograd's F(2x2, RxR) between images and planes of `size` x `size` values.
// rows point to pixel 0 of the image rows that the tiles span, null outside the image.
struct WinogradKernels {
    int size;  // R + 1
    // u, w: planes of one value each, `step` floats apart, of n positions
    void (*filter)(int64_t n, const float* w, int64_t w_step, float* u, int64_t u_step);
    void (*filter_backward)(int64_t n, const float* du, int64_t du_step, float* dw,
                            int64_t dw_step);
    // Tiles are tile_step apart, channels in groups of 16, group_step apart.
    void (*input)(const TileRow& row, int64_t c, const float* const* rows, float* v,
                  int64_t tile_step, int64_t plane_step, int64_t group_step);
    // m is read in whole vectors.
    void (*output)(const TileRow& row, int64_t c, const float* m, int64_t tile_step,
                   int64_t plane_step, const float* bias, float* const* rows, int flags);
    // The same, and max pooling of the tiles, all of which lie in the image: y and winners
    // (tiles, c), y_step apart; winners may be null.
    void (*output_pooled)(int64_t tiles, int64_t c, const float* m, int64_t tile_step,
                          int64_t plane_step, const float* bias, float* y, float* winners,
                          int64_t y_step, int flags);
    void (*output_backward)(const TileRow& row, int64_t c, const float* const* rows, float* dm,
                            int64_t tile_step, int64_t plane_step, int64_t group_step);
};

// Filters of images, over n values of rows of interleaved channels, in which the neighbour of a
// value lies `step` values further.
struct FilterKernels {
    int rows;  // that correlate works on at once, at most
    // y[r][j] = start + sum over a < kh, b < kw of x[r + a][j + b * step] * w[a * kw + b], one
    // after the other, for 1 to `rows` rows r; added to y with kAccumulate. x is read in whole
    // vectors.
    void (*correlate)(int rows, int64_t n, int kh, int kw, int64_t step, const float* const* x,
                      const float* w, float start, float* const* y, int flags);
    // y[j] = (sum over t < count of x[t][j] * w[t]) / divisor
    void (*weighted_sum)(int count, int64_t n, const float* const* x, const float* w, float divisor,
                         float* y);
    // To the nearest integer, ties to even, and into the range of the type; NaN to its least.
    void (*round_u8)(int64_t n, const float* x, uint8_t* y);
    void (*round_i16)(int64_t n, const float* x, int16_t* y);

    // Symmetric filters of `count` weights, odd. The rows' sums are below 2^16; where the columns'
    // are not, weights add up to 2^8 and the rows' sums are cut into bytes: y takes the high ones
    // and `low`, else null, the others. Columns: y[j] = sum / 2^shift, to the nearest.
    void (*symmetric_rows_u8)(int count, int64_t n, const uint8_t* const* x, const uint16_t* w,
                              uint16_t* y, uint16_t* low);
    void (*symmetric_cols_u16)(int count, int64_t n, int64_t step, const uint16_t* x,
                               const uint16_t* low, const uint16_t* w, int shift, uint8_t* y);

    // Sums of rows; and of neighbours in a row, as means:
    // y = (sum + add) * factor / 2^(16 + shift), rounded down, at most 255
    void (*sum_rows_u8)(int count, int64_t n, const uint8_t* const* x, uint16_t* y);
    void (*mean_cols_u16)(int count, int64_t n, int64_t step, const uint16_t* x, uint16_t add,
                          uint16_t factor, int shift, uint8_t* y);
    // y += in - out
    void (*move_rows_u16)(int64_t n, const uint8_t* in, const uint8_t* out, uint16_t* y);
    void (*move_rows_i32)(int64_t n, const uint8_t* in, const uint8_t* out, int32_t* y);
    // y = x * scale, rounded as round_u8 does
    void (*scale_i32)(int64_t n, const int32_t* x, float scale, uint8_t* y);

    // Medians of windows of k x k values, k 3, 5 or 7; whole vectors are read and written.
    void (*median_u8)(int k, int64_t n, int64_t step, const uint8_t* const* x, uint8_t* y);
    void (*median_f32)(int k, int64_t n, int64_t step, const float* const* x, float* y);
    // Of 1 or 3 channels in planes of their own, for each of n pixels: the mean of those at
    // `offsets` (count), each with the weight 2^(space + colour * d^2), d the sum of the channels'
    // differences from the pixel; no exponent is above 0. Whole vectors are read and written.
    void (*bilateral)(int channels, int64_t n, int count, const float* const* x,
                      const int64_t* offsets, const float* space, float colour, float* const* y);
};

// What lies outside of an image that is warped: its nearest cell; a frame of one cell around it,
// which the image has in memory; the image mirrored, or repeated.
enum WarpEdge : int { kNearest, kFramed, kMirrored, kRepeated };

// An image (h, w, c) of rows `ld` floats apart; three floats beyond it may be read.
struct WarpedImage {
    const float* x;
    int64_t ld, c;
    int h, w;
    WarpEdge edge;
};

// Pixel j of a row lies at (row + row_step * j, column + column_step * j), which is from -h and -w
// to below 2h - 1 and 2w - 1.
struct WarpLine {
    double row, row_step, column, column_step;
};

// How colours change: `factor` is the share of grey, the factor of the saturation, or the turn of
// the hue in sixths of the circle, 0 to 6. Results are from `least` to `most`; with kHue, values
// are taken as from there.
struct Recolouring {
    enum Kind { kGrey, kSaturation, kHue } kind;
    float factor, least, most;
};

struct LrnParams {
    int64_t radius;
    float bias, alpha, beta;
};

// A part of the values that one cell's sum of a convolution reads, as `runs` of `vectors` vectors:
// runs are x_step floats apart in the image, and patch_step in a filter.
struct PatchBlock {
    int runs, vectors;  // runs * vectors is at most patch_vectors
    int64_t x_step, patch_step;
};

struct SgdParams {
    float learning_rate, momentum, weight_decay;
    bool nesterov;
};

struct RmspropParams {
    float learning_rate, rho, momentum, epsilon, weight_decay;
    bool epsilon_outside;  // of the square root
};

struct AdamParams {
    float learning_rate, alpha, beta_1, beta_2, epsilon, weight_decay;
};

// Copies of rows for tiles: `count` of `rows` rows, the first `longer` of one more, each for
// `depth` steps and kPackedSlack floats.
struct PackedTiles {
    int64_t count, rows, longer, depth;
};

struct Kernels {
    const char* isa;
    int mr;     // rows of a tile (pixels, or rows of a matrix)
    int nr;     // columns of a tile (channels); a packed panel is (k, nr)
    int lanes;  // floats in a vector

    // Matrix product whose left rows are read where they lie.
    // a (segments, mr) pointers, each a_offset before `length` values; b (segments * length, nr),
    // rows b_ld apart; y m pointers to n values; bias (n,) or null.
    // y[i][j] = act(bias[j] + sum over s, k of a[s][i][k] * b[s * length + k][j])
    // With `numbers`, segment s meets the rows of b of segment numbers[s] - first.
    void (*tile)(int m, int n, int64_t segments, int64_t length, const float* const* a,
                 int64_t a_offset, const int64_t* numbers, int64_t first, const float* b,
                 int64_t b_ld, const float* bias, float* const* y, int flags);

    // Tiles of more than a few columns read rows from a copy instead.
    int packed_rows;  // of a tile, at most
    // y (m, n) = act(a' x b + bias), a (length, m), b (length, nr) with rows b_ld apart, which is
    // copied to `copy` (length, nr) where that is not null; rows of y are y_ld apart.
    void (*packed_tile)(int m, int n, int64_t length, const float* a, const float* b, int64_t b_ld,
                        float* copy, const float* bias, float* y, int64_t y_ld, int flags);
    // y (m, n) = or += a' x b, a as above, b in panels (length, nr), b_step apart.
    void (*packed_row)(int m, int64_t n, int64_t length, const float* a, const float* b,
                       int64_t b_step, float* y, int64_t y_ld, int flags);
    // dst (length, m) of m rows of a; up to kPackedSlack floats behind it are written, too.
    void (*pack_rows)(int m, int64_t length, const float* a, int64_t lda, float* dst);
    // The same of all tiles of rows that are columns of a.
    void (*pack_columns)(const PackedTiles& tiles, int64_t length, const float* a, int64_t lda,
                         float* dst);

    // The most columns, n, of a tile of m rows: nr, and more where rows are few.
    int (*tile_columns)(int m);

    // The same for any number of rows that are equally far apart, a multiple of mr where n is above
    // `lanes`: row i of segment s starts at a + i * a_step + offsets[s], and is written to
    // y + i * y_step. b is packed, with rows nr apart.
    void (*tile_row)(int64_t rows, int n, int64_t segments, int64_t length, const float* a,
                     int64_t a_step, const int64_t* offsets, const float* b, const float* bias,
                     float* y, int64_t y_step, int flags);

    // The largest of each window's four products, which are as tile_row's: cell (i, j) of window p
    // starts at a + i * a_row + (2 p + j) * a_col + offsets[s]. y and winners: `windows` times n
    // values, y_step apart; winners says which cell it is, and may be null.
    void (*pooled_row)(const PooledRow& row, int n, const float* a, const int64_t* offsets,
                       const float* b, const float* bias, float* y, float* winners, int flags);

    // Sum of outer products over pixels, for gradients of weights: y (m, n) with rows y_ld apart
    // (+)= sum of a[i] * b[j]; a m pointers, b one pointer, all moved by `walk`. b is read in
    // whole vectors. m is at most mr, or 2 mr where n is at most lanes.
    void (*outer_tile)(int m, int n, const PixelWalk& walk, const float* const* a, const float* b,
                       float* y, int64_t y_ld, int flags);

    // dst (k, nr) = columns 0..n of src (k, >= n) with row stride ld; columns from n on are 0.
    void (*pack_panel)(int64_t k, int n, const float* src, int64_t ld, float* dst);
    // The same where element (k, j) lies at src[j * ld + k].
    void (*pack_panel_transposed)(int64_t k, int n, const float* src, int64_t ld, float* dst);

    // y[i][r] = the sum of the products of row i of x (m, n) and row r of w (rows, n)
    void (*dot_rows)(int m, int64_t rows, int64_t n, const float* w, int64_t w_ld, const float* x,
                     int64_t x_ld, float* y, int64_t y_ld);
    // y (m, n) += a (m, rows) x b (rows, n), m 1 to kMaxStreamedRows, with b read row by row
    void (*stream_rows)(int m, int64_t rows, int64_t n, const float* a, int64_t a_ld,
                        const float* b, int64_t b_ld, float* y);

    // The numbers of x (n,) that are not 0, each with its entry of places (n,) as offset; returns
    // how many. Whole vectors are read of places and written to the list: two more than n in all.
    int64_t (*list_row)(int64_t n, const float* x, const int32_t* places, int32_t* offsets,
                        float* numbers);
    // The same of each column of x (rows, columns), with places (rows,); list j begins at
    // j * capacity, and has counts[j] entries.
    void (*list_columns)(int64_t rows, int64_t columns, const float* x, int64_t ld,
                         const int32_t* places, int64_t capacity, int32_t* offsets, float* numbers,
                         int64_t* counts);
    int sparse_columns;  // of sparse_row, at most
    // y (n,) = act(bias + sum over i < count of numbers[i] * row offsets[i] / nr of b), b in panels
    // of (rows, nr), panel_step apart.
    void (*sparse_row)(int n, int64_t count, const int32_t* offsets, const float* numbers,
                       const float* b, int64_t panel_step, const float* bias, float* y, int flags);

    WinogradKernels winograd2, winograd3;  // filters of 2x2 and 3x3
    // Asks for the lines of y (rows, n), ld apart, which will be written.
    void (*write_ahead)(int64_t rows, int64_t n, const float* y, int64_t ld);

    // y[j] = sum over rows of x[r * ld + j]
    void (*column_sums)(int64_t rows, int64_t cols, const float* x, int64_t ld, float* y);
    void (*add)(int64_t n, const float* x, float* y);  // y += x
    // y = act(a + b)
    void (*sum)(int64_t n, const float* a, const float* b, float* y, int flags);
    // y (cells, c), y_step apart: each the sum of `count` parts, those of neighbouring cells x_step
    // apart; parts are read in whole vectors, of which c is at most a half.
    void (*sum_parts)(int64_t cells, int c, int count, const float* const* x, int64_t x_step,
                      float* y, int64_t y_step);
    // y[j] = sum over rows, 1 to kMaxCombinedRows, of a[r * a_ld] * b[r * b_ld + j]
    void (*combine_rows)(int rows, int64_t n, const float* a, int64_t a_ld, const float* b,
                         int64_t b_ld, float* y);

    // Batch normalization of (rows, cols); mean, scale, shift and the like are (cols,).
    // mean[j], less the first row, so that no digits are lost, and m2[j], the sum of squares off it
    void (*column_moments)(int64_t rows, int64_t cols, const float* x, int64_t ld, float* mean,
                           float* m2);
    // y = act((x - mean) * scale + shift + addend); addend (rows, cols) or null
    void (*normalize_rows)(int64_t rows, int64_t cols, const float* x, const float* mean,
                           const float* scale, const float* shift, const float* addend, float* y,
                           int flags);
    // sums[j] of dy, and products[j], the sum of dy * (x - mean). With y, the result of a ReLU,
    // dy is first set to 0 where y is.
    void (*column_products)(int64_t rows, int64_t cols, const float* x, const float* mean,
                            const float* y, float* dy, float* sums, float* products);
    // dx = dy * of_dy + (x - mean) * of_x + shift
    void (*normalize_backward)(int64_t rows, int64_t cols, const float* x, const float* mean,
                               const float* dy, const float* of_dy, const float* of_x,
                               const float* shift, float* dx);

    // Local response normalization of (rows, c). work: (c + 2 radius) floats, twice in the
    // gradient, whose dx may be dy.
    void (*lrn)(int64_t rows, int64_t c, const LrnParams& p, const float* x, float* y, float* work);
    void (*lrn_backward)(int64_t rows, int64_t c, const LrnParams& p, const float* x,
                         const float* dy, float* dx, float* work);

    // Pooling of a row of windows; taps (count) pointers to the first window's cells, in scan
    // order; y and dy (windows, c); dtaps as taps, in the gradient.
    // winners (windows, c): which cell each maximum is; null where nobody asks.
    void (*max_windows)(const WindowRow& row, const float* const* taps, float* y, float* winners);
    void (*max_windows_unpool)(const WindowRow& row, const float* winners, const float* dy,
                               float* const* dtaps);
    void (*max_windows_backward)(const WindowRow& row, const float* const* taps, const float* dy,
                                 float* const* dtaps);
    void (*mean_windows)(const WindowRow& row, const float* const* taps, float* y);
    void (*mean_windows_backward)(const WindowRow& row, const float* dy, float* const* dtaps);

    // The winners among the cells of 2x2 windows, with the gradients dy of their maxima, but those
    // that are 0; with y, the results of a ReLU, those where y is not positive are 0. winners, y
    // and dy (windows, c); cells (windows, 4): the offset of each cell, from 0 on. List j, of
    // counts[j] offsets and gradients in the order of windows, begins at j * capacity; capacity is
    // at least windows and two vectors more. sums (c,) += the gradients.
    void (*list_winners)(int64_t windows, int64_t c, const int32_t* cells, const float* winners,
                         const float* y, const float* dy, int64_t capacity, int32_t* offsets,
                         float* gradients, int64_t* counts, float* sums);
    int patch_vectors;  // of a block, at most
    // sums of a block += sum over i < count of gradients[i] * the block at x + offsets[i]
    void (*patch_sums)(const PatchBlock& block, int64_t count, const int32_t* offsets,
                       const float* gradients, const float* x, float* sums);
    // the block at x + offsets[i] += gradients[i] * w, for each i < count
    void (*patch_spread)(const PatchBlock& block, int64_t count, const int32_t* offsets,
                         const float* gradients, const float* w, float* x);

    // Convolution of channels that were spread: a vector of outputs meets, for each of `count`
    // terms, a vector of inputs; vectors of a term follow each other in x, weights and sums.
    // dst (pixels, count, lanes): lane l of vector i is src[p * step + index[i * lanes + l]].
    // Indices lie below `span`, and `readable` >= span floats may be read at each pixel. index may
    // be null where count is 1 and lane l is channel l.
    void (*spread)(int64_t pixels, const float* src, int64_t step, int64_t span, int64_t readable,
                   int count, const int* index, float* dst);
    // n <= lanes values at y + p * y_step = act(bias + sum over t of
    //   x[p * x_step + offsets[t]] * weights[t])
    void (*spread_windows)(int64_t windows, int n, int count, const float* x, int64_t x_step,
                           const int64_t* offsets, const float* weights, const float* bias,
                           float* y, int64_t y_step, int flags);
    // The same for c channels, whole vectors of them, side by side: weights (c / lanes, stride,
    // lanes), of which the first `count` of a vector are used.
    void (*depthwise_windows)(int64_t windows, int64_t c, int count, const float* x, int64_t x_step,
                              const int64_t* offsets, const float* weights, int64_t stride,
                              const float* bias, float* y, int64_t y_step, int flags);
    // sums[t] += sum over pixels of a[offsets[t]] * n values of b
    void (*spread_backward)(int n, int count, const PixelWalk& walk, const float* a,
                            const int64_t* offsets, const float* b, float* sums);

    // Weighted sums of a row of windows: taps and y as above, weights (count) pointers to c values.
    // y = act(bias + sum of taps * weights)
    void (*weighted_windows)(const WindowRow& row, const float* const* taps,
                             const float* const* weights, const float* bias, float* y, int flags);

    void (*relu)(int64_t n, const float* x, float* y);
    void (*relu_backward)(int64_t n, const float* y, const float* dy, float* dx);

    // Keeps x * scale where the random word of element first + i is at least the threshold.
    // Words come in blocks of 64: 4 words of each of 16 counters of Philox4x32-10.
    void (*dropout)(int64_t n, const float* x, float* y, uint64_t first, uint64_t seed,
                    uint32_t threshold, float scale);

    void (*sgd)(int64_t n, const SgdParams& p, float* w, const float* g, float* velocity);
    void (*rmsprop)(int64_t n, const RmspropParams& p, float* w, const float* g, float* velocity,
                    float* mean_grad, float* momentum);
    void (*adam)(int64_t n, const AdamParams& p, float* w, const float* g, float* m, float* v,
                 float* v_max);

    // y = weights[0] * taps[0] + ... + weights[3] * taps[3]
    void (*mix4)(int64_t n, const float* const* taps, const float* weights, float* y);

    // y (n, c): the values at n places, between their four cells or of the nearest one.
    void (*warp_row)(const WarpedImage& image, const WarpLine& line, int64_t n, bool bilinear,
                     float* y);
    // Of three channels, bilinear, y (n, 3): places are at least 0, at most 2^20 cells apart, and
    // have cells around them; two floats beyond the last of these may be read.
    void (*warp_framed_row)(const float* x, int64_t ld, const WarpLine& line, int64_t n, float* y);

    // y (n, 3) = colours of n pixels, changed; y may be x.
    void (*recolour)(int64_t n, const Recolouring& how, const float* x, float* y);

    void (*convert_u8)(int64_t n, const uint8_t* x, float* y);
    void (*convert_f64)(int64_t n, const double* x, float* y);

    FilterKernels filters;
};

// The active table, chosen at import.
const Kernels& kernels();

// Names of the instruction sets that this CPU runs, best first; null-terminated.
const char* const* available_isas();
// Makes `name` the active one; false if it is unknown or this CPU lacks it.
bool set_isa(const char* name);

}  // namespace pyconv::simd
