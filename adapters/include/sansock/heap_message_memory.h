// Memory for partly arrived messages, from the heap, with a bound over all of a thread's.
#pragma once

#include "sansock/memory.h"

namespace sansock {

class HeapMessageMemory final : public MessageMemory {
 public:
  explicit HeapMessageMemory(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

  Bytes resize(Bytes old, std::size_t size_used, std::size_t size_wanted) noexcept override;
  void release(Bytes memory) noexcept override;
  std::size_t in_use() const noexcept { return in_use_; }

 private:
  std::size_t bytes_max_;
  std::size_t in_use_ = 0;
};

}  // namespace sansock
