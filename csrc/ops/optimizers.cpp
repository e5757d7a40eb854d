#include "ops/optimizers.h"

#include <algorithm>
#include <optional>

#include "check.h"
#include "ops/gemm_outer.h"
#include "parallel.h"
#include "scratch.h"

namespace pyconv {
namespace {

constexpr int64_t kPiece = 16 * 1024;

// Weights of a piece: of a product whole rows, some tiles of them.
int64_t piece_of(const Parameter& p) {
    if (!p.product || p.n == 0) return kPiece;
    const int64_t tile = simd::kernels().packed_rows * p.product->units;
    return std::max<int64_t>(1, kPiece / tile) * tile;
}

// Weights from `at` on of a parameter. `begin` is the work of all pieces before it.
struct Piece {
    size_t parameter;
    int64_t at, begin;
};

// Work a weight, in that of an update from memory: a product of 16 rows takes about as long.
int64_t work_of(const Parameter& p) { return p.product ? 1 + ceil_div(p.product->rows, 16) : 1; }

// Calls update(n, w, g, s0, s1, s2) on pieces of the parameters, shared out over the threads.
// A product is multiplied out a piece at a time, which stays in a core's cache.
template <class Update>
void for_each_piece(const std::vector<Parameter>& parameters, const Update& update) {
    Scratch shared;
    std::vector<std::optional<OuterProduct>> products(parameters.size());
    std::vector<Piece> pieces;
    int64_t work = 0, most = 0;  // floats of a product's piece
    for (size_t i = 0; i < parameters.size(); ++i) {
        const Parameter& p = parameters[i];
        for (int64_t at = 0; at < p.n; at += piece_of(p))
            pieces.push_back({i, at, work + at * work_of(p)});
        work += p.n * work_of(p);
        if (!p.product) continue;
        const auto& [rows, in, units, x, dy] = *p.product;
        products[i].emplace(in, units, rows, x, dy, shared);
        most = std::max(most, piece_of(p));
    }
    parallel_for(work, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* gradient = scratch.take<float>(most);
        auto piece = std::lower_bound(pieces.begin(), pieces.end(), begin,
                                      [](const Piece& a, int64_t b) { return a.begin < b; });
        for (; piece != pieces.end() && piece->begin < end; ++piece) {
            const Parameter& p = parameters[piece->parameter];
            const int64_t at = piece->at, n = std::min(piece_of(p), p.n - at);
            const auto state = [&](int k) { return p.state[k] ? p.state[k] + at : nullptr; };
            if (p.product)
                products[piece->parameter]->rows(at / p.product->units, n / p.product->units,
                                                 gradient);
            update(n, p.w + at, p.product ? gradient : p.g + at, state(0), state(1), state(2));
        }
    });
}

}  // namespace

void sgd_update(const std::vector<Parameter>& parameters, const simd::SgdParams& p) {
    for_each_piece(parameters, [&](int64_t n, float* w, const float* g, float* velocity, float*,
                                   float*) { simd::kernels().sgd(n, p, w, g, velocity); });
}

void rmsprop_update(const std::vector<Parameter>& parameters, const simd::RmspropParams& p) {
    for_each_piece(parameters, [&](int64_t n, float* w, const float* g, float* velocity,
                                   float* mean_grad, float* momentum) {
        simd::kernels().rmsprop(n, p, w, g, velocity, mean_grad, momentum);
    });
}

void adam_update(const std::vector<Parameter>& parameters, const simd::AdamParams& p) {
    for_each_piece(parameters,
                   [&](int64_t n, float* w, const float* g, float* m, float* v, float* v_max) {
                       simd::kernels().adam(n, p, w, g, m, v, v_max);
                   });
}

}  // namespace pyconv
