// A compressor of the thread's. It holds nothing between two calls that the result depends on.
#pragma once

#include <cstdint>

#include "sansock/types.h"
#include "text_window.h"

namespace sansock {

class Compressor {
 public:
  struct Task {
    std::uint8_t level = 1;               // 1 to 9
    std::uint8_t window_bits = 15;        // no distance is longer than 2^window_bits
    const TextWindow* history = nullptr;  // what the text may refer to
    ConstBytes text = {};                 // not empty, at most text_max bytes
  };
  static constexpr std::size_t text_max = std::size_t{1} << 30;

  // Compresses the text and ends with an empty stored block, thus with 00 00 FF FF. The number of bytes made;
  // 0: they are more than fit.
  virtual std::size_t run(const Task& task, Bytes output) noexcept = 0;

 protected:
  ~Compressor() = default;
};

}  // namespace sansock
