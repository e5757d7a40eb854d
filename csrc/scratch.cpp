#include "scratch.h"

#include <algorithm>
#include <new>

namespace pyconv {
namespace {

constexpr std::align_val_t kAlign{64};

struct Block {
    explicit Block(size_t bytes)
        : data(static_cast<char*>(::operator new(bytes, kAlign))), size(bytes) {}
    ~Block() { ::operator delete(data, kAlign); }
    Block(const Block&) = delete;
    char* data;
    size_t size;
};

// A stack of blocks. Outgrown blocks are merged into one when the outermost scope ends.
struct Store {
    std::vector<std::unique_ptr<Block>> blocks;
    size_t block = 0, used = 0;
    int depth = 0;
};
thread_local Store store;

}  // namespace

Scratch::Scratch() : block_(store.block), used_(store.used) { ++store.depth; }

Scratch::~Scratch() {
    store.block = block_;
    store.used = used_;
    if (--store.depth == 0 && store.blocks.size() > 1) {
        size_t total = 0;
        for (const auto& block : store.blocks) total += block->size;
        store.blocks.clear();
        try {
            store.blocks.push_back(std::make_unique<Block>(total));
        } catch (const std::bad_alloc&) {
            store.blocks.clear();
        }
    }
}

void* Scratch::take_bytes(size_t bytes) {
    bytes = (std::max<size_t>(bytes, 1) + 63) / 64 * 64;
    while (store.block < store.blocks.size()) {
        Block& block = *store.blocks[store.block];
        if (block.size - store.used >= bytes) {
            void* memory = block.data + store.used;
            store.used += bytes;
            return memory;
        }
        ++store.block;
        store.used = 0;
    }
    store.blocks.push_back(std::make_unique<Block>(std::max<size_t>(bytes, 64 * 1024)));
    store.used = bytes;
    return store.blocks.back()->data;
}

Kept::~Kept() {
    for (void* memory : taken_) ::operator delete(memory, kAlign);
}

void* Kept::take_bytes(size_t bytes) {
    taken_.reserve(taken_.size() + 1);
    taken_.push_back(::operator new(std::max<size_t>(bytes, 1), kAlign));
    return taken_.back();
}

}  // namespace pyconv
