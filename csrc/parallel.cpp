#include "parallel.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "denormals.h"
#include "trace.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pyconv {
namespace {

// Long enough to bridge the gap between two operations of a training step, short enough
// that an idle pool costs nothing.
constexpr auto kSpin = std::chrono::microseconds(200);

// A thread takes most of its part at once, and the rest in pieces, of which threads that are done
// before it take some.
constexpr int64_t kPieces = 16, kFirstPieces = 15;

thread_local bool inside_pool = false;

void pause() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

int usable_cores() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1u, std::thread::hardware_concurrency());
}

// Spins on `done` for a while; false when it gave up.
template <class Done>
bool spin_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + kSpin;
    do {
        for (int i = 0; i < 64; ++i) {
            if (done()) return true;
            pause();
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

// The indices of a thread, of which others take what it has not begun with.
class alignas(64) Part {
public:
    // The pool must be idle.
    void fill(int64_t begin, int64_t end) {
        piece_ = (end - begin + kPieces - 1) / kPieces;
        end_ = end;
        next_.store(begin, std::memory_order_relaxed);
    }

    // The next `pieces`, or what is left of them; false when nothing is.
    bool take(int64_t pieces, int64_t* begin, int64_t* end) {
        int64_t first = next_.load(std::memory_order_relaxed);
        int64_t last;
        do {
            if (first >= end_) return false;
            last = std::min(end_, first + pieces * piece_);
        } while (!next_.compare_exchange_weak(first, last, std::memory_order_relaxed));
        *begin = first;
        *end = last;
        return true;
    }

private:
    std::atomic<int64_t> next_{0};
    int64_t end_ = 0, piece_ = 1;
};

class Pool {
public:
    explicit Pool(int threads) : spins_(threads <= usable_cores()), parts_(threads) {
        try {
            for (int i = 1; i < threads; ++i) {
                threads_.emplace_back(&Pool::work, this, i);
            }
        } catch (const std::system_error&) {
            // The system gives no more threads: go on with those that there are.
        }
    }

    // The pool must be idle.
    ~Pool() {
        stopping_.store(true, std::memory_order_relaxed);
        publish();
        wake_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    void run(int64_t n, RangeBody body) {
        const int workers = static_cast<int>(threads_.size());
        const int parts = static_cast<int>(std::min<int64_t>(n, workers + 1));
        if (parts <= 1) {
            body(0, n);
            return;
        }
        body_ = &body;
        used_ = parts;
        for (int i = 0; i < parts; ++i) parts_[i].fill(n * i / parts, n * (i + 1) / parts);
        traced_ = trace::on() ? trace::operation() : nullptr;
        if (spins_) keep_off(sched_getcpu());
        pending_.store(workers, std::memory_order_relaxed);
        publish();
        if (sleepers_.load(std::memory_order_acquire) > 0) wake_.notify_all();
        run_parts(0);
        const int64_t waiting = traced_ ? trace::now() : 0;
        const auto done = [&] { return pending_.load(std::memory_order_acquire) == 0; };
        if (!(spins_ && spin_until(done))) {
            std::unique_lock<std::mutex> lock(mutex_);
            finished_.wait(lock, done);
        }
        trace::wait("wait for workers", waiting);
        if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    }

private:
    // Keeps the workers off the caller's core. The kernel wakes a sleeper on the core of the thread
    // that wakes it where it takes the other cores for busy, as it does with the idle ones of a
    // virtual machine: the two then take turns on one core, for tens of milliseconds.
    void keep_off(int core) {
        if (core == kept_off_ || core < 0 || core >= CPU_SETSIZE) return;
        kept_off_ = core;
        cpu_set_t set;
        if (sched_getaffinity(0, sizeof(set), &set) != 0) return;
        CPU_CLR(core, &set);
        if (CPU_COUNT(&set) == 0) return;
        for (std::thread& thread : threads_)
            pthread_setaffinity_np(thread.native_handle(), sizeof(set), &set);
    }

    // Under the lock, so that a worker about to sleep sees the new job.
    void publish() {
        std::lock_guard<std::mutex> lock(mutex_);
        job_.fetch_add(1, std::memory_order_release);
    }

    void run_parts(int own) {
        int64_t begin, end;
        if (own < used_ && parts_[own].take(kFirstPieces, &begin, &end)) run_range(begin, end);
        for (int i = 0; i < used_; ++i)
            while (parts_[(own + i) % used_].take(1, &begin, &end)) run_range(begin, end);
    }

    void run_range(int64_t begin, int64_t end) {
        const int64_t started = traced_ ? trace::now() : 0;
        try {
            (*body_)(begin, end);
        } catch (...) {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!error_ || begin < error_at_) {
                error_ = std::current_exception();
                error_at_ = begin;
            }
        }
        trace::range(traced_, started, begin, end);
    }

    void work(int index) {
        const FlushDenormals flush;
        inside_pool = true;
        trace::name_thread("worker " + std::to_string(index));
        for (uint64_t seen = 0;; ++seen) {
            const int64_t idle = trace::begin();
            const auto ready = [&] { return job_.load(std::memory_order_acquire) > seen; };
            const bool spun = spins_ && spin_until(ready);
            if (!spun) {
                std::unique_lock<std::mutex> lock(mutex_);
                sleepers_.fetch_add(1, std::memory_order_acq_rel);
                wake_.wait(lock, ready);
                sleepers_.fetch_sub(1, std::memory_order_acq_rel);
            }
            trace::wait(spun ? "idle" : "asleep", idle);
            if (stopping_.load(std::memory_order_relaxed)) return;
            run_parts(index);
            if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
                std::lock_guard<std::mutex> lock(mutex_);
                finished_.notify_one();
            }
        }
    }

    const bool spins_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable wake_, finished_;
    std::atomic<uint64_t> job_{0};
    std::atomic<int> pending_{0}, sleepers_{0};
    std::atomic<bool> stopping_{false};
    std::vector<Part> parts_;       // one a thread
    int used_ = 0;                  // of them
    const char* traced_ = nullptr;  // the operation, while a trace is taken
    int kept_off_ = -1;
    const RangeBody* body_ = nullptr;
    std::exception_ptr error_;  // of the first range that failed
    int64_t error_at_ = 0;
};

// Never destroyed: workers may still wait in it when the process exits.
struct State {
    std::mutex in_use;
    Pool* pool = nullptr;
    std::atomic<int> threads{std::min(usable_cores(), kMaxThreads)};
};
State* state = nullptr;

// The workers and whatever they hold stay behind in the parent.
void forget_in_child() {
    State* fresh = new State;
    if (state) fresh->threads.store(state->threads.load());
    state = fresh;
}

State& the_state() {
    static const bool once = [] {
        state = new State;
        pthread_atfork(nullptr, nullptr, forget_in_child);
        return true;
    }();
    (void)once;
    return *state;
}

}  // namespace

void parallel_for(int64_t n, RangeBody body) {
    if (n <= 0) return;
    State& s = the_state();
    if (n == 1 || inside_pool || s.threads.load(std::memory_order_relaxed) == 1) {
        body(0, n);
        return;
    }
    std::unique_lock<std::mutex> lock(s.in_use, std::try_to_lock);
    if (!lock.owns_lock()) {
        body(0, n);
        return;
    }
    if (!s.pool) s.pool = new Pool(s.threads.load());
    inside_pool = true;
    struct Leave {
        ~Leave() { inside_pool = false; }
    } leave;
    s.pool->run(n, body);
}

int num_threads() { return the_state().threads.load(); }

void set_num_threads(int n) {
    State& s = the_state();
    std::lock_guard<std::mutex> lock(s.in_use);
    if (n == s.threads.load()) return;
    s.threads.store(n);
    delete s.pool;
    s.pool = nullptr;
}

}  // namespace pyconv
