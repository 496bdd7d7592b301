// Ciphertext on its way to the transport, in blocks of a pool. An empty queue holds none.
#pragma once

#include <cstdint>

#include "sansock/memory.h"

namespace sansock {

class CipherQueue {
 public:
  explicit CipherQueue(BlockPool& pool) noexcept : pool_(pool) {}
  CipherQueue(const CipherQueue&) = delete;
  CipherQueue& operator=(const CipherQueue&) = delete;
  ~CipherQueue() { clear(); }

  std::size_t size() const noexcept { return size_; }

  // Takes blocks for up to so many bytes: for how many there is room then. What is not used goes back when
  // all that is queued has left, or with clear().
  std::size_t reserve(std::size_t size) noexcept;
  // What a block holds.
  std::size_t block_capacity() const noexcept { return pool_.block_size() - sizeof(Block); }
  // Copies to the end. What was not reserved, as in a handshake, lies on the heap where the pool has no
  // block: a handshake that waits for memory would wait for ever. false: there is no memory at all.
  bool append(ConstBytes bytes) noexcept;

  std::size_t gather(std::span<IoSlice> slices) const noexcept;
  void consume(std::size_t written) noexcept;
  void clear() noexcept;

 private:
  struct Block {
    Block* next = nullptr;
    std::uint32_t begin = 0;  // of what is not consumed, from the block's start
    std::uint32_t end = 0;
    std::uint32_t capacity = 0;
    bool pooled = false;
  };

  std::uint32_t room() const noexcept { return tail_ == nullptr ? 0 : tail_->capacity - tail_->end; }
  Block* acquire(bool heap_too) noexcept;
  void release(Block* block) noexcept;
  void link(Block* block) noexcept;

  BlockPool& pool_;
  Block* head_ = nullptr;
  Block* tail_ = nullptr;   // the one that is being filled
  Block* spare_ = nullptr;  // reserved
  std::size_t size_ = 0;
};

}  // namespace sansock
