// A decompressor of the thread's: lent to a connection while one of its messages arrives.
#pragma once

#include <array>

#include "deflate_memory.h"
#include "sansock/error.h"
#include "sansock/types.h"

namespace sansock {

class Inflater {
 public:
  // nullptr: no memory.
  static Inflater* open(DeflateMemory& memory) noexcept;
  static void close(DeflateMemory& memory, Inflater* inflater) noexcept;
  // For open(), and for close() through DeflateMemory.
  explicit Inflater(DeflateMemory& memory) noexcept;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  // A message that may refer to `history`: two runs of text, the older first.
  void begin(const std::array<ConstBytes, 2>& history) noexcept;

  struct Step {
    std::size_t consumed = 0;
    std::size_t made = 0;
    bool more = false;
    errc error = errc::none;
  };
  // Goes on as MessageCodec::inflate() says, into `output`, which is not empty.
  Step run(ConstBytes input, bool end, Bytes output) noexcept;

 private:
  errc decode() noexcept;
  errc decode_tail() noexcept;

  z_stream stream_{};
  bool ready_ = false;
  bool final_block_ended_ = false;  // and nothing came after it
  std::uint8_t tail_used_ = 0;
};

}  // namespace sansock
