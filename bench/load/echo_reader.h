// Reads what a server sends: counts whole messages, and compares them with what was sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "codec.h"
#include "tape.h"

namespace load {

// What came, in whole messages.
struct Traffic {
  std::uint64_t messages = 0;
  std::uint64_t compressed = 0;   // of them
  std::uint64_t frame_bytes = 0;  // headers and payloads

  void add(const Traffic& other) noexcept;
};

// What is compressed is decompressed only to compare it: counting has to be cheaper than the server's work.
class EchoReader {
 public:
  EchoReader(const Tape& tape, bool verify) noexcept : tape_(&tape), verify_(verify) {}

  // How many messages ended in `bytes`. Throws std::runtime_error on a wrong frame or a wrong echo.
  std::size_t read(std::span<const char> bytes);

  const Traffic& traffic() const noexcept { return traffic_; }

 private:
  std::size_t header_wanted() const noexcept;
  std::size_t take_header(std::span<const char> bytes);
  void begin_frame();
  void check_first_byte() const;
  void take_payload(std::span<const char> part);
  void compare(std::span<const char> part);
  void compare_decompressed();
  bool end_frame();
  void end_message();

  const Tape* tape_;
  bool verify_;
  bool in_payload_ = false;
  bool fin_ = true;
  bool control_ = false;
  bool in_message_ = false;  // between its first frame and its last
  bool compressed_ = false;  // the message
  std::array<unsigned char, 10> header_{};
  std::size_t header_size_ = 0;
  std::uint64_t payload_left_ = 0;
  std::size_t message_offset_ = 0;         // in what is compared, else in what came
  std::size_t row_index_ = 0;              // in the tape, of the message that is being read
  std::unique_ptr<Inflater> inflater_;     // from the first message on that needs it
  std::uint64_t message_frame_bytes_ = 0;  // of the message so far
  Traffic traffic_;
};

}  // namespace load
