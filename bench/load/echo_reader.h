// Reads what a server sends: counts whole messages, and compares them with what was sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tape.h"

namespace load {

class EchoReader {
 public:
  EchoReader(const Tape& tape, bool verify) noexcept : tape_(&tape), verify_(verify) {}

  // How many messages ended in `bytes`. Throws std::runtime_error on a wrong frame or a wrong echo.
  std::size_t read(std::span<const char> bytes);

 private:
  std::size_t header_wanted() const noexcept;
  std::size_t take_header(std::span<const char> bytes);
  void begin_frame();
  void take_payload(std::span<const char> part);
  bool end_frame();

  const Tape* tape_;
  bool verify_;
  bool in_payload_ = false;
  bool fin_ = true;
  bool control_ = false;
  bool in_message_ = false;  // between its first frame and its last
  std::array<unsigned char, 10> header_{};
  std::size_t header_size_ = 0;
  std::uint64_t payload_left_ = 0;
  std::size_t message_offset_ = 0;
  std::size_t row_index_ = 0;  // in the tape, of the message that is being read
};

}  // namespace load
