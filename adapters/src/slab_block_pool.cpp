// The free lists are arrays outside of the blocks: a list threaded through the blocks themselves
// would touch the pages again that were just given back.
#include "sansock/slab_block_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <new>

namespace sansock {
namespace {

constexpr std::size_t chunk_blocks = 64;
constexpr std::size_t chunk_size = chunk_blocks * SlabBlockPool::size_of_block;

}  // namespace

SlabBlockPool::SlabBlockPool(std::size_t bytes_max, std::size_t warm_max) noexcept
    : blocks_max_(std::max<std::size_t>(1, bytes_max / size_of_block)), warm_max_(warm_max) {
  at_hand_.block_size = size_of_block;
}

SlabBlockPool::~SlabBlockPool() {
  assert(in_use() == 0);
  for (std::byte* const chunk : chunks_) munmap(chunk, chunk_size);
}

std::byte* SlabBlockPool::acquire() noexcept {
  if (at_hand_.size != 0) return at_hand_.blocks[--at_hand_.size];
  if (out_ >= blocks_max_) return nullptr;
  if (cold_.size == 0 && !map_chunk()) return nullptr;
  in_use_peak_ = std::max(in_use_peak_, ++out_);  // nothing is at hand, so all of these are in use
  return cold_.pop();
}

void SlabBlockPool::release(std::byte* block) noexcept {
  assert(in_use() > 0);
  if (at_hand_.size != warm_size_) {
    at_hand_.blocks[at_hand_.size++] = block;
  } else {
    give_back(block);
  }
}

void SlabBlockPool::give_back(std::byte* block) noexcept {
  --out_;
  madvise(block, size_of_block, MADV_DONTNEED);
  cold_.push(block);
}

void SlabBlockPool::trim() noexcept {
  while (at_hand_.size != 0) give_back(at_hand_.blocks[--at_hand_.size]);
}

void SlabBlockPool::Stack::reserve(std::size_t capacity) {
  auto larger = std::make_unique_for_overwrite<std::byte*[]>(capacity);
  std::copy_n(blocks.get(), size, larger.get());
  blocks = std::move(larger);
}

bool SlabBlockPool::map_chunk() noexcept {
  try {
    const std::size_t blocks = (chunks_.size() + 1) * chunk_blocks;
    chunks_.reserve(chunks_.size() + 1);
    cold_.reserve(blocks);
    if (const std::size_t warm = std::min(blocks, warm_max_); warm > warm_size_) {
      warm_ = std::make_unique_for_overwrite<std::byte*[]>(warm);  // nothing is at hand now
      at_hand_.blocks = warm_.get();
      warm_size_ = static_cast<std::uint32_t>(warm);
      at_hand_.size_max = at_hand_.wiped ? 0 : warm_size_;
    }
  } catch (const std::bad_alloc&) {
    return false;
  }
  void* const memory = mmap(nullptr, chunk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  // Otherwise one block in use could pin 2 MiB, and giving blocks back would split huge pages.
  madvise(memory, chunk_size, MADV_NOHUGEPAGE);
  auto* const chunk = static_cast<std::byte*>(memory);
  chunks_.push_back(chunk);
  // Descending, so that blocks are handed out from the chunk's start.
  for (std::size_t i = chunk_blocks; i-- > 0;) cold_.push(chunk + i * size_of_block);
  return true;
}

}  // namespace sansock
