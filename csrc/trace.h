// What each thread does and when, for pyconv.profile. Off, it costs one relaxed load an operation.
// On, each thread writes into a ring of its own, without locks; the oldest events are overwritten.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pyconv {

// What an operation reads and writes beside arrays of which a trace shows the shapes.
struct Moved {
    int64_t bytes;
};

}  // namespace pyconv

namespace pyconv::trace {

enum class Kind : uint8_t {
    kOperation,  // of the bindings
    kRange,      // a thread's share of a parallel_for
    kWait,       // for other threads, or for work
    kSpan,       // of Python
};

constexpr int kMaxArrays = 5, kMaxDims = 16;

struct Event {
    const char* name;        // outlives the trace
    int64_t begin, end;      // nanoseconds of the steady clock
    int64_t bytes;           // that an operation reads and writes
    int64_t dims[kMaxDims];  // of its arrays, one after the other; first and end of a range
    uint8_t ranks[kMaxArrays], arrays;
    Kind kind;
};

// What is recorded: nothing, spans, or all events.
enum class Level { kNothing, kSpans, kAll };
extern std::atomic<Level> level;

// Whether operations are recorded, and what the threads of the pool do.
inline bool on() { return level.load(std::memory_order_relaxed) == Level::kAll; }

int64_t now();

// The time, or 0 where such an event is not recorded: nor is one then that begins at 0.
inline int64_t begin() { return on() ? now() : 0; }
int64_t begin_span();

// Each ends now. The name must outlive the trace, but for that of a span, which is copied.
void range(const char* name, int64_t begin, int64_t first, int64_t end);
void wait(const char* name, int64_t begin);
void span(std::string_view name, int64_t begin);

// An operation from here to end(), or to the end of the scope.
class Operation {
public:
    explicit Operation(const char* name);
    ~Operation() { end(); }
    Operation(const Operation&) = delete;
    void end();

    // Whether it is recorded: only then are its arrays asked for.
    explicit operator bool() const { return event_.begin != 0; }
    // An array, where there is room for its shape.
    void array(const int64_t* dims, size_t rank, int64_t bytes);
    void bytes(int64_t bytes) { event_.bytes += bytes; }

private:
    Event event_;
    const char* outer_;
};

// The operation that this thread is in.
const char* operation();

// Lets a thread appear in traces under this name, whether or not it has events.
void name_thread(const std::string& name);

// Begins a trace, with more than nothing; false where one is being taken already. A forked child
// begins without a trace.
bool start(Level wanted = Level::kAll);
void stop();

struct Thread {
    int64_t id;
    std::string name;  // empty where none was given
    uint64_t lost;     // events that newer ones have overwritten
};

// Of the last trace, from stop() to the next start(): its threads, also those that have ended, and
// the events of one of them in the order of their ends, in nanoseconds since the start.
std::vector<Thread> threads();
std::vector<Event> events(size_t thread);

}  // namespace pyconv::trace
