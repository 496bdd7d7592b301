// A BlockPool for one thread: 16 KiB blocks out of large mappings, bounded, and given back to the
// kernel after a burst.
#pragma once

#include <memory>
#include <vector>

#include "sansock/memory.h"

namespace sansock {

class SlabBlockPool final : public BlockPool {
 public:
  static constexpr std::size_t size_of_block = 16u << 10;

  // Hands out at most `bytes_max` bytes of blocks at a time. Keeps up to `warm_max` free blocks in
  // memory; the pages of further ones go back to the kernel at once.
  explicit SlabBlockPool(std::size_t bytes_max, std::size_t warm_max = 64) noexcept;
  SlabBlockPool(const SlabBlockPool&) = delete;
  SlabBlockPool& operator=(const SlabBlockPool&) = delete;
  // All blocks must have come back.
  ~SlabBlockPool();

  std::size_t block_size() const noexcept override { return size_of_block; }
  std::byte* acquire() noexcept override;
  void release(std::byte* block) noexcept override;
  // Gives the pages of all free blocks back: for when a burst is over.
  void trim() noexcept;

  std::size_t in_use() const noexcept { return out_ - at_hand_.size; }
  std::size_t in_use_peak() const noexcept { return in_use_peak_; }
  std::size_t warm() const noexcept { return at_hand_.size; }

 private:
  // Free blocks, the one that came back last on top. Room is made with each chunk, so that a block
  // always finds a place: that, unlike with a vector, needs no check.
  struct Stack {
    std::unique_ptr<std::byte*[]> blocks;
    std::size_t size = 0;

    void push(std::byte* block) noexcept { blocks[size++] = block; }
    std::byte* pop() noexcept { return blocks[--size]; }
    void reserve(std::size_t capacity);  // always more than `size`; may throw std::bad_alloc
  };

  bool map_chunk() noexcept;
  void give_back(std::byte* block) noexcept;

  std::size_t blocks_max_;
  std::size_t warm_max_;
  std::size_t out_ = 0;  // in use or at hand
  std::size_t in_use_peak_ = 0;
  std::unique_ptr<std::byte*[]> warm_;  // what is at hand: pages probably present
  std::uint32_t warm_size_ = 0;         // how many have room there
  Stack cold_;                          // pages given back
  std::vector<std::byte*> chunks_;      // the mappings
};

}  // namespace sansock
