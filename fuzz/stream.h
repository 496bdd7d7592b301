// Frames out of a fuzzer's bytes: most are legal where they stand, so that an execution comes far;
// some break one rule. A piece is a byte whose low four bits choose its kind (in the order of the
// enumeration, modulo its size) and whose 0x10 takes FIN away; what follows depends on the kind.
#pragma once

#include "input.h"

namespace sansock::fuzz {

class FrameStream {
 public:
  explicit FrameStream(Role receiver) : receiver_(receiver), peer_(receiver) {}

  Data next(Input& input);

 private:
  enum class Kind : std::uint8_t {
    text,       // a run; a continuation inside a message
    binary,     // the same
    ping,       // a run
    pong,       // a run
    close,      // two bytes of code, a run as its reason
    close_raw,  // a run as its payload
    any,        // a byte of RSV and opcode, one of form and mask, a run
    raw,        // a run of bytes as they are
    lie,        // a byte that chooses an announced length, one of form
    character,  // a byte that chooses a text around the edges of UTF-8
    large,      // a byte that chooses a size, one that fills it
    count_,
  };

  Data data(unsigned opcode, const Data& payload, bool fin);
  Data any(Input& input, bool fin);
  Data lie(Input& input, bool fin);

  Role receiver_;
  testing::Peer peer_;
  bool in_message_ = false;
};

// All pieces of what is left of `input`, in a row; `raw`: the bytes themselves.
Data stream_of(Input& input, Role receiver, bool raw);

// Lengths of the reads in which a stream comes: a byte of count, then two bytes each. The end of a
// stream that they do not reach comes in one.
std::vector<std::size_t> read_cuts(Input& input);

}  // namespace sansock::fuzz
