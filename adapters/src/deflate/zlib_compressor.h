// Levels 4 to 9: zlib. One for each size of window, which zlib fixes when a stream is made.
#pragma once

#include "compressor.h"
#include "deflate_memory.h"

namespace sansock {

class ZlibCompressor final : public Compressor {
 public:
  // nullptr: no memory.
  static ZlibCompressor* open(DeflateMemory& memory, unsigned window_bits) noexcept;
  static void close(DeflateMemory& memory, ZlibCompressor* compressor) noexcept;

  std::size_t run(const Task& task, Bytes output) noexcept override;

 private:
  friend class DeflateMemory;  // which constructs and destroys it
  ZlibCompressor(DeflateMemory& memory, unsigned window_bits) noexcept;
  ~ZlibCompressor();

  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace sansock
