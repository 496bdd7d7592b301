#include "cipher_queue.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace sansock {

CipherQueue::Block* CipherQueue::acquire(bool heap_too) noexcept {
  const std::size_t capacity = pool_.block_size();
  std::byte* memory = pool_.acquire();
  const bool pooled = memory != nullptr;
  if (!pooled && heap_too) memory = static_cast<std::byte*>(::operator new(capacity, std::nothrow));
  if (memory == nullptr) return nullptr;
  return new (memory) Block{.begin = sizeof(Block),
                            .end = sizeof(Block),
                            .capacity = static_cast<std::uint32_t>(capacity),
                            .pooled = pooled};
}

void CipherQueue::release(Block* block) noexcept {
  if (block->pooled) {
    pool_.release(reinterpret_cast<std::byte*>(block));
  } else {
    ::operator delete(block);
  }
}

std::size_t CipherQueue::reserve(std::size_t size) noexcept {
  const std::size_t gain = block_capacity();
  std::size_t granted = room();
  for (const Block* block = spare_; block != nullptr; block = block->next) granted += gain;
  while (granted < size) {
    Block* const block = acquire(false);
    if (block == nullptr) break;
    block->next = std::exchange(spare_, block);
    granted += gain;
  }
  return std::min(granted, size);
}

void CipherQueue::link(Block* block) noexcept {
  block->next = nullptr;
  (tail_ == nullptr ? head_ : tail_->next) = block;
  tail_ = block;
}

bool CipherQueue::append(ConstBytes bytes) noexcept {
  while (!bytes.empty()) {
    if (room() == 0) {
      Block* const block = spare_ != nullptr ? std::exchange(spare_, spare_->next) : acquire(true);
      if (block == nullptr) return false;
      link(block);
    }
    const std::size_t taken = std::min<std::size_t>(room(), bytes.size());
    std::memcpy(reinterpret_cast<std::byte*>(tail_) + tail_->end, bytes.data(), taken);
    tail_->end += static_cast<std::uint32_t>(taken);
    size_ += taken;
    bytes = bytes.subspan(taken);
  }
  return true;
}

std::size_t CipherQueue::gather(std::span<IoSlice> slices) const noexcept {
  std::size_t count = 0;
  for (Block* block = head_; block != nullptr && count < slices.size(); block = block->next) {
    if (block->begin == block->end) continue;
    slices[count++] = {reinterpret_cast<std::byte*>(block) + block->begin, block->end - block->begin};
  }
  return count;
}

void CipherQueue::consume(std::size_t written) noexcept {
  written = std::min(written, size_);
  size_ -= written;
  while (head_ != nullptr) {
    const std::size_t taken = std::min<std::size_t>(written, head_->end - head_->begin);
    head_->begin += static_cast<std::uint32_t>(taken);
    written -= taken;
    if (head_->begin != head_->end) return;
    release(std::exchange(head_, head_->next));
    if (head_ == nullptr) tail_ = nullptr;
  }
  // Nothing is queued, so nothing is about to be.
  while (spare_ != nullptr) release(std::exchange(spare_, spare_->next));
}

void CipherQueue::clear() noexcept { consume(size_); }

}  // namespace sansock
