// The codec of the servers, or of the clients, in seeds that compress.
#pragma once

#include <string>

#ifdef SANSOCK_WITH_DEFLATE
#include "sansock/deflate_codec.h"
#endif
#include "sansock/codec.h"

namespace sansock::sim {

#ifdef SANSOCK_WITH_DEFLATE

class HostCodec {
 public:
  MessageCodec* get() noexcept { return &codec_; }
  // What is still there when all connections have ended; empty if nothing is.
  std::string left() {
    codec_.trim();
    if (codec_.streams() != 0) return std::to_string(codec_.streams()) + " streams of the codec are open";
    const std::size_t more = codec_.memory_used() - used_at_first_;
    return more == 0 ? "" : std::to_string(more) + " bytes of the codec have not come back";
  }

 private:
  DeflateCodec codec_;
  std::size_t used_at_first_ = codec_.memory_used();
};

#else

// It is not built in: all seeds go without.
class HostCodec {
 public:
  MessageCodec* get() noexcept { return nullptr; }
  std::string left() { return ""; }
};

#endif

}  // namespace sansock::sim
