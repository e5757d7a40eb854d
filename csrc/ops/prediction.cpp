// Layers of few weights are taken depth first: a thread carries some samples through all of them
// in its cache. The others follow one after the other, each shared out by itself.
// Packed filters stay from run to run: packing takes as long as one image. So do the filters they
// were made of, as nothing tells when somebody writes to a weight.

#include "ops/prediction.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>

#include "check.h"
#include "ops/conv2d.h"
#include "ops/conv2d_maxpool2d.h"
#include "ops/conv2d_winograd.h"
#include "ops/dense.h"
#include "ops/maxpool2d.h"
#include "ops/softmax.h"
#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kSmallWeights = 16 * 1024;  // floats
constexpr int64_t kPartFloats = 32 * 1024;    // of the widest result of a part
constexpr int64_t kCompared = 64 * 1024;      // floats that a thread compares at least

Conv2dShape of_samples(Conv2dShape s, int64_t n) {
    s.n = n;
    return s;
}

int64_t filter_floats(const Conv2dShape& s) { return s.kernel.h * s.kernel.w * s.group_c() * s.oc; }

bool same_floats(int64_t size, const float* a, const float* b) {
    std::atomic<bool> same{true};
    parallel_for(ceil_div(size, kCompared), [&](int64_t begin, int64_t end) {
        const int64_t first = begin * kCompared, last = std::min(size, end * kCompared);
        if (std::memcmp(a + first, b + first, sizeof(float) * (last - first)) != 0)
            same.store(false, std::memory_order_relaxed);
    });
    return same.load();
}

}  // namespace

// What the stages packed for batches of n, and of what.
struct Prediction::Prepared {
    int64_t n;
    const simd::Kernels* kernels;
    ConvAlgorithm algorithm;
    Kept memory;
    std::vector<const float*> filters;  // copies, by stage
    std::vector<Run> runs;
};

Prediction::Prediction() = default;
Prediction::~Prediction() = default;

Prediction::Kind Prediction::kind_of(int64_t weights, Kind few) {
    return weights <= kSmallWeights ? few : Kind::kWhole;
}

void Prediction::conv2d(const Conv2dShape& conv, const float* w, const float* b,
                        Activation activation) {
    stages_.push_back({conv.h * conv.w * conv.c, conv.oh * conv.ow * conv.oc,
                       kind_of(filter_floats(conv), Kind::kMaps),
                       [=](int64_t n, Workspace& workspace) -> Run {
                           const auto forward = std::make_shared<const Conv2dForward>(
                               of_samples(conv, n), w, b, activation, workspace);
                           return [=](int64_t part, const float* x, float* y) {
                               forward->run(part, x, y);
                           };
                       },
                       w, filter_floats(conv)});
}

void Prediction::conv2d_maxpool2d(const Conv2dShape& conv, const WindowShape& pool, const float* w,
                                  const float* b, Activation activation) {
    stages_.push_back({conv.h * conv.w * conv.c, pool.oh * pool.ow * pool.c,
                       kind_of(filter_floats(conv), Kind::kMaps),
                       [=](int64_t n, Workspace& workspace) -> Run {
                           const auto forward = std::make_shared<const Conv2dForward>(
                               of_samples(conv, n), w, b, activation, workspace);
                           return [=](int64_t part, const float* x, float* y) {
                               pooled_forward(*forward, of_samples(conv, part), pool, x, y,
                                              nullptr);
                           };
                       },
                       w, filter_floats(conv)});
}

void Prediction::maxpool2d(const WindowShape& pool) {
    stages_.push_back({pool.h * pool.w * pool.c, pool.oh * pool.ow * pool.c, Kind::kMaps,
                       [=](int64_t, Workspace&) -> Run {
                           return [=](int64_t part, const float* x, float* y) {
                               WindowShape windows = pool;
                               windows.n = part;
                               maxpool2d_forward(windows, x, y);
                           };
                       }});
}

void Prediction::dense(int64_t in, int64_t units, const float* w, const float* b,
                       Activation activation) {
    stages_.push_back(
        {in, units, kind_of(in * units, Kind::kRows), [=](int64_t, Workspace&) -> Run {
             return [=](int64_t n, const float* x, float* y) {
                 dense_forward({n, in, units}, x, w, b, activation, y);
             };
         }});
}

void Prediction::softmax(int64_t classes) {
    const int64_t in = out();
    stages_.push_back({in, in, Kind::kRows, [=](int64_t, Workspace&) -> Run {
                           return [=](int64_t n, const float* x, float* y) {
                               softmax_forward(n * in / classes, classes, x, y);
                           };
                       }});
}

bool Prediction::is_prepared(int64_t n) const {
    if (!prepared_ || prepared_->n != n || prepared_->kernels != &simd::kernels() ||
        prepared_->algorithm != conv_algorithm())
        return false;
    for (size_t i = 0; i < stages_.size(); ++i)
        if (!same_floats(stages_[i].filters_size, stages_[i].filters, prepared_->filters[i]))
            return false;
    return true;
}

void Prediction::prepare(int64_t n) {
    prepared_ = nullptr;
    auto prepared = std::make_unique<Prepared>();
    prepared->n = n;
    prepared->kernels = &simd::kernels();
    prepared->algorithm = conv_algorithm();
    for (const Stage& stage : stages_) {
        float* copy = prepared->memory.take<float>(stage.filters_size);
        std::copy_n(stage.filters, stage.filters_size, copy);
        prepared->filters.push_back(copy);
        prepared->runs.push_back(stage.prepare(n, prepared->memory));
    }
    prepared_ = std::move(prepared);
}

void Prediction::run(int64_t n, const float* x, float* y) {
    if (n == 0) return;
    const std::lock_guard<std::mutex> lock(running_);
    if (!is_prepared(n)) prepare(n);
    const size_t count = stages_.size();
    for (size_t first = 0, end, i = 0; first < count; first = end, ++i) {
        end = group_end(first, n);
        float* to = end == count ? y : buffer(i % 2, n * stages_[end - 1].out);
        if (end - first == 1) {
            prepared_->runs[first](n, x, to);
        } else {
            run_group(first, end, n, x, to);
        }
        x = to;
    }
}

size_t Prediction::group_end(size_t first, int64_t n) const {
    size_t end = first + 1;
    if (stages_[first].kind == Kind::kWhole || n < 2 * num_threads()) return end;
    while (end < stages_.size() && stages_[end].kind == stages_[first].kind) ++end;
    return end;
}

void Prediction::run_group(size_t first, size_t end, int64_t n, const float* x, float* y) const {
    int64_t widest = 0;
    for (size_t i = first; i + 1 < end; ++i) widest = std::max(widest, stages_[i].out);
    // As many parts for each thread, of about equal size.
    const int64_t most = std::max<int64_t>(1, kPartFloats / widest);
    const int64_t parts = std::min(n, ceil_div(ceil_div(n, most), num_threads()) * num_threads());
    const int64_t largest = ceil_div(n, parts);
    parallel_for(parts, [&](int64_t begin, int64_t last) {
        Scratch scratch;
        float* maps[2] = {scratch.take<float>(largest * widest),
                          scratch.take<float>(largest * widest)};
        for (int64_t part = begin; part < last; ++part) {
            const int64_t sample = n * part / parts, size = n * (part + 1) / parts - sample;
            const float* from = x + sample * stages_[first].in;
            for (size_t i = first; i < end; ++i) {
                float* to = i + 1 == end ? y + sample * stages_[i].out : maps[i % 2];
                prepared_->runs[i](size, from, to);
                from = to;
            }
        }
    });
}

float* Prediction::buffer(int i, int64_t floats) {
    Buffer& buffer = buffers_[i];
    if (buffer.size < floats) {
        buffer = {};
        buffer.memory = std::make_unique<Kept>();
        buffer.data = buffer.memory->take<float>(floats);
        buffer.size = floats;
    }
    return buffer.data;
}

}  // namespace pyconv
