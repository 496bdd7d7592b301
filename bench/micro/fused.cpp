// Unmasking and validating the payload of a text frame, as the engine does it on the way in.
#include "chosen_kernels.h"
#include "engine.h"
#include "sansock/kernels.h"
#include "suite.h"

namespace sansock::bench {

void add_fused() {
  const Kernels& kernels = chosen_kernels();
  for (const Content content : {Content::ascii, Content::mixed}) {
    const std::string name = content == Content::ascii ? "fused/ascii" : "fused/mixed";
    add_over_buffers(name + "/sansock", content, [&kernels](Buffer& buffer) {
      // Of zeros, so that the text is a text the next time too.
      MaskKey key;
      Utf8State state;
      benchmark::DoNotOptimize(kernels.unmask_validate(bytes_of(buffer), key, state));
      benchmark::DoNotOptimize(state.complete());
    });
    add_memcpy(name);
  }
}

}  // namespace sansock::bench
