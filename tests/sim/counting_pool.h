// A block pool that counts, refuses by chance, and fills what it gives and takes with rubbish.
#pragma once

#include <cstdlib>
#include <cstring>
#include <vector>

#include "checks.h"
#include "knobs.h"
#include "sansock/memory.h"

namespace sansock::sim {

class CountingPool final : public BlockPool {
 public:
  CountingPool(const Side& side, Prng prng, Checks& checks, bool leaks)
      : block_size_(side.block_size),
        limit_(side.blocks_max),
        refused_(side.block_refused),
        prng_(prng),
        checks_(&checks),
        leaks_(leaks) {}
  CountingPool(const CountingPool&) = delete;
  CountingPool& operator=(const CountingPool&) = delete;
  ~CountingPool() {
    for (std::byte* block : out_) std::free(block);
  }

  std::size_t block_size() const noexcept override { return block_size_; }
  std::byte* acquire() noexcept override {
    if (out_.size() >= limit_ || (refused_ != 0 && prng_.chance(refused_))) {
      ++refusals_;
      return nullptr;
    }
    auto* const block = static_cast<std::byte*>(std::malloc(block_size_));
    std::memset(block, 0xA5, block_size_);
    out_.push_back(block);
    return block;
  }
  void release(std::byte* block) noexcept override {
    if (leaks_ && prng_.chance(50)) return;
    for (std::byte*& held : out_) {
      if (held != block) continue;
      held = out_.back();
      out_.pop_back();
      std::memset(block, 0xDB, block_size_);
      std::free(block);
      return;
    }
    checks_->fail("blocks", "a block was released that is not out");
  }

  std::size_t in_use() const noexcept { return out_.size(); }
  // How often it had none to give.
  std::uint64_t refusals() const noexcept { return refusals_; }

 private:
  std::size_t block_size_;
  std::size_t limit_;
  unsigned refused_;
  Prng prng_;
  Checks* checks_;
  bool leaks_;
  std::uint64_t refusals_ = 0;
  std::vector<std::byte*> out_;
};

}  // namespace sansock::sim
