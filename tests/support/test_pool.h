// Block pools for tests: one that counts, limits, poisons and fails on demand, and one that never
// allocates after its construction.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "sansock/memory.h"

namespace sansock::testing {

// What nobody has written to.
inline constexpr unsigned char rubbish_default = 0xA5;

// Each block is memory of its own, so that the sanitizer sees every byte beside it. Fresh and
// released blocks are full of rubbish.
class TestPool final : public BlockPool {
 public:
  static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

  explicit TestPool(std::size_t block_size = 4096, std::size_t limit = unlimited)
      : block_size_(block_size), limit_(limit) {}
  TestPool(const TestPool&) = delete;
  TestPool& operator=(const TestPool&) = delete;
  ~TestPool() {
    EXPECT_EQ(live_.size(), 0u) << "blocks were not given back";
    for (std::byte* block : live_) std::free(block);
  }

  std::size_t block_size() const noexcept override { return block_size_; }

  std::byte* acquire() noexcept override {
    ++asked_;
    if (live_.size() >= limit_ || asked_ == fail_at_ || asked_ >= fail_from_) return nullptr;
    void* const memory = std::malloc(block_size_);
    std::memset(memory, rubbish_, block_size_);
    auto* const block = static_cast<std::byte*>(memory);
    live_.insert(block);
    peak_ = std::max(peak_, live_.size());
    return block;
  }

  void release(std::byte* block) noexcept override {
    if (live_.erase(block) != 1) {
      ADD_FAILURE() << "a block was released that is not out";
      return;
    }
    if (on_release) on_release({block, block_size_});
    std::memset(block, 0xDB, block_size_);
    std::free(block);
  }

  // Counted from now on: the k-th acquire() fails (1 is the next), or all from the k-th on.
  void fail_at(std::size_t k) { asked_ = 0, fail_at_ = k; }
  void fail_from(std::size_t k) { asked_ = 0, fail_from_ = k; }
  void fail_never() { fail_at_ = fail_from_ = unlimited; }
  // Sees each block as it comes back.
  std::function<void(ConstBytes)> on_release;
  // What fresh blocks are full of.
  void set_rubbish(unsigned char byte) { rubbish_ = byte; }
  void set_limit(std::size_t limit) { limit_ = limit; }

  std::size_t live() const { return live_.size(); }
  std::size_t peak() const { return peak_; }
  std::size_t asked() const { return asked_; }
  void reset_peak() { peak_ = live_.size(); }

 private:
  std::size_t block_size_;
  std::size_t limit_;
  unsigned char rubbish_ = rubbish_default;
  std::size_t asked_ = 0;
  std::size_t peak_ = 0;
  std::size_t fail_at_ = unlimited;
  std::size_t fail_from_ = unlimited;
  std::set<std::byte*> live_;
};

// Keeps its free blocks where the engine finds them without a call.
class AtHandPool final : public BlockPool {
 public:
  AtHandPool(std::size_t block_size, std::uint32_t count)
      : memory_(new std::max_align_t[block_size / sizeof(std::max_align_t) * count]), blocks_(count) {
    at_hand_ = {.blocks = blocks_.data(), .size = count, .size_max = count, .block_size = block_size};
    auto* const base = reinterpret_cast<std::byte*>(memory_.get());
    for (std::size_t i = 0; i < count; ++i) blocks_[i] = base + i * block_size;
    std::memset(base, rubbish_default, block_size * count);
  }

  std::size_t block_size() const noexcept override { return at_hand_.block_size; }
  std::byte* acquire() noexcept override { return at_hand() ? take_at_hand() : nullptr; }
  void release(std::byte* block) noexcept override { at_hand_.blocks[at_hand_.size++] = block; }
  std::size_t available() const { return at_hand_.size; }
  ConstBytes free_block(std::size_t index) const { return {blocks_.at(index), at_hand_.block_size}; }

 private:
  std::unique_ptr<std::max_align_t[]> memory_;
  std::vector<std::byte*> blocks_;
};

class ArenaPool final : public BlockPool {
 public:
  ArenaPool(std::size_t block_size, std::size_t count)
      : block_size_(block_size),
        memory_(new std::max_align_t[block_size / sizeof(std::max_align_t) * count]) {
    free_.reserve(count);
    auto* const base = reinterpret_cast<std::byte*>(memory_.get());
    for (std::size_t i = 0; i < count; ++i) free_.push_back(base + i * block_size);
  }

  std::size_t block_size() const noexcept override { return block_size_; }
  std::byte* acquire() noexcept override {
    if (free_.empty()) return nullptr;
    std::byte* const block = free_.back();
    free_.pop_back();
    return block;
  }
  void release(std::byte* block) noexcept override { free_.push_back(block); }
  std::size_t available() const { return free_.size(); }

 private:
  std::size_t block_size_;
  std::unique_ptr<std::max_align_t[]> memory_;
  std::vector<std::byte*> free_;
};

}  // namespace sansock::testing
