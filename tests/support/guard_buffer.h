// Input memory between two pages that must not be touched: reading or writing one byte too far, on
// either side, ends the test at once.
#pragma once

#include "frames.h"

namespace sansock::testing {

class GuardBuffer {
 public:
  explicit GuardBuffer(std::size_t size);
  GuardBuffer(const GuardBuffer&) = delete;
  GuardBuffer& operator=(const GuardBuffer&) = delete;
  ~GuardBuffer();

  std::size_t size() const { return size_; }
  // A copy of `data` that ends at the page behind, or that starts at the page before.
  Bytes put_last(const Data& data);
  Bytes put_first(const Data& data);

 private:
  std::size_t size_;
  std::size_t mapped_;
  std::byte* base_;
};

}  // namespace sansock::testing
