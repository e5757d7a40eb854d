// A thread takes a few images, or rows of windows, whose pixels fit its first cache, lists the
// winners of each channel, and adds for each of them the pixels below the filter to the filter's
// gradient, and the filter to the pixels' gradient. Images are cut into parts whose number depends
// on the problem alone, and the parts' sums are added in order: the same bits for any number of
// threads.

#include "ops/conv2d_winners.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "check.h"
#include "ops/conv2d_pooled.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kPartImages = 4;
constexpr int64_t kMaxParts = 32;
constexpr int64_t kMaxSums = 1 << 21;     // floats of all parts' sums
constexpr int64_t kMaxFilters = 1 << 17;  // floats; larger ones leave the second cache
constexpr int64_t kUnitFloats = 6 << 10;  // of padded pixels, in a core's first cache
constexpr int64_t kMaxUnitFloats = 12 << 10;

// How the work is cut; nothing here may depend on the number of threads.
struct Plan {
    Plan(const Conv2dShape& s, const WindowShape& pool);

    int64_t filter() const { return runs * vectors * simd::kernels().lanes; }  // floats
    int64_t sums() const { return s.oc * (filter() + 1); }                     // of a part
    int64_t unit_windows() const { return unit_images * unit_rows * pool.ow; }
    int64_t copy_rows(int64_t rows) const { return (2 * rows - 1) * s.strides.h + extent_h; }
    int64_t copy_size() const { return unit_images * copy_rows(unit_rows) * copy_row; }
    int64_t first(int64_t r) const { return r * vectors * simd::kernels().lanes; }  // of run r

    const Conv2dShape& s;
    const WindowShape& pool;
    int64_t extent_h, extent_w;  // of a dilated filter
    int64_t run;                 // floats of a filter that lie side by side in the image
    int64_t runs, vectors;       // of a run
    int64_t copy_row;            // floats of a row of a padded copy
    int64_t unit_images, unit_rows;
    int64_t parts;

    struct Block {
        simd::PatchBlock shape;
        int64_t pixel, value;  // where it begins, in the pixels below a filter and in the filter
    };
    std::vector<Block> blocks;

private:
    void cut_filter();
};

Plan::Plan(const Conv2dShape& s, const WindowShape& pool)
    : s(s),
      pool(pool),
      extent_h((s.kernel.h - 1) * s.dilation.h + 1),
      extent_w((s.kernel.w - 1) * s.dilation.w + 1) {
    const bool side_by_side = s.dilation.w == 1;
    run = (side_by_side ? s.kernel.w : 1) * s.c;
    runs = s.kernel.h * (side_by_side ? 1 : s.kernel.w);
    vectors = ceil_div(run, simd::kernels().lanes);
    copy_row = ((2 * pool.ow - 1) * s.strides.w + extent_w) * s.c;
    const int64_t image = copy_rows(pool.oh) * copy_row;
    unit_images = std::clamp<int64_t>(kUnitFloats / image, 1, kPartImages);
    unit_rows = pool.oh;
    while (unit_rows > 1 && copy_rows(unit_rows) * copy_row > kMaxUnitFloats)
        unit_rows = ceil_div(unit_rows, 2);
    parts = std::clamp(std::min(s.n / kPartImages, kMaxSums / sums()), int64_t{1}, kMaxParts);
    cut_filter();
}

void Plan::cut_filter() {
    const simd::Kernels& k = simd::kernels();
    const int64_t step = vectors * k.lanes;
    const bool rows = s.dilation.w == 1;  // else runs are taps
    const int64_t pieces = ceil_div(vectors, k.patch_vectors);
    const int64_t most = rows && pieces == 1 ? k.patch_vectors / vectors : 1;
    for (int64_t r = 0; r < runs; r += most) {
        const int64_t row = rows ? r : r / s.kernel.w, column = rows ? 0 : r % s.kernel.w;
        const int64_t pixel = row * s.dilation.h * copy_row + column * s.dilation.w * s.c;
        for (int64_t piece = 0; piece < pieces; ++piece) {
            const int64_t v0 = vectors * piece / pieces, v1 = vectors * (piece + 1) / pieces;
            blocks.push_back({{static_cast<int>(std::min(most, runs - r)),
                               static_cast<int>(v1 - v0), s.dilation.h * copy_row, step},
                              pixel + v0 * k.lanes,
                              r * step + v0 * k.lanes});
        }
    }
}

// A few images, or rows of windows of one.
struct Unit {
    int64_t image, images, row, rows;
};

// One thread's work on the units of its parts.
class Winners {
public:
    Winners(const Plan& p, const float* filters, Scratch& scratch)
        : p_(p),
          k_(simd::kernels()),
          filters_(filters),
          capacity_(ceil_div(p.unit_windows(), k_.lanes) * k_.lanes + 2 * k_.lanes),
          pixels_(scratch.take<float>(p.copy_size() + k_.lanes)),
          cells_(scratch.take<int32_t>(4 * p.unit_windows())),
          offsets_(scratch.take<int32_t>(p.s.oc * capacity_)),
          gradients_(scratch.take<float>(p.s.oc * capacity_)),
          counts_(scratch.take<int64_t>(p.s.oc)) {
        // What the vectors read beyond the pixels meets no weight, but must not slow sums down.
        std::memset(pixels_, 0, sizeof(float) * (p.copy_size() + k_.lanes));
        const int64_t across = p.s.strides.w * p.s.c, down = p.s.strides.h * p.copy_row;
        const int64_t image = p.copy_rows(p.unit_rows) * p.copy_row;
        for (int64_t window = 0; window < p.unit_windows(); ++window) {
            const int64_t row = window / p.pool.ow;
            const int64_t first = row / p.unit_rows * image + row % p.unit_rows * 2 * down +
                                  window % p.pool.ow * 2 * across;
            for (int64_t cell = 0; cell < 4; ++cell)
                cells_[4 * window + cell] =
                    static_cast<int32_t>(first + cell / 2 * down + cell % 2 * across);
        }
    }

    // y may be null; sums_of_bias (oc,) is added to.
    void list(const Unit& u, const float* winners, const float* y, const float* dy,
              float* sums_of_bias) {
        const int64_t at = (u.image * p_.pool.oh + u.row) * p_.pool.ow * p_.s.oc;
        k_.list_winners(u.images * u.rows * p_.pool.ow, p_.s.oc, cells_, winners + at,
                        y ? y + at : nullptr, dy + at, capacity_, offsets_, gradients_, counts_,
                        sums_of_bias);
    }

    // sums (oc, filter) += the gradient of the filters
    void add_filters(const Unit& u, const float* x, float* sums) {
        each_row(u, [&](int64_t image, int64_t row, float* copy) {
            fill_row(row < 0 || row >= p_.s.h ? nullptr : x + row_at(image, row), copy);
        });
        each_list([&](int64_t o, const List& list) {
            for (const Plan::Block& b : p_.blocks)
                k_.patch_sums(b.shape, list.count, list.offsets, list.gradients, pixels_ + b.pixel,
                              sums + o * p_.filter() + b.value);
        });
    }

    // dx, of whose rows those below `done` have a gradient already; the last unit of an image
    // fills its rest.
    void add_input(const Unit& u, int64_t& done, float* dx) {
        std::memset(pixels_, 0, sizeof(float) * p_.copy_size());
        each_list([&](int64_t o, const List& list) {
            for (const Plan::Block& b : p_.blocks)
                k_.patch_spread(b.shape, list.count, list.offsets, list.gradients,
                                filters_ + o * p_.filter() + b.value, pixels_ + b.pixel);
        });
        int64_t next = done;
        each_row(u, [&](int64_t image, int64_t row, const float* copy) {
            if (image > u.image && row == first_row(u)) finish_image(image - 1, next, dx), next = 0;
            if (row < 0 || row >= p_.s.h) return;
            for (; next < row; ++next) store_row(nullptr, dx + row_at(image, next));
            if (row < next) {
                add_row(copy, dx + row_at(image, row));
            } else {
                store_row(copy, dx + row_at(image, row));
                ++next;
            }
        });
        if (u.row + u.rows == p_.pool.oh) {
            finish_image(u.image + u.images - 1, next, dx);
            next = 0;
        }
        done = next;
    }

private:
    struct List {
        int64_t count;
        const int32_t* offsets;
        const float* gradients;
    };

    template <class Body>
    void each_list(const Body& body) const {
        for (int64_t o = 0; o < p_.s.oc; ++o)
            if (counts_[o] > 0)
                body(o, List{counts_[o], offsets_ + o * capacity_, gradients_ + o * capacity_});
    }

    int64_t first_row(const Unit& u) const { return 2 * u.row * p_.s.strides.h - p_.s.padding.top; }
    int64_t row_at(int64_t image, int64_t row) const {
        return (image * p_.s.h + row) * p_.s.w * p_.s.c;
    }

    // Calls body(image, row, copy) for the rows of the input below a unit's windows.
    template <class Body>
    void each_row(const Unit& u, const Body& body) {
        const int64_t rows = p_.copy_rows(u.rows), image = p_.copy_rows(p_.unit_rows) * p_.copy_row;
        for (int64_t i = 0; i < u.images; ++i)
            for (int64_t r = 0; r < rows; ++r)
                body(u.image + i, first_row(u) + r, pixels_ + i * image + r * p_.copy_row);
    }

    // The floats of a copied row that lie in the image begin at `left`; those of the image's row
    // that were copied at `first`.
    int64_t left() const { return std::min(p_.s.padding.left * p_.s.c, p_.copy_row); }
    int64_t real() const { return std::min(p_.copy_row - left(), p_.s.w * p_.s.c); }

    void fill_row(const float* row, float* copy) const {
        const int64_t length = row ? real() : 0, before = row ? left() : 0;
        std::memset(copy, 0, sizeof(float) * before);
        if (row) std::memcpy(copy + before, row, sizeof(float) * length);
        std::memset(copy + before + length, 0, sizeof(float) * (p_.copy_row - before - length));
    }

    void store_row(const float* copy, float* row) const {
        const int64_t length = copy ? real() : 0;
        if (copy) std::memcpy(row, copy + left(), sizeof(float) * length);
        std::memset(row + length, 0, sizeof(float) * (p_.s.w * p_.s.c - length));
    }

    void add_row(const float* copy, float* row) const { k_.add(real(), copy + left(), row); }

    void finish_image(int64_t image, int64_t next, float* dx) const {
        for (; next < p_.s.h; ++next) store_row(nullptr, dx + row_at(image, next));
    }

    const Plan& p_;
    const simd::Kernels& k_;
    const float* filters_;  // (oc, runs, vectors, lanes), or null
    const int64_t capacity_;
    float* pixels_;  // of a unit, padded, or their gradients
    int32_t* cells_;
    int32_t* offsets_;
    float* gradients_;
    int64_t* counts_;
};

// w (kh, kw, c, oc) -> (oc, runs, vectors, lanes)
const float* filters_by_channel(const Plan& p, const float* w, Scratch& scratch) {
    float* filters = scratch.take<float>(p.s.oc * p.filter());
    parallel_for(p.s.oc, [&](int64_t begin, int64_t end) {
        std::memset(filters + begin * p.filter(), 0, sizeof(float) * (end - begin) * p.filter());
        for (int64_t r = 0; r < p.runs; ++r) {
            const float* from = w + r * p.run * p.s.oc;
            for (int64_t o = begin; o < end; ++o) {
                float* to = filters + o * p.filter() + p.first(r);
                for (int64_t k = 0; k < p.run; ++k) to[k] = from[k * p.s.oc + o];
            }
        }
    });
    return filters;
}

}  // namespace

bool winners_pay(const Conv2dShape& conv, const WindowShape& pool) {
    if (conv.groups > 1 || conv.n < kPartImages || !pools_pairs(conv, pool)) return false;
    const Plan p(conv, pool);
    return p.sums() <= kMaxFilters && p.copy_size() <= kMaxUnitFloats;
}

void winners_backward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                      const float* w, Activation activation, const float* y, const float* winners,
                      const float* dy, float* dx, float* dw, float* db) {
    const Plan p(conv, pool);
    Scratch shared;
    float* sums = shared.take<float>(p.parts * p.sums());
    const int64_t filters = conv.oc * p.filter();
    const float* by_channel = dx ? filters_by_channel(p, w, shared) : nullptr;
    parallel_for(p.parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        Winners work(p, by_channel, scratch);
        for (int64_t part = begin; part < end; ++part) {
            float* of_part = sums + part * p.sums();
            std::memset(of_part, 0, sizeof(float) * p.sums());
            const int64_t last = conv.n * (part + 1) / p.parts;
            int64_t done = 0;
            for (int64_t image = conv.n * part / p.parts; image < last; image += p.unit_images) {
                for (int64_t row = 0; row < pool.oh; row += p.unit_rows) {
                    const Unit unit{image, std::min(p.unit_images, last - image), row,
                                    std::min(p.unit_rows, pool.oh - row)};
                    work.list(unit, winners, activation == Activation::kRelu ? y : nullptr, dy,
                              of_part + filters);
                    if (dw) work.add_filters(unit, x, of_part);
                    if (dx) work.add_input(unit, done, dx);
                }
            }
        }
    });
    parallel_for(conv.oc, [&](int64_t begin, int64_t end) {
        const auto add_parts = [&](int64_t at, int64_t n) {
            for (int64_t part = 1; part < p.parts; ++part)
                simd::kernels().add(n, sums + part * p.sums() + at, sums + at);
        };
        add_parts(filters + begin, end - begin);
        if (!dw) return;
        add_parts(begin * p.filter(), (end - begin) * p.filter());
        for (int64_t r = 0; r < p.runs; ++r) {
            float* to = dw + r * p.run * conv.oc;
            for (int64_t o = begin; o < end; ++o) {
                const float* from = sums + o * p.filter() + p.first(r);
                for (int64_t k = 0; k < p.run; ++k) to[k * conv.oc + o] = from[k];
            }
        }
    });
    if (db) std::memcpy(db, sums + filters, sizeof(float) * conv.oc);
}

}  // namespace pyconv
