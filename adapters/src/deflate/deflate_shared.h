// What a DeflateCodec has once for all of its connections: compressors, idle decompressors, scratch memory.
#pragma once

#include <algorithm>
#include <array>

#include "deflate_memory.h"
#include "deflate_stream.h"
#include "isal_compressor.h"
#include "sansock/deflate_codec.h"
#include "spare_list.h"
#include "zlib_compressor.h"

namespace sansock {

class DeflateCodec::Shared {
 public:
  explicit Shared(std::size_t memory_max) noexcept
      : memory(memory_max), windows_left_(memory_max - std::min(memory_max / 4, std::size_t{1} << 20)) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { trim(); }

  // Whether the windows of one more connection will fit, full as they may get, beside those of all others and
  // some memory to work with. A connection that was let in must not fail later for want of a window.
  bool promise_windows(std::size_t size) noexcept {
    if (size > windows_left_) return false;
    windows_left_ -= size;
    return true;
  }
  void release_windows(std::size_t size) noexcept { windows_left_ += size; }

  // Each of these: nullptr or false if there is no memory even without all spare objects.
  Compressor* compressor(std::uint8_t level, std::uint8_t window_bits) noexcept;
  Bytes output(std::size_t size) noexcept;  // of deflate(); the one before it is gone
  bool take_inflater(DeflateStream& stream) noexcept;
  bool take_inflated(DeflateStream& stream) noexcept;  // memory for inflate_size_max bytes
  bool remember_received(DeflateStream& stream, ConstBytes text) noexcept;

  void return_inflater(DeflateStream& stream) noexcept;
  void return_inflated(DeflateStream& stream) noexcept;
  void trim() noexcept;

  DeflateMemory memory;
  std::size_t streams = 0;

 private:
  // Under zlib's hands a window of 8 bits is one of 9.
  static constexpr std::size_t zlib_bits_min = 9;

  template <class Attempt>
  auto try_twice(Attempt attempt) noexcept;

  std::size_t windows_left_;
  IsalCompressor* isal_ = nullptr;
  std::array<ZlibCompressor*, window_bits_max - zlib_bits_min + 1> zlib_{};
  Bytes output_{};
  // Most messages are there whole, so one is enough but for handlers that wait for other messages.
  SpareList<Inflater, 4> inflaters_;
  SpareList<std::byte, 2> inflated_;
};

}  // namespace sansock
