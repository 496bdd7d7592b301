#include "sansock/detail/body_reader.h"

#include <algorithm>
#include <cstring>

#include "character.h"

namespace sansock::detail {

namespace {

constexpr std::uint32_t framing_size_max = 64 << 10;
constexpr std::uint64_t chunk_size_max = std::uint64_t{1} << 59;

}  // namespace

void BodyReader::begin(BodyFraming framing, std::uint64_t length, Bytes memory) noexcept {
  *this = BodyReader();
  memory_ = memory;
  framing_ = framing;
  left_ = length;
  where_ = framing == BodyFraming::chunked ? Where::size_begin : Where::data;
  ended_ = framing == BodyFraming::length && length == 0;
}

std::size_t BodyReader::feed(ConstBytes input) noexcept {
  std::size_t taken = 0;
  while (taken < input.size() && !complete()) {
    if (where_ != Where::data) {
      ended_ = ++framing_size_ > framing_size_max || !step(as_text(input)[taken]) || ended_;
      ++taken;
      continue;
    }
    std::uint64_t size = std::min<std::uint64_t>(input.size() - taken, memory_.size() - kept_size_);
    if (framing_ != BodyFraming::until_eof) size = std::min(size, left_);
    take_data(input.subspan(taken, static_cast<std::size_t>(size)));
    taken += static_cast<std::size_t>(size);
  }
  return taken;
}

void BodyReader::take_data(ConstBytes data) noexcept {
  std::memcpy(memory_.data() + kept_size_, data.data(), data.size());
  kept_size_ += data.size();
  if (framing_ == BodyFraming::until_eof) return;
  left_ -= data.size();
  if (left_ > 0) return;
  if (framing_ == BodyFraming::chunked) {
    where_ = Where::data_end;
  } else {
    ended_ = true;
  }
}

bool BodyReader::go(Where where) noexcept {
  where_ = where;
  return true;
}

// RFC 9112 section 7.1. false: this is no chunked body; what was kept so far is all there is.
bool BodyReader::step(char byte) noexcept {
  switch (where_) {
    case Where::data_end: return byte == '\r' && go(Where::data_line_feed);
    case Where::data_line_feed: return byte == '\n' && go(Where::size_begin);
    case Where::size_begin:
    case Where::size:
    case Where::extension:
    case Where::size_line_feed: return step_size(byte);
    default: return step_trailer(byte);
  }
}

bool BodyReader::step_size(char byte) noexcept {
  if (where_ == Where::size_line_feed)
    return byte == '\n' && go(left_ == 0 ? Where::trailer_begin : Where::data);
  if (where_ == Where::extension) return byte == '\r' ? go(Where::size_line_feed) : is_char(byte, char_value);
  if (is_char(byte, char_hex_digit)) {
    if (where_ == Where::size_begin) left_ = 0;
    const int value = is_digit(static_cast<unsigned char>(byte)) ? byte - '0' : to_lower(byte) - 'a' + 10;
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    return left_ <= chunk_size_max && go(Where::size);
  }
  if (where_ == Where::size_begin) return false;
  if (byte == '\r') return go(Where::size_line_feed);
  return (byte == ';' || byte == ' ' || byte == '\t') && go(Where::extension);
}

bool BodyReader::step_trailer(char byte) noexcept {
  switch (where_) {
    case Where::trailer_begin:
      return byte == '\r' ? go(Where::last_line_feed) : is_char(byte, char_token) && go(Where::trailer);
    case Where::trailer: return byte == '\r' ? go(Where::trailer_line_feed) : is_char(byte, char_value);
    case Where::trailer_line_feed: return byte == '\n' && go(Where::trailer_begin);
    case Where::last_line_feed: ended_ = true; return byte == '\n';
    default: return false;
  }
}

}  // namespace sansock::detail
