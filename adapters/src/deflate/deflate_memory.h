// All memory of a DeflateCodec: from the heap, counted, and never more than was allowed.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <new>
#include <utility>

namespace sansock {

class DeflateMemory {
 public:
  explicit DeflateMemory(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}
  DeflateMemory(const DeflateMemory&) = delete;
  DeflateMemory& operator=(const DeflateMemory&) = delete;

  // nullptr: it would be too much, or the heap has none.
  std::byte* acquire(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) noexcept;
  // With the size that was asked for.
  void release(std::byte* memory, std::size_t size) noexcept;
  std::size_t used() const noexcept { return used_; }

  template <class T, class... Arguments>
  T* make(Arguments&&... arguments) noexcept {
    std::byte* const memory = acquire(sizeof(T), alignof(T));
    return memory == nullptr ? nullptr : new (memory) T(std::forward<Arguments>(arguments)...);
  }
  template <class T>
  void destroy(T* object) noexcept {
    if (object == nullptr) return;
    object->~T();
    release(reinterpret_cast<std::byte*>(object), sizeof(T));
  }

  // Lets zlib take what it needs from here.
  void serve(z_stream& stream) noexcept;

 private:
  std::size_t bytes_max_;
  std::size_t used_ = 0;
};

}  // namespace sansock
