// Gradient of the filters by Winograd: dU[p] (c, oc) = sum over tiles of V[p]' x dM[p], then
// dw = G' dU G. The tiles are cut into chunks whose number depends on the problem alone, each with
// its own sums, which are added in order: the same bits for any number of threads.

#include <algorithm>
#include <cstring>

#include "check.h"
#include "ops/conv2d_winograd.h"
#include "ops/winograd_tiling.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxTileRows;

constexpr int64_t kGroup = 16;         // channels that lie together, a cache line
constexpr int64_t kMaxSums = 1 << 20;  // floats of all chunks' sums
constexpr int64_t kMaxChunks = 16;
constexpr int64_t kChunkTiles = 128;           // at least
constexpr int64_t kBatchFloats = 96 * 1024;    // of both operands, in one core's cache
constexpr int64_t kMaxBatch = 128;             // long chains of additions lose precision
constexpr int64_t kSharedFloats = 512 * 1024;  // the same where all threads share a batch

struct Plan {
    Plan(const Conv2dShape& s, const simd::WinogradKernels& wk)
        : g(winograd_tiling(s)), wk(wk), points(wk.size * wk.size) {
        const int nr = simd::kernels().nr;
        panels = ceil_div(s.oc, nr);
        groups = ceil_div(s.c, kGroup);
        sums = points * panels * s.c * nr;
        const int64_t most = std::min({g.tiles() / kChunkTiles, kMaxSums / sums, kMaxChunks});
        while (chunks * 2 <= most) chunks *= 2;
        const int64_t tile = points * (groups * kGroup + panels * nr);
        batch = std::clamp<int64_t>((chunks > 1 ? kBatchFloats : kSharedFloats) / tile, 32,
                                    std::clamp<int64_t>(g.tiles() / chunks, 32, kMaxBatch));
        v_plane = groups * batch * kGroup + kWinogradPlanePad;
        m_plane = panels * batch * nr + kWinogradPlanePad;
    }

    WinogradTiling g;
    const simd::WinogradKernels& wk;
    int64_t points, panels, groups;
    int64_t sums;        // floats of dU (points, panels, c, nr)
    int64_t chunks = 1;  // depends on the problem alone
    int64_t batch;       // tiles
    int64_t v_plane, m_plane;
};

// V (points, groups, batch, 16) and dM (points, panels, batch, nr) of a run of tiles; channels in
// groups, so that a tile of the product reads consecutive lines.
void transform(const Plan& p, const float* x, const float* dy, int64_t first, int64_t at,
               int64_t count, float* v, float* dm) {
    const int nr = simd::kernels().nr;
    p.g.each_run(
        first + at, count, [&](int64_t run, int64_t image, int64_t i, int64_t j, int64_t tiles) {
            const int64_t slot = at + run;
            const float* values[kWinogradMaxSize];
            const simd::TileRow source = p.g.source_run(x, p.wk.size, image, i, j, tiles, values);
            p.wk.input(source, p.g.c, values, v + slot * kGroup, kGroup, p.v_plane,
                       p.batch * kGroup);
            for (int64_t panel = 0; panel < p.panels; ++panel) {
                const int64_t column = panel * nr;
                const simd::TileRow target =
                    p.g.destination_run(dy + column, image, i, j, tiles, values);
                p.wk.output_backward(target, std::min<int64_t>(nr, p.g.oc - column), values,
                                     dm + (panel * p.batch + slot) * nr, nr, p.m_plane, kGroup);
            }
        });
}

// dU of one point and panel (+)= V' x dM over `count` tiles.
void multiply(const Plan& p, int64_t point, int64_t panel, int64_t count, const float* v,
              const float* dm, bool accumulate, float* du) {
    const simd::Kernels& k = simd::kernels();
    const simd::PixelWalk walk{1, 1, count, 0, 0, kGroup, 0, 0, k.nr};
    const int n = static_cast<int>(
        ceil_div(std::min<int64_t>(k.nr, p.g.oc - panel * k.nr), k.lanes) * k.lanes);
    const float* b = dm + point * p.m_plane + panel * p.batch * k.nr;
    float* out = du + (point * p.panels + panel) * p.g.c * k.nr;
    for (int64_t c = 0; c < p.g.c; c += k.mr, out += k.mr * k.nr) {
        const float* a[kMaxTileRows];
        const int m = static_cast<int>(std::min<int64_t>(k.mr, p.g.c - c));
        for (int i = 0; i < m; ++i)
            a[i] = v + point * p.v_plane + (c + i) / kGroup * p.batch * kGroup + (c + i) % kGroup;
        k.outer_tile(m, n, walk, a, b, out, k.nr, accumulate ? simd::kAccumulate : 0);
    }
}

// dU of a chunk. Called for a single chunk, all threads share the work on each batch.
void chunk_sums(const Plan& p, const float* x, const float* dy, int64_t chunk, float* du) {
    const int nr = simd::kernels().nr;
    const int64_t begin = p.g.tiles() * chunk / p.chunks;
    const int64_t end = p.g.tiles() * (chunk + 1) / p.chunks;
    Scratch scratch;
    float* v = scratch.take<float>(p.points * p.v_plane);
    float* dm = scratch.take<float>(p.points * p.m_plane);
    // The columns beyond oc reach no result, but must not hold numbers that slow the sums down.
    if (p.g.oc % nr != 0) std::memset(dm, 0, sizeof(float) * p.points * p.m_plane);
    for (int64_t first = begin; first < end; first += p.batch) {
        const int64_t count = std::min(p.batch, end - first);
        parallel_for(
            count, [&](int64_t t0, int64_t t1) { transform(p, x, dy, first, t0, t1 - t0, v, dm); });
        parallel_for(p.points * p.panels, [&](int64_t task0, int64_t task1) {
            for (int64_t task = task0; task < task1; ++task)
                multiply(p, task / p.panels, task % p.panels, count, v, dm, first > begin, du);
        });
    }
}

}  // namespace

void winograd_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
    const simd::Kernels& k = simd::kernels();
    const Plan p(s, winograd_kernels(s));
    Scratch scratch;
    float* du = scratch.take<float>(p.chunks * p.sums);
    parallel_for(p.chunks, [&](int64_t begin, int64_t end) {
        for (int64_t chunk = begin; chunk < end; ++chunk)
            chunk_sums(p, x, dy, chunk, du + chunk * p.sums);
    });
    const int64_t plane = p.panels * s.c * k.nr;
    parallel_for(s.c, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
            for (int64_t panel = 0; panel < p.panels; ++panel) {
                float* sum = du + (panel * s.c + c) * k.nr;
                for (int64_t chunk = 1; chunk < p.chunks; ++chunk)
                    for (int64_t point = 0; point < p.points; ++point)
                        k.add(k.nr, sum + chunk * p.sums + point * plane, sum + point * plane);
                p.wk.filter_backward(std::min<int64_t>(k.nr, s.oc - panel * k.nr), sum, plane,
                                     dw + c * s.oc + panel * k.nr, s.c * s.oc);
            }
        }
    });
}

}  // namespace pyconv
