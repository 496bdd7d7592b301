// permessage-deflate (RFC 7692) with zlib: what the kit compresses with, and what it opens echoes with.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace conform {

inline constexpr int window_bits_max = 15;

// One direction, compressing: level 6, memory level 8.
class Deflater {
 public:
  Deflater(int window_bits, bool context_takeover);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // A message's payload as it goes into frames, without the final 00 00 FF FF (section 7.2.1).
  std::string message(std::string_view payload);

 private:
  z_stream stream_{};
  bool context_takeover_;
};

// One direction, decompressing.
class Inflater {
 public:
  Inflater(int window_bits, bool context_takeover);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // The payload of a whole message, as it came. Empty: it is not valid, or larger than `size_max`.
  std::optional<std::string> message(std::string_view compressed, std::size_t size_max);

 private:
  bool inflate_all(std::string_view input, std::string& output, std::size_t size_max);

  z_stream stream_{};
  bool context_takeover_;
  // zlib allows distances into the window and into what one call writes; so a call writes little, or a
  // testee that compresses with a larger window than was agreed would not be noticed.
  std::string piece_;
};

}  // namespace conform
