#include "deflate_memory.h"

#include <cstdlib>
#include <cstring>

namespace sansock {
namespace {

// zlib does not say how much it gives back, so the size stands in front.
constexpr std::size_t size_room = alignof(std::max_align_t);

voidpf zlib_acquire(voidpf memory, uInt items, uInt item_size) {
  const std::size_t size = size_room + std::size_t{items} * item_size;
  std::byte* const block = static_cast<DeflateMemory*>(memory)->acquire(size);
  if (block == nullptr) return Z_NULL;
  std::memcpy(block, &size, sizeof size);
  return block + size_room;
}

void zlib_release(voidpf memory, voidpf address) {
  std::byte* const block = static_cast<std::byte*>(address) - size_room;
  std::size_t size;
  std::memcpy(&size, block, sizeof size);
  static_cast<DeflateMemory*>(memory)->release(block, size);
}

}  // namespace

std::byte* DeflateMemory::acquire(std::size_t size, std::size_t alignment) noexcept {
  if (size > bytes_max_ - used_) return nullptr;
  auto* const memory =
      static_cast<std::byte*>(std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment));
  if (memory != nullptr) used_ += size;
  return memory;
}

void DeflateMemory::release(std::byte* memory, std::size_t size) noexcept {
  if (memory == nullptr) return;
  used_ -= size;
  std::free(memory);
}

void DeflateMemory::serve(z_stream& stream) noexcept {
  stream.zalloc = zlib_acquire;
  stream.zfree = zlib_release;
  stream.opaque = this;
}

}  // namespace sansock
