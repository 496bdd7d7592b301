// Validation of UTF-8 (RFC 3629), of a whole text in one run.
#include "chosen_kernels.h"
#include "engine.h"
#include "sansock/kernels.h"
#include "suite.h"

namespace sansock::bench {

void add_utf8() {
  const Kernels& kernels = chosen_kernels();
  for (const Content content : {Content::ascii, Content::mixed}) {
    const std::string name = content == Content::ascii ? "utf8/ascii" : "utf8/mixed";
    add_over_buffers(name + "/sansock", content, [&kernels](Buffer& buffer) {
      Utf8State state;
      benchmark::DoNotOptimize(kernels.utf8_validate(state, bytes_of(buffer)));
      benchmark::DoNotOptimize(state.complete());
    });
    add_memcpy(name);
  }
}

}  // namespace sansock::bench
