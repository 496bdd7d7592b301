// Masking (RFC 6455 section 5.3), in place and while copying.
#include "engine.h"
#include "sansock/kernels.h"
#include "suite.h"

namespace sansock::bench {

void add_mask() {
  const MaskKey start = MaskKey::from_wire(reinterpret_cast<const std::byte*>(key_bytes));
  add_over_buffers("mask/in_place/sansock", Content::binary,
                   [start](Buffer& buffer) { benchmark::DoNotOptimize(mask(bytes_of(buffer), start)); });
  add_over_copies("mask/copy/sansock", Content::binary, [start](Buffer& destination, Buffer& source) {
    benchmark::DoNotOptimize(mask_copy(bytes_of(destination).data(), bytes_of(source), start));
  });
  add_memcpy("mask/in_place");
  add_memcpy("mask/copy");
}

}  // namespace sansock::bench
