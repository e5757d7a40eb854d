#include "trace.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_set>

#include "check.h"

namespace pyconv::trace {

std::atomic<Level> level{Level::kNothing};

namespace {

// Of a thread: about 400 steps of a small network.
constexpr uint64_t kEvents = 1 << 16;

// Written by its thread alone; read once no trace is taken. A thread that saw `level` before it
// was set to nothing may still write one event: a reader leaves out the slot that this would go to.
struct Ring {
    const int64_t id = syscall(SYS_gettid);
    std::string name;
    std::unique_ptr<Event[]> events;  // made with the first event
    std::unordered_set<std::string> names;
    std::atomic<uint64_t> count{0};
    std::atomic<bool> ended{false};
    uint64_t first = 0;  // event of the trace
};

struct Registry {
    std::mutex mutex;
    std::vector<std::shared_ptr<Ring>> rings;    // of the threads that there are, and
    std::vector<std::shared_ptr<Ring>> stopped;  // of the last trace
    int64_t started = 0;
};

struct Local {
    ~Local() {
        if (ring) ring->ended.store(true, std::memory_order_release);
    }
    std::shared_ptr<Ring> ring;
    const char* operation = nullptr;
};
thread_local Local local;

// Never destroyed: threads may outlive the end of the process's static objects.
Registry* registry = nullptr;

// The other threads, and the lock if one of them held it, stay behind in the parent.
void forget_in_child() {
    level.store(Level::kNothing);
    registry = new Registry;
    local.ring = nullptr;
}

Registry& the_registry() {
    static const bool once = [] {
        registry = new Registry;
        pthread_atfork(nullptr, nullptr, forget_in_child);
        return true;
    }();
    (void)once;
    return *registry;
}

bool taken() { return level.load(std::memory_order_relaxed) != Level::kNothing; }

bool has_ended(const std::shared_ptr<Ring>& ring) {
    return ring->ended.load(std::memory_order_acquire);
}

Ring& own_ring() {
    if (!local.ring) {
        auto ring = std::make_shared<Ring>();
        Registry& r = the_registry();
        std::lock_guard<std::mutex> lock(r.mutex);
        if (!taken()) std::erase_if(r.rings, has_ended);
        r.rings.push_back(ring);
        local.ring = std::move(ring);
    }
    return *local.ring;
}

// Without memory for it, an event is left out.
void record(const Event& event) {
    if (!taken()) return;
    try {
        Ring& ring = own_ring();
        if (!ring.events) ring.events.reset(new Event[kEvents]);
        const uint64_t count = ring.count.load(std::memory_order_relaxed);
        ring.events[count % kEvents] = event;
        ring.count.store(count + 1, std::memory_order_release);
    } catch (const std::bad_alloc&) {
    }
}

// The first of the events up to `count` that the ring still holds.
uint64_t oldest(const Ring& ring, uint64_t count) {
    return std::max(ring.first, count < kEvents ? 0 : count - (kEvents - 1));
}

}  // namespace

int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

int64_t begin_span() { return taken() ? now() : 0; }

void range(const char* name, int64_t begin, int64_t first, int64_t end) {
    if (begin) record({name, begin, now(), 0, {first, end}, {}, 0, Kind::kRange});
}

void wait(const char* name, int64_t begin) {
    if (begin) record({name, begin, now(), 0, {}, {}, 0, Kind::kWait});
}

void span(std::string_view name, int64_t begin) {
    if (!begin || !taken()) return;
    const int64_t end = now();
    const std::string& kept = *own_ring().names.emplace(name).first;
    record({kept.c_str(), begin, end, 0, {}, {}, 0, Kind::kSpan});
}

Operation::Operation(const char* name) {
    event_.begin = trace::begin();
    if (!event_.begin) return;
    event_.name = name;
    event_.bytes = 0;
    event_.arrays = 0;
    event_.kind = Kind::kOperation;
    outer_ = local.operation;
    local.operation = name;
}

void Operation::end() {
    if (!event_.begin) return;
    local.operation = outer_;
    event_.end = now();
    record(event_);
    event_.begin = 0;
}

void Operation::array(const int64_t* dims, size_t rank, int64_t bytes) {
    event_.bytes += bytes;
    size_t used = 0;
    for (int i = 0; i < event_.arrays; ++i) used += event_.ranks[i];
    if (event_.arrays == kMaxArrays || rank > kMaxDims - used) return;
    std::copy_n(dims, rank, event_.dims + used);
    event_.ranks[event_.arrays++] = static_cast<uint8_t>(rank);
}

const char* operation() { return local.operation ? local.operation : "parallel_for"; }

void name_thread(const std::string& name) {
    Ring& ring = own_ring();
    std::lock_guard<std::mutex> lock(the_registry().mutex);
    ring.name = name;
}

bool start(Level wanted) {
    Registry& r = the_registry();
    std::lock_guard<std::mutex> lock(r.mutex);
    if (taken()) return false;
    r.stopped.clear();
    std::erase_if(r.rings, has_ended);
    for (const auto& ring : r.rings) ring->first = ring->count.load(std::memory_order_acquire);
    r.started = now();
    level.store(wanted);
    return true;
}

void stop() {
    Registry& r = the_registry();
    std::lock_guard<std::mutex> lock(r.mutex);
    if (!taken()) return;
    level.store(Level::kNothing);
    r.stopped = r.rings;
}

std::vector<Thread> threads() {
    Registry& r = the_registry();
    std::lock_guard<std::mutex> lock(r.mutex);
    std::vector<Thread> list;
    for (const auto& ring : r.stopped) {
        const uint64_t count = ring->count.load(std::memory_order_acquire);
        list.push_back({ring->id, ring->name, oldest(*ring, count) - ring->first});
    }
    return list;
}

std::vector<Event> events(size_t thread) {
    Registry& r = the_registry();
    std::lock_guard<std::mutex> lock(r.mutex);
    if (thread >= r.stopped.size())
        fail("trace_events", "thread must be below ", r.stopped.size(), ", got ", thread);
    const Ring& ring = *r.stopped[thread];
    const uint64_t count = ring.count.load(std::memory_order_acquire);
    std::vector<Event> list;
    for (uint64_t i = oldest(ring, count); i < count; ++i) {
        Event event = ring.events[i % kEvents];
        event.begin -= r.started;
        event.end -= r.started;
        // What began under the trace before this one is not of it.
        if (event.begin >= 0) list.push_back(event);
    }
    return list;
}

}  // namespace pyconv::trace
