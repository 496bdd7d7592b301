// The stream is read in two states: within the header of a frame (in_payload_ is false and up to ten
// bytes are collected), or within its payload. Raw TCP is one endless payload that is cut by size.
#include "echo_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace load {

std::size_t EchoReader::read(std::span<const char> bytes) {
  std::size_t messages = 0;
  while (!bytes.empty() || (in_payload_ && payload_left_ == 0)) {
    if (!tape_->framed) {
      in_payload_ = true;
      payload_left_ = tape_->message - message_offset_;
    }
    if (!in_payload_) {
      bytes = bytes.subspan(take_header(bytes));
      continue;
    }
    const auto part =
        bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size())));
    take_payload(part);
    bytes = bytes.subspan(part.size());
    if (payload_left_ == 0 && end_frame()) ++messages;
  }
  return messages;
}

std::size_t EchoReader::header_wanted() const noexcept {
  if (header_size_ < 2) return 2;
  const unsigned length = header_[1] & 0x7f;
  return length < 126 ? 2 : length == 126 ? 4 : 10;
}

std::size_t EchoReader::take_header(std::span<const char> bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && header_size_ < header_wanted()) {
    header_[header_size_++] = static_cast<unsigned char>(bytes[taken++]);
  }
  if (header_size_ == header_wanted()) begin_frame();
  return taken;
}

void EchoReader::check_first_byte() const {
  const unsigned opcode = header_[0] & 0x0f;
  // RSV1 only where it was agreed on, and only in the first frame of a message (RFC 7692 section 6).
  const bool rsv1_allowed = tape_->deflate.compressed && !control_ && !in_message_;
  if ((header_[0] & (rsv1_allowed ? 0x30 : 0x70)) != 0) {
    throw std::runtime_error("the server sent a frame with a reserved bit");
  }
  if ((header_[1] & 0x80) != 0) throw std::runtime_error("the server sent a masked frame");
  if (opcode == 8) throw std::runtime_error("the server closed the connection");
  if (!control_ && opcode != (in_message_ ? 0u : tape_->opcode)) {
    throw std::runtime_error(fmt::format("wrong echo: a frame has opcode {}", opcode));
  }
}

void EchoReader::begin_frame() {
  fin_ = (header_[0] & 0x80) != 0;
  control_ = (header_[0] & 0x08) != 0;
  check_first_byte();
  payload_left_ = header_[1] & 0x7f;
  if (header_size_ > 2) {
    payload_left_ = 0;
    for (std::size_t i = 2; i < header_size_; ++i) payload_left_ = payload_left_ << 8 | header_[i];
  }
  if (!control_) {
    if (!in_message_) compressed_ = (header_[0] & 0x40) != 0;
    // How long a compressed message may be, nobody says; this is more than any codec makes of it.
    const std::size_t most = compressed_ ? 2 * tape_->message + 1024 : tape_->message - message_offset_;
    if (payload_left_ > most) {
      throw std::runtime_error(
          fmt::format("wrong echo: a message is longer than {} bytes", compressed_ ? most : tape_->message));
    }
    message_frame_bytes_ += header_size_ + payload_left_;
  }
  header_size_ = 0;
  in_payload_ = true;
}

void EchoReader::take_payload(std::span<const char> part) {
  payload_left_ -= part.size();
  if (control_) return;
  if (!compressed_) {
    if (verify_) compare(part);
    message_offset_ += part.size();
  } else if (verify_) {
    if (!inflater_) inflater_ = std::make_unique<Inflater>(tape_->deflate.server_window_bits);
    inflater_->give(part);
    compare_decompressed();
  }
}

void EchoReader::compare(std::span<const char> part) {
  if (part.empty()) return;
  const char* expected = tape_->payloads.data() + row_index_ * tape_->message + message_offset_;
  if (std::memcmp(expected, part.data(), part.size()) != 0) {
    const auto differs = std::mismatch(part.begin(), part.end(), expected).first - part.begin();
    throw std::runtime_error(fmt::format("wrong echo: byte {} of a message differs",
                                         message_offset_ + static_cast<std::size_t>(differs)));
  }
}

void EchoReader::compare_decompressed() {
  for (auto part = inflater_->next(); !part.empty(); part = inflater_->next()) {
    if (part.size() > tape_->message - message_offset_) {
      throw std::runtime_error(fmt::format("wrong echo: a message is longer than {} bytes", tape_->message));
    }
    compare(part);
    message_offset_ += part.size();
  }
}

bool EchoReader::end_frame() {
  in_payload_ = false;
  if (control_) {
    control_ = false;
    return false;
  }
  in_message_ = !fin_;
  if (fin_) end_message();
  return fin_;
}

void EchoReader::end_message() {
  if (compressed_ && verify_) {
    inflater_->give_end();
    compare_decompressed();
    if (tape_->deflate.server_no_context_takeover) inflater_->forget();
  }
  if ((verify_ || !compressed_) && message_offset_ != tape_->message) {
    throw std::runtime_error(
        fmt::format("wrong echo: a message has {} bytes, not {}", message_offset_, tape_->message));
  }
  ++traffic_.messages;
  traffic_.frame_bytes += message_frame_bytes_;
  message_frame_bytes_ = 0;
  traffic_.compressed += compressed_ ? 1 : 0;
  message_offset_ = 0;
  if (++row_index_ == tape_->count) row_index_ = 0;
}

void Traffic::add(const Traffic& other) noexcept {
  messages += other.messages;
  compressed += other.compressed;
  frame_bytes += other.frame_bytes;
}

}  // namespace load
