#include "ops/augment.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/warp.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

// y (count, C) = x (count, C) in reverse order; C is 0 where it is not known.
template <int C>
void reverse_pixels(int64_t count, int64_t channels, const float* x, float* y) {
    const int64_t c = C ? C : channels;
    for (int64_t j = 0; j < count; ++j)
        for (int64_t k = 0; k < c; ++k) y[j * c + k] = x[(count - 1 - j) * c + k];
}

void reverse(int64_t count, int64_t c, const float* x, float* y) {
    if (c == 3) return reverse_pixels<3>(count, c, x, y);
    if (c == 1) return reverse_pixels<1>(count, c, x, y);
    reverse_pixels<0>(count, c, x, y);
}

void crop_flip(const ImageSize& s, const AugmentStage& stage, const int64_t* cut, const float* x,
               float* y) {
    const int64_t top = cut[0], left = cut[1], ow = stage.w;
    const bool rows_flip = cut[2] != 0, columns_flip = cut[3] != 0;
    // Columns [begin, end) of the cut lie inside of the image.
    const int64_t begin = std::clamp<int64_t>(-left, 0, ow);
    const int64_t end = std::clamp<int64_t>(s.w - left, begin, ow);
    for (int64_t i = 0; i < stage.h; ++i) {
        float* out = y + i * ow * s.c;
        const int64_t row =
            cell_for(top + (rows_flip ? stage.h - 1 - i : i), s.h, stage.outside.mode);
        if (row < 0) {
            std::fill(out, out + ow * s.c, stage.outside.value);
            continue;
        }
        const float* in = x + row * s.line();
        if (begin < end) {
            const float* middle = in + (left + begin) * s.c;
            if (columns_flip)
                reverse(end - begin, s.c, middle, out + (ow - end) * s.c);
            else
                std::memcpy(out + begin * s.c, middle, sizeof(float) * (end - begin) * s.c);
        }
        for (int64_t j = 0; j < ow; ++j) {
            if (j == begin) j = end;
            if (j >= ow) break;
            const int64_t column = cell_for(left + j, s.w, stage.outside.mode);
            float* pixel = out + (columns_flip ? ow - 1 - j : j) * s.c;
            if (column < 0)
                std::fill(pixel, pixel + s.c, stage.outside.value);
            else
                std::copy(in + column * s.c, in + (column + 1) * s.c, pixel);
        }
    }
}

void erase(const ImageSize& s, const int64_t* box, const float* values, const float* x, float* y) {
    if (x != y) std::memcpy(y, x, sizeof(float) * s.size());
    for (int64_t i = box[0]; i < box[1]; ++i)
        for (int64_t j = box[2]; j < box[3]; ++j)
            std::copy(values, values + s.c, y + i * s.line() + j * s.c);
}

// NaN stays NaN.
float clipped(float v, float least, float most) {
    v = v < least ? least : v;
    return v > most ? most : v;
}

void scale(const ImageSize& s, const AugmentStage& stage, const float* values, const float* x,
           float* y) {
    const float factor = values[0], added = values[1], least = stage.least, most = stage.most;
    for (int64_t i = 0; i < s.size(); ++i) y[i] = clipped(x[i] * factor + added, least, most);
}

// sums: a row (w, c)
void contrast(const ImageSize& s, const AugmentStage& stage, float factor, float* sums,
              const float* x, float* y) {
    const int64_t line = s.line();
    std::fill_n(sums, line, 0.f);
    for (int64_t i = 0; i < s.h; ++i)
        for (int64_t j = 0; j < line; ++j) sums[j] += x[i * line + j];
    for (int64_t k = 0; k < s.c; ++k) {
        double sum = 0;
        for (int64_t j = k; j < line; j += s.c) sum += sums[j];
        const float mean = static_cast<float>(sum / static_cast<double>(s.h * s.w));
        for (int64_t j = k; j < line; j += s.c) sums[j] = mean;
    }
    const float least = stage.least, most = stage.most;
    for (int64_t i = 0; i < s.h; ++i) {
        const float* in = x + i * line;
        float* out = y + i * line;
        for (int64_t j = 0; j < line; ++j)
            out[j] = clipped((in[j] - sums[j]) * factor + sums[j], least, most);
    }
}

simd::Recolouring recolouring(const AugmentStage& stage, float factor) {
    const float least = stage.least, most = stage.most;
    if (stage.kind == AugmentStage::kGrey) return {simd::Recolouring::kGrey, factor, least, most};
    if (stage.kind == AugmentStage::kSaturation)
        return {simd::Recolouring::kSaturation, factor, least, most};
    return {simd::Recolouring::kHue, 6 * (factor - std::floor(factor)), least, most};
}

bool moves(const AugmentStage& stage) {
    return stage.kind == AugmentStage::kCropFlip || stage.kind == AugmentStage::kAffine;
}

// The stages of a batch, with a thread's memory for them.
class Pipeline {
public:
    Pipeline(const ImageSize& image, const std::vector<AugmentStage>& stages, Scratch& scratch)
        : image_(image), stages_(stages) {
        ImageSize s = image;
        int64_t largest = s.size(), longest = s.line();
        for (const AugmentStage& stage : stages) {
            if (stage.kind == AugmentStage::kAffine) warps_.emplace_back(s, stage, scratch);
            s.h = stage.h;
            s.w = stage.w;
            largest = std::max(largest, s.size());
            longest = std::max(longest, s.line());
        }
        out_ = s.size();
        for (float*& buffer : buffers_) buffer = scratch.take<float>(largest);
        sums_ = scratch.take<float>(longest);
        while (last_move_ > 0 && !moves(stages[last_move_ - 1])) --last_move_;
    }

    int64_t out() const { return out_; }
    // Where an image that is no float32 is converted to.
    float* input() const { return buffers_[0]; }

    // x (h, w, c), which may be input(); y, image n of the results
    void run(int64_t n, const float* x, float* y) const {
        ImageSize s = image_;
        size_t warp = 0;
        for (size_t k = 0; k < stages_.size(); ++k) {
            const AugmentStage& stage = stages_[k];
            // From the last move on, and where nothing moves, in y; before it in the buffers.
            float* to = k + 1 >= last_move_ ? y : x == buffers_[1] ? buffers_[0] : buffers_[1];
            switch (stage.kind) {
                case AugmentStage::kCropFlip:
                    crop_flip(s, stage, stage.cells + 4 * n, x, to);
                    break;
                case AugmentStage::kAffine:
                    warps_[warp++].run(x, stage.matrices + 6 * n, to);
                    break;
                case AugmentStage::kErase:
                    erase(s, stage.cells + 4 * n, stage.values + n * s.c, x, to);
                    break;
                case AugmentStage::kScale:
                    scale(s, stage, stage.values + 2 * n, x, to);
                    break;
                case AugmentStage::kContrast:
                    contrast(s, stage, stage.values[n], sums_, x, to);
                    break;
                case AugmentStage::kGrey:
                case AugmentStage::kSaturation:
                case AugmentStage::kHue:
                    simd::kernels().recolour(s.h * s.w, recolouring(stage, stage.values[n]), x, to);
                    break;
            }
            s.h = stage.h;
            s.w = stage.w;
            x = to;
        }
        if (stages_.empty()) std::memcpy(y, x, sizeof(float) * s.size());
    }

private:
    ImageSize image_;
    const std::vector<AugmentStage>& stages_;
    std::vector<Warp> warps_;
    float* buffers_[2];
    float* sums_;
    size_t last_move_ = stages_.size();  // stages up to the last one that moves
    int64_t out_;
};

}  // namespace

void augment(const ImageBatch& s, const void* x, RowType type, const int64_t* rows,
             const std::vector<AugmentStage>& stages, float* y) {
    const ImageSize image{s.h, s.w, s.c};
    parallel_for(s.n, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        const Pipeline pipeline(image, stages, scratch);
        for (int64_t n = begin; n < end; ++n) {
            const int64_t row = rows ? rows[n] : n;
            if (rows && n + 1 < end) fetch_ahead(image.size(), x, type, rows[n + 1]);
            const float* in = static_cast<const float*>(x) + row * image.size();
            if (type != RowType::kFloat32) {
                convert_row(image.size(), x, type, row, pipeline.input());
                in = pipeline.input();
            }
            pipeline.run(n, in, y + n * pipeline.out());
        }
    });
}

}  // namespace pyconv
