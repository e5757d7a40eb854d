// Checks the thread pool and the recorder of traces.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "counts.h"
#include "parallel.h"
#include "trace.h"

using namespace pyconv;

namespace {

void expect(const char* what, bool ok) {
    ++(ok ? passed : failed);
    if (!ok) std::printf("trace: %s\n", what);
}

// The events of a thread nest, or follow each other.
bool nested(std::vector<trace::Event> events) {
    std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
    std::vector<int64_t> open;
    for (const trace::Event& event : events) {
        while (!open.empty() && open.back() <= event.begin) open.pop_back();
        if (event.end < event.begin || (!open.empty() && open.back() < event.end)) return false;
        open.push_back(event.end);
    }
    return true;
}

}  // namespace

void test_threads() {
    // Many small jobs, from two threads at once, with exceptions and changes of size between.
    const auto work = [] {
        for (int i = 0; i < 200; ++i) {
            std::vector<int> seen(37, 0);
            parallel_for(37, [&](int64_t begin, int64_t end) {
                for (int64_t j = begin; j < end; ++j) ++seen[j];
                parallel_for(3, [](int64_t, int64_t) {});
            });
            int sum = 0;
            for (int s : seen) sum += s;
            if (sum != 37) ++failed;
        }
    };
    std::thread other(work);
    work();
    other.join();
    bool thrown = false;
    try {
        parallel_for(8, [](int64_t begin, int64_t) {
            if (begin > 0) throw std::runtime_error("expected");
        });
    } catch (const std::runtime_error&) {
        thrown = true;
    }
    ++(thrown || num_threads() == 1 ? passed : failed);
    set_num_threads(2);
    set_num_threads(4);
    work();
}

void test_trace() {
    const auto sum = [] {
        trace::Operation operation("sum");
        parallel_for(100, [](int64_t, int64_t) {});
    };
    set_num_threads(3);
    sum();
    expect("starts", trace::start());
    expect("starts once", !trace::start());
    sum();
    std::thread(sum).join();
    trace::span("outer", trace::begin_span());
    trace::stop();
    sum();
    int operations = 0, spans = 0, workers = 0;
    int64_t covered = 0;
    const std::vector<trace::Thread> threads = trace::threads();
    for (size_t i = 0; i < threads.size(); ++i) {
        workers += threads[i].name == "worker 1" || threads[i].name == "worker 2";
        for (const trace::Event& event : trace::events(i)) {
            operations += event.kind == trace::Kind::kOperation;
            spans += event.kind == trace::Kind::kSpan;
            if (event.kind != trace::Kind::kRange) continue;
            covered += event.dims[1] - event.dims[0];
            expect("a range has its operation's name", std::string("sum") == event.name);
        }
    }
    expect("two operations", operations == 2);
    expect("one span", spans == 1);
    expect("both workers", workers == 2);
    expect("ranges cover the work", covered == 200);

    trace::start(trace::Level::kSpans);
    sum();
    trace::span("outer", trace::begin_span());
    trace::stop();
    size_t kept = 0;
    for (size_t i = 0; i < trace::threads().size(); ++i) kept += trace::events(i).size();
    expect("spans alone", kept == 1);

    // More events than a ring holds, a trace begun and ended beside them, and threads that end.
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done) {
            trace::start();
            std::this_thread::yield();
            trace::stop();
            for (size_t i = 0; i < trace::threads().size(); ++i)
                expect("events nest", nested(trace::events(i)));
        }
    });
    test_threads();
    for (int i = 0; i < 200000; ++i) {
        trace::Operation operation("none");
    }
    done = true;
    other.join();
    trace::start();
    for (int i = 0; i < 200000; ++i) {
        trace::Operation operation("none");
    }
    trace::stop();
    uint64_t lost = 0;
    kept = 0;
    for (size_t i = 0; i < trace::threads().size(); ++i) {
        lost += trace::threads()[i].lost;
        kept += trace::events(i).size();
    }
    expect("what is lost is counted", lost > 0 && lost + kept == 200000);
}
