// Compression of messages (permessage-deflate, RFC 7692) for the connections of one thread.
//
// A compressor or decompressor of DEFLATE takes 40 to 500 KiB. Here those are the thread's; of a connection
// only the plain text that its next message may refer to is kept: nothing before its first compressed
// message, nothing without context takeover, else the last 2^bits bytes in each direction, in memory that
// grows with them. For each part that is sent the compressor is primed with that text. A decompressor is
// borrowed while a message arrives.
//
// The library holds it if it was built with zlib and ISA-L (meson option `deflate`).
#pragma once

#include <cstddef>
#include <memory>

#include "sansock/codec.h"

namespace sansock {

class DeflateCodec final : public MessageCodec {
 public:
  static constexpr std::size_t memory_max_default = std::size_t{64} << 20;

  // Takes at most `memory_max` bytes in all: for the connections, for the messages under way (40 KiB for each
  // that arrives in several pieces, 64 KiB until release()) and for what is shared. When they are used up, a
  // connection gets no compression, a message is sent as it is, or a connection whose message can not be
  // decompressed fails with codec_exhausted: which takes many messages under way at once, because a
  // connection is only let in if its windows will fit as large as they may get. May throw std::bad_alloc.
  explicit DeflateCodec(std::size_t memory_max = memory_max_default);
  DeflateCodec(const DeflateCodec&) = delete;
  DeflateCodec& operator=(const DeflateCodec&) = delete;
  // All streams must have been closed.
  ~DeflateCodec();

  CodecStream* open(Role role, const DeflateParameters& parameters,
                    const DeflateOptions& options) noexcept override;
  void close(CodecStream& stream) noexcept override;
  ConstBytes deflate(CodecStream& stream, ConstBytes payload, bool end,
                     std::size_t size_max) noexcept override;
  void deflated(CodecStream& stream, ConstBytes payload, bool end) noexcept override;
  bool deflated_elsewhere(CodecStream& stream, std::uint8_t window_bits) noexcept override;
  Inflated inflate(CodecStream& stream, ConstBytes input, bool end) noexcept override;
  void release(CodecStream& stream) noexcept override;

  // Gives back what is kept for the next message and is no connection's: for when it is quiet. What deflate()
  // returned last is gone then.
  void trim() noexcept;

  // In bytes, of everything.
  std::size_t memory_used() const noexcept;
  // Those that are open.
  std::size_t streams() const noexcept;

 private:
  class Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace sansock
