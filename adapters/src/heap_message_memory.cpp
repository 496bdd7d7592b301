#include "sansock/heap_message_memory.h"

#include <cstdlib>

namespace sansock {

Bytes HeapMessageMemory::resize(Bytes old, std::size_t /*size_used*/, std::size_t size_wanted) noexcept {
  if (size_wanted > bytes_max_ - (in_use_ - old.size())) return {};
  // realloc moves large blocks by remapping their pages, without copying.
  auto* const memory = static_cast<std::byte*>(std::realloc(old.data(), size_wanted));
  if (memory == nullptr) return {};
  in_use_ += size_wanted - old.size();
  return {memory, size_wanted};
}

void HeapMessageMemory::release(Bytes memory) noexcept {
  in_use_ -= memory.size();
  std::free(memory.data());
}

}  // namespace sansock
