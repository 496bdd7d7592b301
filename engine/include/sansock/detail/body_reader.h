// Reads the body of an HTTP/1.1 response (RFC 9112 section 6) and keeps the beginning of it: enough
// to tell why a server refused, and where its answer ends.
#pragma once

#include <cstdint>

#include "sansock/types.h"

namespace sansock::detail {

enum class BodyFraming : std::uint8_t {
  length,     // Content-Length, or no body at all
  chunked,    // Transfer-Encoding: chunked; kept without the chunks' framing
  until_eof,  // neither
};

class BodyReader {
 public:
  // `length` matters for BodyFraming::length. Kept are the first memory.size() bytes.
  void begin(BodyFraming framing, std::uint64_t length, Bytes memory) noexcept;
  // Takes bytes up to the end of the body, or until the kept part is full; returns how many.
  std::size_t feed(ConstBytes input) noexcept;
  // Nothing more is to be read: the body has ended, or the kept part is full, or chunks are broken.
  bool complete() const noexcept { return ended_ || kept_size_ == memory_.size(); }
  std::string_view kept() const noexcept { return as_text(memory_.first(kept_size_)); }

 private:
  enum class Where : std::uint8_t {
    data,
    size_begin,
    size,
    extension,
    size_line_feed,
    data_end,
    data_line_feed,
    trailer_begin,
    trailer,
    trailer_line_feed,
    last_line_feed,
  };

  void take_data(ConstBytes data) noexcept;
  bool step(char byte) noexcept;
  bool step_size(char byte) noexcept;
  bool step_trailer(char byte) noexcept;
  bool go(Where where) noexcept;

  Bytes memory_;
  std::size_t kept_size_ = 0;
  std::uint64_t left_ = 0;          // of the body, or of the chunk
  std::uint32_t framing_size_ = 0;  // bytes that were not data; bounded too
  BodyFraming framing_ = BodyFraming::length;
  Where where_ = Where::data;
  bool ended_ = false;
};

}  // namespace sansock::detail
