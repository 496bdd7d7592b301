// The last bytes of the messages in one direction: what DEFLATE data of the next one may refer to
// (RFC 7692 section 7.2.3.2).
#pragma once

#include <array>
#include <cstdint>

#include "deflate_memory.h"
#include "sansock/types.h"

namespace sansock {

class TextWindow {
 public:
  // Keeps at most `size_max` bytes, a power of two, or 0.
  explicit TextWindow(std::size_t size_max) noexcept : size_max_(static_cast<std::uint32_t>(size_max)) {}
  TextWindow(const TextWindow&) = delete;
  TextWindow& operator=(const TextWindow&) = delete;

  // false: there is no memory for it; nothing has changed then.
  bool append(DeflateMemory& memory, ConstBytes text) noexcept;
  // Without memory, keeps fewer of the last bytes.
  void append_or_shorten(DeflateMemory& memory, ConstBytes text) noexcept;
  // Must be called before it is destroyed.
  void clear(DeflateMemory& memory) noexcept;

  // In their order; each may be empty.
  std::array<ConstBytes, 2> segments() const noexcept;
  std::size_t size() const noexcept { return size_; }
  std::size_t size_max() const noexcept { return size_max_; }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  bool grow(DeflateMemory& memory, std::size_t size_wanted) noexcept;
  void put(ConstBytes text) noexcept;

  // A ring: sliding 32 KiB along for each short message would cost as much as to decompress it.
  std::byte* ring_ = nullptr;
  std::uint32_t size_max_;
  std::uint32_t capacity_ = 0;
  std::uint32_t begin_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace sansock
