// Levels 1 to 3: ISA-L. It takes a window of any size each time, so one serves all connections.
#pragma once

#include <memory>

#include "compressor.h"
#include "deflate_memory.h"

namespace sansock {

class IsalCompressor final : public Compressor {
 public:
  static constexpr unsigned level_max = 3;

  // nullptr: no memory.
  static IsalCompressor* open(DeflateMemory& memory) noexcept;
  static void close(DeflateMemory& memory, IsalCompressor* compressor) noexcept;

  std::size_t run(const Task& task, Bytes output) noexcept override;

 private:
  struct State;
  friend class DeflateMemory;  // which constructs it
  explicit IsalCompressor(State& state) noexcept : state_(state) {}
  ~IsalCompressor() = default;

  State& state_;
};

}  // namespace sansock
