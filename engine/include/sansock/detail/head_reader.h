// Reads the head of an HTTP/1.1 message, in any pieces, into memory that it is given.
#pragma once

#include <cstdint>

#include "sansock/limits.h"

namespace sansock::detail {

enum class HeadKind : std::uint8_t { request, response };

class HeadReader {
 public:
  // Keeps at most min(memory.size(), Limits::head_bytes_max) bytes.
  HeadReader(HeadKind kind, const Limits& limits, Bytes memory) noexcept;

  // Takes bytes up to the end of the head, the byte that makes it malformed, or the limit; returns
  // how many. Takes nothing once complete() or failed. Each byte is looked at once.
  std::size_t feed(ConstBytes input) noexcept;
  // Start over with another head, in the same memory.
  void reset() noexcept;

  bool empty() const noexcept { return size_ == 0; }
  bool complete() const noexcept { return where_ == Where::end; }
  // none, head_malformed, head_too_large, headers_too_many
  errc error() const noexcept { return error_; }
  // The start line and the header lines of a complete head, without the empty line behind them.
  std::string_view text() const noexcept;
  // What is behind a complete head.
  Bytes memory_left() const noexcept { return whole_memory_.subspan(size_); }

 private:
  enum class Where : std::uint8_t {
    method_begin,
    method,
    target_begin,
    target,
    version,  // of a request
    status,   // version and status of a response
    reason,
    start_line_feed,  // a CR was read that has to be followed by LF
    line_begin,
    name,
    value,
    line_feed,
    last_line_feed,
    end,
  };

  bool step(char byte) noexcept;
  bool step_start_line(char byte) noexcept;
  bool step_pattern(char byte, std::string_view pattern) noexcept;
  bool begin_header() noexcept;
  bool go(Where where) noexcept;

  Bytes whole_memory_;
  std::size_t size_max_;
  std::size_t size_ = 0;
  std::uint16_t headers_max_;
  std::uint16_t headers_ = 0;
  HeadKind kind_;
  Where where_;
  std::uint8_t pattern_position_ = 0;
  errc error_ = errc::none;
};

}  // namespace sansock::detail
