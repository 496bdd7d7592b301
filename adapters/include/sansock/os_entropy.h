// Masking keys and nonces from the operating system's generator.
#pragma once

#include "sansock/memory.h"

namespace sansock {

// getrandom(2) in batches. One object serves one thread. Bytes are wiped as they are given out, and
// the batch does not survive fork(2), so that a child never repeats its parent's masking keys.
class OsEntropy final : public EntropySource {
 public:
  OsEntropy();
  OsEntropy(const OsEntropy&) = delete;
  OsEntropy& operator=(const OsEntropy&) = delete;
  ~OsEntropy();

  void fill(Bytes out) noexcept override;

 private:
  struct Batch;
  void refill() noexcept;
  Batch* batch_;
};

}  // namespace sansock
