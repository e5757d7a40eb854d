// The forward pass of a whole stack of layers, in one call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "ops/shapes.h"
#include "scratch.h"

namespace pyconv {

class Prediction {
public:
    Prediction();
    ~Prediction();

    // Stages, each on the result of the one before; shapes are those of one sample. Weights are
    // read at each run: filters that it has packed are compared with those of then.
    void conv2d(const Conv2dShape& conv, const float* w, const float* b, Activation activation);
    void conv2d_maxpool2d(const Conv2dShape& conv, const WindowShape& pool, const float* w,
                          const float* b, Activation activation);
    void maxpool2d(const WindowShape& pool);
    void dense(int64_t in, int64_t units, const float* w, const float* b, Activation activation);
    void softmax(int64_t classes);

    bool empty() const { return stages_.empty(); }
    // Floats of a sample and of its result, where there is a stage.
    int64_t in() const { return stages_.front().in; }
    int64_t out() const { return stages_.back().out; }

    // x (n, in) -> y (n, out). Runs of several threads follow one another.
    void run(int64_t n, const float* x, float* y);

private:
    using Run = std::function<void(int64_t n, const float* x, float* y)>;
    // What a thread does with a part of the samples alone: stages of the same kind one after the
    // other, on few samples of maps or on many rows. Those of many weights take all samples at
    // once.
    enum class Kind { kMaps, kRows, kWhole };
    static Kind kind_of(int64_t weights, Kind few);
    struct Stage {
        int64_t in, out;  // floats of a sample
        Kind kind;
        // Packs what a batch of n needs into workspace; the result serves parts of that batch.
        std::function<Run(int64_t n, Workspace& workspace)> prepare;
        const float* filters = nullptr;  // what it packs
        int64_t filters_size = 0;
    };
    struct Prepared;
    struct Buffer {
        std::unique_ptr<Kept> memory;
        float* data = nullptr;
        int64_t size = 0;
    };

    bool is_prepared(int64_t n) const;
    void prepare(int64_t n);
    // The first stage that does not run in one go with stage `first`.
    size_t group_end(size_t first, int64_t n) const;
    void run_group(size_t first, size_t end, int64_t n, const float* x, float* y) const;
    float* buffer(int i, int64_t floats);

    std::vector<Stage> stages_;
    std::unique_ptr<const Prepared> prepared_;
    Buffer buffers_[2];
    std::mutex running_;
};

}  // namespace pyconv
