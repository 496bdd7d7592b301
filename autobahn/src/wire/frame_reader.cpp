#include "wire/frame_reader.h"

#include <algorithm>
#include <utility>

namespace conform {
namespace {

constexpr std::size_t log_octets = 256;

std::size_t header_size(std::string_view octets) {
  const unsigned length = static_cast<unsigned char>(octets[1]) & 0x7Fu;
  const std::size_t masking = static_cast<unsigned char>(octets[1]) & 0x80u ? 4 : 0;
  return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + masking;
}

FrameHeader decode(std::string_view octets) {
  const auto at = [octets](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(octets[i]));
  };
  FrameHeader header;
  header.fin = (at(0) & 0x80) != 0;
  header.rsv = static_cast<unsigned>(at(0) >> 4 & 7);
  header.opcode = static_cast<unsigned>(at(0) & 15);
  header.masked = (at(1) & 0x80) != 0;
  header.length = at(1) & 0x7F;
  std::size_t next = 2;
  if (header.length >= 126) {
    const std::size_t end = next + (header.length == 126 ? 2 : 8);
    header.length = 0;
    for (; next < end; ++next) header.length = header.length << 8 | at(next);
  }
  for (std::size_t i = 0; header.masked && i < 4; ++i)
    header.key[i] = static_cast<std::uint8_t>(at(next + i));
  return header;
}

}  // namespace

bool close_code_allowed(unsigned code) {
  if (code >= 3000) return code < 5000;
  static constexpr unsigned defined[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011};
  return std::find(std::begin(defined), std::end(defined), code) != std::end(defined);
}

std::optional<Violation> FrameReader::feed(std::string_view octets) {
  while (!closed_) {
    std::optional<Violation> violation;
    if (!in_payload_) {
      if (octets.empty()) break;
      violation = take_header(octets);
    } else {
      if (octets.empty() && payload_taken_ != frame_.length) break;
      violation = take_payload(octets);
    }
    if (violation) return violation;
  }
  return std::nullopt;
}

std::optional<Violation> FrameReader::take_header(std::string_view& octets) {
  if (header_octets_.size() >= 2 && header_octets_.size() == header_size(header_octets_))
    header_octets_.clear();
  while (!octets.empty()) {
    header_octets_.push_back(octets.front());
    octets.remove_prefix(1);
    if (header_octets_.size() >= 2 && header_octets_.size() == header_size(header_octets_)) {
      frame_ = decode(header_octets_);
      if (header_octets_.size() != encode_header(frame_).size()) {
        sink_.on_frame(frame_, header_octets_, {});
        return Violation{1002, "the length is not in its shortest form"};
      }
      return begin_frame();
    }
  }
  return std::nullopt;
}

std::optional<Violation> FrameReader::check_header() const {
  const unsigned code = frame_.opcode;
  // RSV1 belongs to permessage-deflate, on the first frame of a data message (RFC 7692 section 6).
  const bool rsv1_allowed = inflater_ != nullptr && (code == opcode::text || code == opcode::binary);
  if ((frame_.rsv & (rsv1_allowed ? 3u : 7u)) != 0) return Violation{1002, "reserved bits are set"};
  if ((code > opcode::binary && code < opcode::close) || code > opcode::pong) {
    return Violation{1002, "a reserved opcode: " + std::to_string(code)};
  }
  if (frame_.masked != masked_) {
    return Violation{1002, masked_ ? "a frame of a client is not masked" : "a frame of a server is masked"};
  }
  if (is_control(code)) {
    if (!frame_.fin) return Violation{1002, "a control frame is fragmented"};
    if (frame_.length > 125) return Violation{1002, "a control frame has more than 125 octets"};
  } else if ((code == opcode::continuation) != in_message_) {
    return Violation{1002,
                     in_message_ ? "a new message begins inside another" : "a continuation of no message"};
  }
  if (frame_.length > message_size_max || message_.size() + frame_.length > message_size_max) {
    return Violation{1009, "a message of more than 64 MiB"};
  }
  return std::nullopt;
}

std::optional<Violation> FrameReader::begin_frame() {
  if (auto violation = check_header()) {
    sink_.on_frame(frame_, header_octets_, {});
    return violation;
  }
  in_payload_ = true;
  payload_taken_ = 0;
  payload_start_.clear();
  control_.clear();
  if (is_control(frame_.opcode) || frame_.opcode == opcode::continuation) return std::nullopt;
  in_message_ = true;
  message_type_ = frame_.opcode;
  compressed_ = (frame_.rsv & 4u) != 0;
  message_.clear();
  text_ = Utf8Check();
  return std::nullopt;
}

std::optional<Violation> FrameReader::take_payload(std::string_view& octets) {
  const std::size_t size =
      static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), frame_.length - payload_taken_));
  std::string& to = is_control(frame_.opcode) ? control_ : message_;
  const std::size_t before = to.size();
  to.append(octets.substr(0, size));
  octets.remove_prefix(size);
  if (frame_.masked) apply_mask(to.data() + before, size, frame_.key, payload_taken_);
  payload_taken_ += size;
  const std::string_view piece = std::string_view(to).substr(before);
  if (payload_start_.size() < log_octets)
    payload_start_.append(piece.substr(0, log_octets - payload_start_.size()));
  if (!is_control(frame_.opcode) && message_type_ == opcode::text && !compressed_ && !text_.feed(piece)) {
    sink_.on_frame(frame_, header_octets_, payload_start_);
    return Violation{1007, "a text message is not UTF-8"};
  }
  return payload_taken_ == frame_.length ? end_frame() : std::nullopt;
}

std::optional<Violation> FrameReader::end_frame() {
  in_payload_ = false;
  sink_.on_frame(frame_, header_octets_, payload_start_);
  switch (frame_.opcode) {
    case opcode::close: return end_close();
    case opcode::ping: sink_.on_ping(control_); return std::nullopt;
    case opcode::pong: sink_.on_pong(control_); return std::nullopt;
    default: return frame_.fin ? end_message() : std::nullopt;
  }
}

std::optional<Violation> FrameReader::end_message() {
  in_message_ = false;
  if (compressed_) {
    auto opened = inflater_->message(message_, message_size_max);
    if (!opened) return Violation{1007, "the compressed payload can not be opened"};
    message_ = std::move(*opened);
    if (message_type_ == opcode::text) text_.feed(message_);
  }
  if (message_type_ == opcode::text && !text_.complete())
    return Violation{1007, "a text message is not UTF-8"};
  sink_.on_message(message_type_, std::exchange(message_, {}));
  return std::nullopt;
}

std::optional<Violation> FrameReader::end_close() {
  closed_ = true;
  if (control_.size() == 1) return Violation{1002, "a Close frame with a payload of one octet"};
  if (control_.empty()) {
    sink_.on_close(0, {});
    return std::nullopt;
  }
  const unsigned code = static_cast<unsigned>(static_cast<unsigned char>(control_[0])) << 8 |
                        static_cast<unsigned char>(control_[1]);
  const std::string reason = control_.substr(2);
  sink_.on_close(code, reason);
  if (!close_code_allowed(code))
    return Violation{1002, "a Close frame with the code " + std::to_string(code)};
  if (!is_utf8(reason)) return Violation{1007, "the reason of a Close frame is not UTF-8"};
  return std::nullopt;
}

}  // namespace conform
