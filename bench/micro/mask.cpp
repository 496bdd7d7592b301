// Masking (RFC 6455 section 5.3), in place and while copying.
#include "chosen_kernels.h"
#include "engine.h"
#include "sansock/kernels.h"
#include "suite.h"

namespace sansock::bench {

void add_mask() {
  const Kernels& kernels = chosen_kernels();
  const MaskKey start = MaskKey::from_wire(reinterpret_cast<const std::byte*>(key_bytes));
  add_over_buffers("mask/in_place/sansock", Content::binary, [&kernels, start](Buffer& buffer) {
    benchmark::DoNotOptimize(kernels.mask(bytes_of(buffer), start));
  });
  add_over_copies(
      "mask/copy/sansock", Content::binary, [&kernels, start](Buffer& destination, Buffer& source) {
        benchmark::DoNotOptimize(kernels.mask_copy(bytes_of(destination).data(), bytes_of(source), start));
      });
  add_memcpy("mask/in_place");
  add_memcpy("mask/copy");
}

}  // namespace sansock::bench
