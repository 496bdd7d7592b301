// Compression of messages, as the engine sees it: permessage-deflate (RFC 7692) behind an interface, so that
// the engine itself needs no library and no memory.
//
// A codec serves the connections of one thread. What one connection needs between its messages is a
// CodecStream of that codec: opened when the opening handshake has agreed on parameters, closed with the
// connection. All calls are for one thread; no call blocks or throws.
#pragma once

#include <cstddef>

#include "sansock/deflate.h"
#include "sansock/error.h"
#include "sansock/types.h"

namespace sansock {

// The state of one connection, the codec's own.
class CodecStream {
 protected:
  CodecStream() = default;
  ~CodecStream() = default;

 private:
  // The connection's, of the message that it receives.
  friend class Connection;
  std::uint64_t inflated_size_ = 0;  // bytes made of it so far
  errc error_ = errc::none;          // what ends it when those are handed out
};

class MessageCodec {
 public:
  // nullptr: no memory; the connection then goes without compression. `options` is looked at during the
  // call only.
  virtual CodecStream* open(Role role, const DeflateParameters& parameters,
                            const DeflateOptions& options) noexcept = 0;
  // Whatever state it is in.
  virtual void close(CodecStream& stream) noexcept = 0;

  // --- sending ----------------------------------------------------------------------------------
  // Compresses the next part of a message; the first part after the end of the last message begins one. The
  // result is the payload of a frame: of the last part without the four bytes 00 00 FF FF (RFC 7692 section
  // 7.2.1), and never empty then. It is valid until the next call of the codec.
  // A view without data: it would have more than `size_max` bytes, or there is no memory. Then, as without
  // the next call, nothing has changed: the part counts as never seen.
  virtual ConstBytes deflate(CodecStream& stream, ConstBytes payload, bool end,
                             std::size_t size_max) noexcept = 0;
  // What deflate() has just made of `payload` was queued, so the peer's window will hold it.
  virtual void deflated(CodecStream& stream, ConstBytes payload, bool end) noexcept = 0;
  // A message that was compressed without those before it, with a window of at most `window_bits` bits, is to
  // be queued. false: the agreed window is smaller, or a message sent in parts is under way; otherwise what
  // follows refers to nothing before it.
  virtual bool deflated_elsewhere(CodecStream& stream, std::uint8_t window_bits) noexcept = 0;

  // --- receiving --------------------------------------------------------------------------------
  struct Inflated {
    Bytes bytes = {};  // what was made; valid until the next inflate(), release() or close() of the stream
    std::size_t consumed = 0;  // so much of the input
    // There may be more to be made, of the rest of the input, which may be empty: call again with that.
    bool more = false;
    // compressed_data_invalid (also data that refers to more than there is), compressed_data_truncated (the
    // message's end is not where a block ends), codec_exhausted (no memory). What was made before it is in
    // `bytes`. The stream is then only good for close().
    errc error = errc::none;
  };
  // Decompresses the next bytes of a message. Keeps no view of them. `end`: they are its last ones; then the
  // message is complete when there is no `more`. Does a bounded piece of work, makes at most inflate_size_max
  // bytes.
  virtual Inflated inflate(CodecStream& stream, ConstBytes input, bool end) noexcept = 0;
  // Inflated::bytes is no longer looked at.
  virtual void release(CodecStream& stream) noexcept = 0;

  static constexpr std::size_t inflate_size_max = 64u << 10;

 protected:
  ~MessageCodec() = default;
};

}  // namespace sansock
