// DEFLATE by zlib, as messages are compressed (RFC 7692 section 7.2): each ends with an empty stored
// block, of which the last four bytes are not sent.
#pragma once

#include <zlib.h>

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace load {

class Deflater {
 public:
  explicit Deflater(int window_bits);
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  // The payload of the next message, which may refer to those before it.
  std::string compress(std::string_view payload);
  // The next message refers to nothing before it, so that it is valid after anything.
  void forget() noexcept { deflateReset(&stream_); }

 private:
  z_stream stream_{};
};

class Inflater {
 public:
  // The largest window reads what was made with any smaller one.
  explicit Inflater(int window_bits = MAX_WBITS);
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  // Input, which has to stay where it is until next() gave all that it decodes to.
  void give(std::span<const char> input) noexcept;
  // What the sender left out at the end of a message.
  void give_end() noexcept;
  // The next bytes, until the next call; empty if there are no more. Throws std::runtime_error.
  std::span<const char> next();
  // The next message refers to nothing before it.
  void forget() noexcept { inflateReset(&stream_); }

 private:
  z_stream stream_{};
  std::array<char, 16384> output_;
};

}  // namespace load
