#include "model.h"

namespace sansock::testing {

namespace {

struct Range {
  std::uint8_t low, high;
};

// The syntax of UTF-8, RFC 3629 section 4, line by line.
const std::vector<std::vector<Range>> utf8_syntax = {
    {{0x00, 0x7F}},
    {{0xC2, 0xDF}, {0x80, 0xBF}},
    {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
    {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
    {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}},
};

bool starts_like(const Data& bytes, const std::vector<Range>& line) {
  if (bytes.size() > line.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] < line[i].low || bytes[i] > line[i].high) return false;
  }
  return true;
}

}  // namespace

bool utf8_is_prefix(const Data& bytes) {
  for (const auto& line : utf8_syntax) {
    if (starts_like(bytes, line)) return true;
  }
  return false;
}

bool utf8_is_character(const Data& bytes) {
  for (const auto& line : utf8_syntax) {
    if (bytes.size() == line.size() && starts_like(bytes, line)) return true;
  }
  return false;
}

bool utf8_is_text(const Data& bytes) {
  Data character;
  for (const std::uint8_t byte : bytes) {
    character.push_back(byte);
    if (!utf8_is_prefix(character)) return false;
    if (utf8_is_character(character)) character.clear();
  }
  return character.empty();
}

unsigned model_close_code(errc cause) {
  switch (cause) {
    case errc::utf8_invalid:
    case errc::utf8_invalid_in_reason: return 1007;
    case errc::frame_too_big:
    case errc::message_too_big: return 1009;
    case errc::fragments_too_many:
    case errc::fragments_empty_too_many:
    case errc::control_flood: return 1008;
    default: return 1002;
  }
}

void Model::feed_byte(std::uint8_t byte) {
  if (ended_) return;
  if (in_payload_) {
    payload_byte(byte);
  } else {
    header_.push_back(byte);
    header_byte();
  }
}

void Model::header_byte() {
  const std::size_t size = header_.size();
  if (size == 1) return check_first();
  if (size == 2) check_second();
  if (ended_) return;
  const unsigned form = header_[1] & 127;
  if (form == 127 && size == 3 && (header_[2] & 0x80) != 0) return fail(errc::length_top_bit);
  const std::size_t length_end = form == 127 ? 10 : form == 126 ? 4 : 2;
  if (size < length_end) return;
  if (size == length_end) check_length();
  if (ended_) return;
  const bool masked = (header_[1] & 0x80) != 0;
  if (size < length_end + (masked ? 4u : 0u)) return;
  key_ = masked ? Data(header_.end() - 4, header_.end()) : Data{0, 0, 0, 0};
  in_payload_ = true;
  received_ = 0;
  control_payload_.clear();
  if (!control()) {
    if (first_of_message()) {
      in_message_ = true;
      begun_ = false;
      type_ = static_cast<MessageType>(header_[0] & 15);
      message_size_ = frames_ = frames_empty_ = 0;
      character_.clear();
    }
    message_size_ += length_;
    ++frames_;
    if (length_ == 0) ++frames_empty_;
  }
  if (length_ == 0) payload_complete();
}

// RFC 6455 sections 5.2, 5.4 and 5.5.
void Model::check_first() {
  const unsigned byte = header_[0];
  const unsigned opcode = byte & 15;
  const bool fin = (byte & 0x80) != 0;
  if ((byte & 0x30) != 0) return fail(errc::rsv23_unexpected);
  if ((byte & 0x40) != 0) return fail(errc::rsv1_unexpected);
  if ((opcode >= 3 && opcode <= 7) || opcode >= 11) return fail(errc::opcode_reserved);
  if (opcode == op_continuation && !in_message_) return fail(errc::continuation_unexpected);
  if ((opcode == op_text || opcode == op_binary) && in_message_) return fail(errc::continuation_expected);
  if (opcode >= 8 && !fin) return fail(errc::control_fragmented);
}

// RFC 6455 sections 5.1, 5.5 and 5.5.1.
void Model::check_second() {
  const bool masked = (header_[1] & 0x80) != 0;
  const unsigned form = header_[1] & 127;
  if (role_ == Role::server && !masked) return fail(errc::mask_missing);
  if (role_ == Role::client && masked) return fail(errc::mask_unexpected);
  if (control() && form > 125) return fail(errc::control_too_long);
  if ((header_[0] & 15) == op_close && form == 1) return fail(errc::close_payload_too_short);
}

void Model::check_length() {
  const unsigned form = header_[1] & 127;
  length_ = form < 126 ? form : 0;
  for (std::size_t i = 2; i < header_.size(); ++i) length_ = length_ << 8 | header_[i];
  if (form == 126 && length_ <= 125) return fail(errc::length_not_minimal);
  if (form == 127 && length_ <= 0xFFFF) return fail(errc::length_not_minimal);
  if (control()) return;
  if (length_ > limits_.frame_payload_max) return fail(errc::frame_too_big);
  const bool first = first_of_message();
  if (length_ > limits_.message_payload_max - (first ? 0 : message_size_)) return fail(errc::message_too_big);
  if ((first ? 0 : frames_) == limits_.message_fragments_max) return fail(errc::fragments_too_many);
  if (length_ == 0 && (first ? 0 : frames_empty_) == limits_.message_fragments_empty_max) {
    return fail(errc::fragments_empty_too_many);
  }
}

void Model::payload_byte(std::uint8_t masked) {
  const auto byte = static_cast<std::uint8_t>(masked ^ key_[received_ % 4]);
  ++received_;
  const bool last = received_ == length_;
  if (control()) {
    control_payload_.push_back(byte);
  } else {
    if (type_ == MessageType::text && !text_byte(byte)) return fail(errc::utf8_invalid);
    // The end of a message is told only when all of it is known to be good.
    const bool fin = (header_[0] & 0x80) != 0;
    const bool end = last && fin && (type_ != MessageType::text || character_.empty());
    events_.data(type_, !begun_, end, {byte});
    begun_ = true;
  }
  if (last) payload_complete();
}

bool Model::text_byte(std::uint8_t byte) {
  character_.push_back(byte);
  if (!utf8_is_prefix(character_)) return false;
  if (utf8_is_character(character_)) character_.clear();
  return true;
}

void Model::payload_complete() {
  in_payload_ = false;
  if (control()) {
    control_complete();
  } else if ((header_[0] & 0x80) != 0) {
    if (type_ == MessageType::text && !character_.empty()) return fail(errc::utf8_invalid);
    if (length_ == 0) events_.data(type_, !begun_, true, {});
    in_message_ = false;
  }
  header_.clear();
}

void Model::control_complete() {
  const unsigned opcode = header_[0] & 15;
  if (opcode == op_close) return close_complete();
  if (++control_frames_ > limits_.control_frames_per_second_max) return fail(errc::control_flood);
  events_.control(opcode == op_ping ? EventKind::ping : EventKind::pong, control_payload_);
  if (opcode == op_ping) sent_.push_back("pong " + quote(control_payload_));
}

// RFC 6455 sections 5.5.1, 7.4.1 and 7.4.2.
void Model::close_complete() {
  if (control_payload_.empty()) {
    close_code_ = 1005;
    sent_.push_back("close");
  } else {
    const unsigned code = static_cast<unsigned>(control_payload_[0] << 8 | control_payload_[1]);
    const bool registered = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
    if (!registered && (code < 3000 || code > 4999)) return fail(errc::close_code_invalid);
    if (!utf8_is_text(Data(control_payload_.begin() + 2, control_payload_.end()))) {
      return fail(errc::utf8_invalid_in_reason);
    }
    close_code_ = code;
    sent_.push_back("close " + std::to_string(code));
    control_payload_.erase(control_payload_.begin(), control_payload_.begin() + 2);
  }
  close_seen_ = true;
  ended_ = true;
  events_.peer_close(close_code_, control_payload_);
}

void Model::fail(errc cause) {
  failure_ = cause;
  ended_ = true;
  sent_.push_back("close " + std::to_string(model_close_code(cause)));
}

void Model::eof() {
  if (close_seen_) {
    events_.closed(true, close_code_, errc::none);
  } else if (failure_ != errc::none) {
    events_.closed(false, 1006, failure_);
  } else {
    const bool inside = !header_.empty() || in_payload_ || in_message_;
    events_.closed(false, 1006, inside ? errc::eof_in_frame : errc::eof);
  }
  ended_ = true;
}

std::string Model::transcript() const {
  std::string text = events_.text();
  for (const std::string& line : sent_) text += "> " + line + "\n";
  return text;
}

}  // namespace sansock::testing
