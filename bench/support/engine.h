// What an engine borrows, for benchmarks: a pool that never allocates after its construction, and
// entropy out of a batch, as the adapters have it.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "chosen_kernels.h"
#include "payload.h"
#include "sansock/limits.h"
#include "sansock/memory.h"

namespace sansock::bench {

class Pool final : public BlockPool {
 public:
  explicit Pool(std::size_t blocks) : memory_(blocks * size, 0) {
    free_.reserve(blocks);
    for (std::size_t i = 0; i < blocks; ++i) {
      free_.push_back(reinterpret_cast<std::byte*>(memory_.data() + i * size));
    }
  }
  std::size_t block_size() const noexcept override { return size; }
  std::byte* acquire() noexcept override {
    if (free_.empty()) return nullptr;
    std::byte* const block = free_.back();
    free_.pop_back();
    return block;
  }
  void release(std::byte* block) noexcept override { free_.push_back(block); }

 private:
  static constexpr std::size_t size = 16384;  // that of the adapters
  Buffer memory_;
  std::vector<std::byte*> free_;
};

class BatchEntropy final : public EntropySource {
 public:
  BatchEntropy() {
    const std::vector<std::uint8_t> bytes = random_bytes(batch_.size());
    std::memcpy(batch_.data(), bytes.data(), bytes.size());
  }
  void fill(Bytes out) noexcept override {
    if (batch_.size() - next_ < out.size()) next_ = 0;
    std::memcpy(out.data(), batch_.data() + next_, out.size());
    next_ += out.size();
  }

 private:
  std::array<std::byte, 4096> batch_;
  std::size_t next_ = 0;
};

// The same 16 bytes for every key, so that one answer fits every opening handshake of a client.
class FixedEntropy final : public EntropySource {
 public:
  void fill(Bytes out) noexcept override { std::memset(out.data(), 0x2A, out.size()); }
};

// All defaults, deadlines included: what a server pays for them is part of the work.
struct Setting {
  Pool pool;
  BatchEntropy entropy;
  Config config;

  explicit Setting(std::size_t blocks = 16) : pool(blocks) {
    config.pool = &pool;
    config.entropy = &entropy;
    config.kernels = &chosen_kernels();
  }
};

inline constexpr Instant now{std::chrono::seconds(1)};

inline Bytes bytes_of(Buffer& buffer) { return {reinterpret_cast<std::byte*>(buffer.data()), buffer.size()}; }

}  // namespace sansock::bench
