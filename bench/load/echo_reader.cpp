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

void EchoReader::begin_frame() {
  const unsigned opcode = header_[0] & 0x0f;
  fin_ = (header_[0] & 0x80) != 0;
  control_ = (opcode & 0x08) != 0;
  if ((header_[0] & 0x70) != 0) throw std::runtime_error("the server sent a frame with a reserved bit");
  if ((header_[1] & 0x80) != 0) throw std::runtime_error("the server sent a masked frame");
  if (opcode == 8) throw std::runtime_error("the server closed the connection");
  if (!control_ && opcode != (in_message_ ? 0u : tape_->opcode)) {
    throw std::runtime_error(fmt::format("wrong echo: a frame has opcode {}", opcode));
  }
  payload_left_ = header_[1] & 0x7f;
  if (header_size_ > 2) {
    payload_left_ = 0;
    for (std::size_t i = 2; i < header_size_; ++i) payload_left_ = payload_left_ << 8 | header_[i];
  }
  if (!control_ && payload_left_ > tape_->message - message_offset_) {
    throw std::runtime_error(fmt::format("wrong echo: a message is longer than {} bytes", tape_->message));
  }
  header_size_ = 0;
  in_payload_ = true;
}

void EchoReader::take_payload(std::span<const char> part) {
  payload_left_ -= part.size();
  if (control_) return;
  if (verify_ && !part.empty()) {
    const char* expected = tape_->payloads.data() + row_index_ * tape_->message + message_offset_;
    if (std::memcmp(expected, part.data(), part.size()) != 0) {
      const auto differs = std::mismatch(part.begin(), part.end(), expected).first - part.begin();
      throw std::runtime_error(fmt::format("wrong echo: byte {} of a message differs",
                                           message_offset_ + static_cast<std::size_t>(differs)));
    }
  }
  message_offset_ += part.size();
}

bool EchoReader::end_frame() {
  in_payload_ = false;
  if (control_) {
    control_ = false;
    return false;
  }
  in_message_ = !fin_;
  if (!fin_) return false;
  if (message_offset_ != tape_->message) {
    throw std::runtime_error(
        fmt::format("wrong echo: a message has {} bytes, not {}", message_offset_, tape_->message));
  }
  message_offset_ = 0;
  if (++row_index_ == tape_->count) row_index_ = 0;
  return true;
}

}  // namespace load
