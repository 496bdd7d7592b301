// The grammar of RFC 9112, read strictly: lines end in CRLF, header lines are not folded, nothing is
// repaired. What other HTTP software in front of us reads in another way is a hole (request
// smuggling), so it is an error here. A byte that cannot continue a head ends it at once.
#include "sansock/detail/head_reader.h"

#include <algorithm>
#include <cstring>

#include "assert.h"
#include "character.h"

namespace sansock::detail {

namespace {

// '#' stands for a digit.
constexpr std::string_view version_pattern = "HTTP/#.#";
constexpr std::string_view status_pattern = "HTTP/#.# ###";

}  // namespace

HeadReader::HeadReader(HeadKind kind, const Limits& limits, Bytes memory) noexcept
    : whole_memory_(memory),
      size_max_(std::min<std::size_t>(memory.size(), limits.head_bytes_max)),
      headers_max_(limits.headers_max),
      kind_(kind) {
  reset();
}

void HeadReader::reset() noexcept {
  size_ = 0;
  headers_ = 0;
  pattern_position_ = 0;
  error_ = errc::none;
  where_ = kind_ == HeadKind::request ? Where::method_begin : Where::status;
}

std::size_t HeadReader::feed(ConstBytes input) noexcept {
  if (complete() || error_ != errc::none) return 0;
  const std::string_view window = as_text(input.first(std::min(input.size(), size_max_ - size_)));
  std::size_t taken = 0;
  while (taken < window.size() && !complete()) {
    if (!step(window[taken++])) {
      if (error_ == errc::none) error_ = errc::head_malformed;
      return taken;
    }
  }
  if (taken > 0) std::memcpy(whole_memory_.data() + size_, window.data(), taken);
  size_ += taken;
  // No further byte has room, so the head cannot become complete.
  if (!complete() && size_ == size_max_) error_ = errc::head_too_large;
  return taken;
}

std::string_view HeadReader::text() const noexcept {
  SANSOCK_ASSERT(complete());
  return as_text(whole_memory_.first(size_ - 2));
}

bool HeadReader::go(Where where) noexcept {
  where_ = where;
  return true;
}

bool HeadReader::step(char byte) noexcept {
  switch (where_) {
    case Where::start_line_feed:
    case Where::line_feed: return byte == '\n' && go(Where::line_begin);
    case Where::line_begin:
      if (byte == '\r') return go(Where::last_line_feed);
      // Also refuses a line that begins with a space: obs-fold (RFC 9112 section 5.2).
      return is_char(byte, char_token) && begin_header();
    case Where::name:
      // RFC 9112 section 5.1: no white space between the name and the colon.
      return byte == ':' ? go(Where::value) : is_char(byte, char_token);
    case Where::value: return byte == '\r' ? go(Where::line_feed) : is_char(byte, char_value);
    case Where::last_line_feed: return byte == '\n' && go(Where::end);
    default: return step_start_line(byte);
  }
}

// request-line = method SP request-target SP HTTP-version
// status-line = HTTP-version SP status-code SP [ reason-phrase ], of which some leave out the last
// space if there is no phrase.
bool HeadReader::step_start_line(char byte) noexcept {
  switch (where_) {
    case Where::method_begin: return is_char(byte, char_token) && go(Where::method);
    case Where::method: return byte == ' ' ? go(Where::target_begin) : is_char(byte, char_token);
    // Bytes over 0x7F are no control characters, so the line is whole; that the target is not valid
    // is found where it is looked at.
    case Where::target_begin:
      return byte != ' ' && byte != '\t' && is_char(byte, char_value) && go(Where::target);
    case Where::target: return byte == ' ' ? go(Where::version) : byte != '\t' && is_char(byte, char_value);
    case Where::version: return step_pattern(byte, version_pattern);
    case Where::status:
      if (pattern_position_ == status_pattern.size() && byte == ' ') return go(Where::reason);
      return step_pattern(byte, status_pattern);
    case Where::reason: return byte == '\r' ? go(Where::start_line_feed) : is_char(byte, char_value);
    default: return false;
  }
}

bool HeadReader::step_pattern(char byte, std::string_view pattern) noexcept {
  if (pattern_position_ == pattern.size()) return byte == '\r' && go(Where::start_line_feed);
  const char wanted = pattern[pattern_position_++];
  return wanted == '#' ? is_digit(static_cast<unsigned char>(byte)) : byte == wanted;
}

bool HeadReader::begin_header() noexcept {
  if (headers_ == headers_max_) {
    error_ = errc::headers_too_many;
    return false;
  }
  ++headers_;
  return go(Where::name);
}

}  // namespace sansock::detail
