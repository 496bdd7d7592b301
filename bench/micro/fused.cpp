// Unmasking and validating the payload of a text frame, as the engine does it on the way in.
#include "engine.h"
#include "sansock/kernels.h"
#include "suite.h"

namespace sansock::bench {

namespace {

// What connection_read.cpp calls for a run of text. A kernel that does both in one pass belongs here
// as soon as the engine uses it.
std::size_t unmask_and_validate(Bytes run, MaskKey key, Utf8State& state) noexcept {
  mask(run, key);
  return utf8_validate(state, run);
}

}  // namespace

void add_fused() {
  const MaskKey start = MaskKey::from_wire(reinterpret_cast<const std::byte*>(key_bytes));
  for (const Content content : {Content::ascii, Content::mixed}) {
    const std::string name = content == Content::ascii ? "fused/ascii" : "fused/mixed";
    add_over_buffers(name + "/sansock", content, [start](Buffer& buffer) {
      Utf8State state;
      benchmark::DoNotOptimize(unmask_and_validate(bytes_of(buffer), start, state));
      benchmark::DoNotOptimize(state.complete());
    });
    add_memcpy(name);
  }
}

}  // namespace sansock::bench
