// The micro-kernels, written once over Vec and compiled once for each instruction set.
// PYCONV_VEC_HEADER names the header that defines Vec, PYCONV_TABLE the table to fill.
// No STL and no shared inline function here (see kernels.h).

#include "simd/kernels.h"

#include PYCONV_VEC_HEADER

// An array of accumulators stays in registers only if every loop over it is fully unrolled.
#if defined(__clang__)
#define PYCONV_UNROLL _Pragma("unroll")
#else
#define PYCONV_UNROLL _Pragma("GCC unroll 32")
#endif

namespace pyconv::simd {
namespace {

constexpr int kLanes = Vec::kLanes;
constexpr int kTileCols = kTileVecs * kLanes;
static_assert(kTileRows <= kMaxTileRows && kTileCols <= kMaxTileCols);

// Access to a whole vector, and to the first n < kLanes floats of one.
struct Whole {
    Vec load(const float* p) const { return Vec::load(p); }
    void store(Vec v, float* p) const { v.store(p); }
};

struct Part {
    int64_t n;
    Vec load(const float* p) const {
        float buffer[kLanes] = {};
        for (int64_t i = 0; i < n; ++i) buffer[i] = p[i];
        return Vec::load(buffer);
    }
    void store(Vec v, float* p) const {
        float buffer[kLanes];
        v.store(buffer);
        for (int64_t i = 0; i < n; ++i) p[i] = buffer[i];
    }
};

template <class Body>
void each_vector(int64_t n, Body body) {
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) body(i, Whole{});
    if (i < n) body(i, Part{n - i});
}

// --- matrix tiles ---------------------------------------------------------------------------

#define PYCONV_INLINE inline __attribute__((always_inline))

template <int V>
PYCONV_INLINE Vec load_col(const float* p, int v, int n) {
    return (v + 1) * kLanes <= n ? Vec::load(p + v * kLanes)
                                 : Part{n - v * kLanes}.load(p + v * kLanes);
}

// The start of a tile: what y holds, or the bias. y(i) points at row i.
template <int M, int V, class Rows>
PYCONV_INLINE void begin_tile(Vec (&acc)[M][V], int n, const float* bias, const Rows& y,
                              int flags) {
    if (flags & kAccumulate) {
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) {
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[i][v] = load_col<V>(y(i), v, n);
        }
        return;
    }
    PYCONV_UNROLL
    for (int v = 0; v < V; ++v) {
        const Vec start = bias ? load_col<V>(bias, v, n) : Vec::zero();
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) acc[i][v] = start;
    }
}

// Adds p[i][0..length) x b (length, n); returns the row of b after them.
template <int M, int V>
PYCONV_INLINE const float* multiply_tile(Vec (&acc)[M][V], const float* const (&p)[M],
                                         int64_t length, const float* b, int64_t b_ld) {
    for (int64_t k = 0; k < length; ++k, b += b_ld) {
        Vec row[V];
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) row[v] = Vec::load(b + v * kLanes);
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) {
            const Vec x = Vec::set1(p[i][k]);
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[i][v] = Vec::fmadd(x, row[v], acc[i][v]);
        }
    }
    return b;
}

template <int M, int V, class Rows>
PYCONV_INLINE void end_tile(Vec (&acc)[M][V], int n, const Rows& y, int flags) {
    if (flags & kRelu) {
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) {
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[i][v] = Vec::relu(acc[i][v]);
        }
    }
    const bool whole = n == V * kLanes;
    PYCONV_UNROLL
    for (int i = 0; i < M; ++i) {
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) {
            if (v + 1 < V || whole) {
                acc[i][v].store(y(i) + v * kLanes);
            } else {
                Part{n - v * kLanes}.store(acc[i][v], y(i) + v * kLanes);
            }
        }
    }
}

template <int M, int V>
void tile(int n, int64_t segments, int64_t length, const float* const* a, const float* b,
          int64_t b_ld, const float* bias, float* const* y, int flags) {
    const auto rows = [&](int i) { return y[i]; };
    Vec acc[M][V];
    begin_tile(acc, n, bias, rows, flags);
    for (int64_t s = 0; s < segments; ++s, a += kTileRows) {
        const float* p[M];
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) p[i] = a[i];
        b = multiply_tile(acc, p, length, b, b_ld);
    }
    end_tile(acc, n, rows, flags);
}

template <int V>
void tile_row(int64_t tiles, int n, int64_t segments, int64_t length, const float* a,
              int64_t a_step, const int64_t* offsets, const float* b, const float* bias, float* y,
              int64_t y_step, int flags) {
    constexpr int M = kTileRows;
    for (int64_t t = 0; t < tiles; ++t, a += M * a_step, y += M * y_step) {
        const auto rows = [&](int i) { return y + i * y_step; };
        Vec acc[M][V];
        begin_tile(acc, n, bias, rows, flags);
        const float* panel = b;
        for (int64_t s = 0; s < segments; ++s) {
            const float* p[M];
            PYCONV_UNROLL
            for (int i = 0; i < M; ++i) p[i] = a + i * a_step + offsets[s];
            panel = multiply_tile(acc, p, length, panel, kTileCols);
        }
        end_tile(acc, n, rows, flags);
    }
}

template <int M, int V>
void outer_tile(int n, const PixelWalk& w, const float* const* a, const float* b, float* y,
                int64_t y_ld, int flags) {
    const auto rows = [&](int i) { return y + i * y_ld; };
    Vec acc[M][V];
    begin_tile(acc, n, nullptr, rows, flags);
    for (int64_t image = 0; image < w.images; ++image) {
        for (int64_t r = 0; r < w.rows; ++r) {
            const int64_t a_row = image * w.a_image + r * w.a_row;
            const float* q = b + image * w.b_image + r * w.b_row;
            const float* p[M];
            PYCONV_UNROLL
            for (int i = 0; i < M; ++i) p[i] = a[i] + a_row;
            int64_t offset = 0;
            for (int64_t c = 0; c < w.cols; ++c, offset += w.a_col, q += w.b_col) {
                Vec row[V];
                PYCONV_UNROLL
                for (int v = 0; v < V; ++v) row[v] = Vec::load(q + v * kLanes);
                PYCONV_UNROLL
                for (int i = 0; i < M; ++i) {
                    const Vec x = Vec::set1(p[i][offset]);
                    PYCONV_UNROLL
                    for (int v = 0; v < V; ++v) acc[i][v] = Vec::fmadd(x, row[v], acc[i][v]);
                }
            }
        }
    }
    end_tile(acc, n, rows, flags);
}

// Calls body<M, V>() with the run-time m rows and v vectors as constants.
template <int M, int V, class Body>
void with_tile_size(int m, int v, const Body& body) {
    if (m == M && v == V) {
        body.template operator()<M, V>();
    } else if constexpr (V > 1) {
        with_tile_size<M, V - 1>(m, v, body);
    } else if constexpr (M > 1) {
        with_tile_size<M - 1, kTileVecs>(m, v, body);
    }
}

int vectors(int n) { return (n + kLanes - 1) / kLanes; }

void any_tile(int m, int n, int64_t segments, int64_t length, const float* const* a,
              const float* b, int64_t b_ld, const float* bias, float* const* y, int flags) {
    if (m == kTileRows && n == kTileCols) {
        tile<kTileRows, kTileVecs>(n, segments, length, a, b, b_ld, bias, y, flags);
        return;
    }
    with_tile_size<kTileRows, kTileVecs>(m, vectors(n), [&]<int M, int V>() {
        tile<M, V>(n, segments, length, a, b, b_ld, bias, y, flags);
    });
}

void any_tile_row(int64_t tiles, int n, int64_t segments, int64_t length, const float* a,
                  int64_t a_step, const int64_t* offsets, const float* b, const float* bias,
                  float* y, int64_t y_step, int flags) {
    with_tile_size<1, kTileVecs>(1, vectors(n), [&]<int, int V>() {
        tile_row<V>(tiles, n, segments, length, a, a_step, offsets, b, bias, y, y_step, flags);
    });
}

void any_outer_tile(int m, int n, const PixelWalk& walk, const float* const* a, const float* b,
                    float* y, int64_t y_ld, int flags) {
    with_tile_size<kTileRows, kTileVecs>(m, vectors(n), [&]<int M, int V>() {
        outer_tile<M, V>(n, walk, a, b, y, y_ld, flags);
    });
}

void pack_panel(int64_t k, int n, const float* src, int64_t ld, float* dst) {
    if (n == kTileCols) {
        for (int64_t i = 0; i < k; ++i, src += ld, dst += kTileCols) {
            PYCONV_UNROLL
            for (int v = 0; v < kTileVecs; ++v)
                Vec::load(src + v * kLanes).store(dst + v * kLanes);
        }
        return;
    }
    for (int64_t i = 0; i < k; ++i, src += ld, dst += kTileCols) {
        for (int j = 0; j < n; ++j) dst[j] = src[j];
        for (int j = n; j < kTileCols; ++j) dst[j] = 0.f;
    }
}

void pack_panel_transposed(int64_t k, int n, const float* src, int64_t ld, float* dst) {
    int64_t i = 0;
    for (; i + kLanes <= k; i += kLanes) {
        for (int j = 0; j < kTileCols; j += kLanes) {
            Vec block[kLanes];
            PYCONV_UNROLL
            for (int r = 0; r < kLanes; ++r)
                block[r] = j + r < n ? Vec::load(src + (j + r) * ld + i) : Vec::zero();
            Vec::transpose(block);
            PYCONV_UNROLL
            for (int r = 0; r < kLanes; ++r) block[r].store(dst + (i + r) * kTileCols + j);
        }
    }
    for (; i < k; ++i)
        for (int j = 0; j < kTileCols; ++j)
            dst[i * kTileCols + j] = j < n ? src[j * ld + i] : 0.f;
}

// --- sums -----------------------------------------------------------------------------------

void column_sums(int64_t rows, int64_t cols, const float* x, int64_t ld, float* y) {
    each_vector(cols, [&](int64_t j, auto at) {
        // Four sums hide the latency of the addition.
        Vec sum[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
        int64_t r = 0;
        const float* p = x + j;
        for (; r + 4 <= rows; r += 4, p += 4 * ld) {
            sum[0] = sum[0] + at.load(p);
            sum[1] = sum[1] + at.load(p + ld);
            sum[2] = sum[2] + at.load(p + 2 * ld);
            sum[3] = sum[3] + at.load(p + 3 * ld);
        }
        for (; r < rows; ++r, p += ld) sum[0] = sum[0] + at.load(p);
        at.store((sum[0] + sum[1]) + (sum[2] + sum[3]), y + j);
    });
}

void add(int64_t n, const float* x, float* y) {
    each_vector(n, [&](int64_t i, auto at) { at.store(at.load(y + i) + at.load(x + i), y + i); });
}

// --- pooling --------------------------------------------------------------------------------

void max_windows(const WindowRow& w, const float* const* taps, float* y) {
    for (int64_t p = 0; p < w.windows; ++p, y += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            Vec best = Vec::set1(-__builtin_inff());
            for (int t = 0; t < w.count; ++t) {
                const Vec x = at.load(taps[t] + at_window + i);
                best = Vec::select(Vec::greater_or_nan(x, best), x, best);
            }
            at.store(best, y + i);
        });
    }
}

void max_windows_backward(const WindowRow& w, const float* const* taps, const float* dy,
                          float* const* dtaps) {
    for (int64_t p = 0; p < w.windows; ++p, dy += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            Vec best = Vec::set1(-__builtin_inff());
            Vec winner = Vec::zero();
            for (int t = 0; t < w.count; ++t) {
                const Vec x = at.load(taps[t] + at_window + i);
                const auto better = Vec::greater_or_nan(x, best);
                best = Vec::select(better, x, best);
                winner = Vec::select(better, Vec::set1(static_cast<float>(t)), winner);
            }
            const Vec grad = at.load(dy + i);
            for (int t = 0; t < w.count; ++t) {
                const auto won = Vec::equal(winner, Vec::set1(static_cast<float>(t)));
                float* dx = dtaps[t] + at_window + i;
                if (w.overlap) {
                    const Vec old = at.load(dx);
                    at.store(Vec::select(won, old + grad, old), dx);
                } else {
                    at.store(Vec::select(won, Vec::zero() + grad, Vec::zero()), dx);
                }
            }
        });
    }
}

void mean_windows(const WindowRow& w, const float* const* taps, float* y) {
    const Vec divisor = Vec::set1(static_cast<float>(w.count));
    for (int64_t p = 0; p < w.windows; ++p, y += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            Vec sum = Vec::zero();
            for (int t = 0; t < w.count; ++t) sum = sum + at.load(taps[t] + at_window + i);
            at.store(sum / divisor, y + i);
        });
    }
}

void mean_windows_backward(const WindowRow& w, const float* dy, float* const* dtaps) {
    const Vec divisor = Vec::set1(static_cast<float>(w.count));
    for (int64_t p = 0; p < w.windows; ++p, dy += w.c) {
        const int64_t at_window = p * w.step;
        each_vector(w.c, [&](int64_t i, auto at) {
            const Vec share = at.load(dy + i) / divisor;
            for (int t = 0; t < w.count; ++t) {
                float* dx = dtaps[t] + at_window + i;
                at.store(w.overlap ? at.load(dx) + share : share, dx);
            }
        });
    }
}

// --- elementwise ----------------------------------------------------------------------------

void relu(int64_t n, const float* x, float* y) {
    each_vector(n, [&](int64_t i, auto at) { at.store(Vec::relu(at.load(x + i)), y + i); });
}

void relu_backward(int64_t n, const float* y, const float* dy, float* dx) {
    each_vector(n, [&](int64_t i, auto at) {
        const auto off = Vec::not_positive(at.load(y + i));
        at.store(Vec::select(off, Vec::zero(), at.load(dy + i)), dx + i);
    });
}

// One block of the stream of Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", 2011): word w of counter j of 16 is value 16 * w + j.
void philox_block(uint64_t block, uint64_t seed, uint32_t* out) {
    for (int j = 0; j < 16; j += kLanes) {
        const uint64_t counter = block * 16 + j;
        // 16 counters never cross a multiple of 2^32.
        Words c0 = Words::iota(static_cast<uint32_t>(counter));
        Words c1 = Words::set1(static_cast<uint32_t>(counter >> 32));
        Words c2 = Words::set1(0), c3 = Words::set1(0);
        uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
        for (int round = 0; round < 10; ++round) {
            Words a_low, a_high, b_low, b_high;
            Words::multiply(c0, 0xD2511F53u, a_low, a_high);
            Words::multiply(c2, 0xCD9E8D57u, b_low, b_high);
            c0 = b_high ^ c1 ^ Words::set1(k0);
            c2 = a_high ^ c3 ^ Words::set1(k1);
            c1 = b_low;
            c3 = a_low;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        c0.store(out + j);
        c1.store(out + 16 + j);
        c2.store(out + 32 + j);
        c3.store(out + 48 + j);
    }
}

void dropout(int64_t n, const float* x, float* y, uint64_t first, uint64_t seed,
             uint32_t threshold, float scale) {
    constexpr int kBlock = 64;
    uint32_t bits[kBlock];
    for (int64_t i = 0; i < n;) {
        const uint64_t index = first + static_cast<uint64_t>(i);
        const int skip = static_cast<int>(index % kBlock);
        philox_block(index / kBlock, seed, bits);
        const int64_t left = n - i;
        const int count = left < kBlock - skip ? static_cast<int>(left) : kBlock - skip;
        for (int j = 0; j < count; ++j) {
            const float kept = x[i + j] * scale;
            y[i + j] = bits[skip + j] >= threshold ? kept : 0.f;
        }
        i += count;
    }
}

// --- optimizers (formulas as Keras 3 has them) --------------------------------------------------

void sgd(int64_t n, const SgdParams& p, float* w, const float* g, float* velocity) {
    const Vec lr = Vec::set1(p.learning_rate), mu = Vec::set1(p.momentum);
    const Vec decay = Vec::set1(p.weight_decay * p.learning_rate);
    each_vector(n, [&](int64_t i, auto at) {
        Vec weight = at.load(w + i);
        if (p.weight_decay != 0.f) weight = weight - weight * decay;
        const Vec step = at.load(g + i) * lr;
        if (velocity) {
            const Vec v = mu * at.load(velocity + i) - step;
            at.store(v, velocity + i);
            weight = p.nesterov ? weight + (mu * v - step) : weight + v;
        } else {
            weight = weight - step;
        }
        at.store(weight, w + i);
    });
}

void rmsprop(int64_t n, const RmspropParams& p, float* w, const float* g, float* velocity,
             float* mean_grad, float* momentum) {
    const Vec lr = Vec::set1(p.learning_rate), rho = Vec::set1(p.rho);
    const Vec rest = Vec::set1(1.f - p.rho), epsilon = Vec::set1(p.epsilon);
    const Vec mu = Vec::set1(p.momentum), decay = Vec::set1(p.weight_decay * p.learning_rate);
    each_vector(n, [&](int64_t i, auto at) {
        Vec weight = at.load(w + i);
        if (p.weight_decay != 0.f) weight = weight - weight * decay;
        const Vec grad = at.load(g + i);
        const Vec v = rho * at.load(velocity + i) + rest * (grad * grad);
        at.store(v, velocity + i);
        Vec spread = v + epsilon;
        if (mean_grad) {
            const Vec mean = rho * at.load(mean_grad + i) + rest * grad;
            at.store(mean, mean_grad + i);
            spread = v - mean * mean + epsilon;
        }
        Vec step = lr * grad / Vec::sqrt(spread);
        if (momentum) {
            step = mu * at.load(momentum + i) + step;
            at.store(step, momentum + i);
        }
        at.store(weight - step, w + i);
    });
}

void adam(int64_t n, const AdamParams& p, float* w, const float* g, float* m, float* v,
          float* v_max) {
    const Vec alpha = Vec::set1(p.alpha), epsilon = Vec::set1(p.epsilon);
    const Vec rest_1 = Vec::set1(1.f - p.beta_1), rest_2 = Vec::set1(1.f - p.beta_2);
    const Vec decay = Vec::set1(p.weight_decay * p.learning_rate);
    each_vector(n, [&](int64_t i, auto at) {
        Vec weight = at.load(w + i);
        if (p.weight_decay != 0.f) weight = weight - weight * decay;
        const Vec grad = at.load(g + i);
        const Vec m_old = at.load(m + i), v_old = at.load(v + i);
        const Vec m_new = m_old + (grad - m_old) * rest_1;
        const Vec v_new = v_old + (grad * grad - v_old) * rest_2;
        at.store(m_new, m + i);
        at.store(v_new, v + i);
        Vec second = v_new;
        if (v_max) {
            const Vec old = at.load(v_max + i);
            second = Vec::select(Vec::greater_or_nan(v_new, old), v_new, old);
            at.store(second, v_max + i);
        }
        at.store(weight - alpha * m_new / (Vec::sqrt(second) + epsilon), w + i);
    });
}

// --- conversions ----------------------------------------------------------------------------

void convert_u8(int64_t n, const uint8_t* x, float* y) {
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

void convert_f64(int64_t n, const double* x, float* y) {
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

}  // namespace

extern const Kernels PYCONV_TABLE;
const Kernels PYCONV_TABLE = {
    PYCONV_ISA_NAME,
    kTileRows,
    kTileCols,
    kLanes,
    any_tile,
    any_tile_row,
    any_outer_tile,
    pack_panel,
    pack_panel_transposed,
    column_sums,
    add,
    max_windows,
    max_windows_backward,
    mean_windows,
    mean_windows_backward,
    relu,
    relu_backward,
    dropout,
    sgd,
    rmsprop,
    adam,
    convert_u8,
    convert_f64,
};

}  // namespace pyconv::simd
