// The reference model: a WebSocket receiver as slow and as obvious as can be. It takes one byte at a
// time, keeps whole frames in vectors, shares no code with the engine, and says what a connection
// that is only fed must do: its events, the frames it sends, how it ends.
#pragma once

#include "sansock/limits.h"
#include "transcript.h"

namespace sansock::testing {

class Model {
 public:
  Model(Role role, const Limits& limits) : role_(role), limits_(limits) {}

  void feed(const Data& data) {
    for (const std::uint8_t byte : data) feed_byte(byte);
  }
  void feed_byte(std::uint8_t byte);
  void eof();

  // Events, then frames sent: comparable with Harness::transcript().
  std::string transcript() const;
  errc failure() const { return failure_; }
  bool ended() const { return ended_; }

 private:
  void check_first();
  void check_second();
  void check_length();
  void header_byte();
  void payload_byte(std::uint8_t byte);
  void payload_complete();
  void control_complete();
  void close_complete();
  void fail(errc cause);
  bool text_byte(std::uint8_t byte);
  bool control() const { return (header_[0] & 8) != 0; }
  bool first_of_message() const { return (header_[0] & 15) != 0; }

  Role role_;
  Limits limits_;
  bool ended_ = false;  // after a Close or a failure everything is discarded
  errc failure_ = errc::none;
  bool close_seen_ = false;
  unsigned close_code_ = 0;

  Data header_;
  bool in_payload_ = false;
  std::uint64_t length_ = 0;
  std::uint64_t received_ = 0;
  Data key_;
  Data control_payload_;

  bool in_message_ = false;
  bool begun_ = false;
  MessageType type_ = MessageType::binary;
  std::uint64_t message_size_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t frames_empty_ = 0;
  std::uint64_t control_frames_ = 0;
  Data character_;  // the UTF-8 bytes of a character under way

  Transcript events_;
  std::vector<std::string> sent_;
};

// Whether `bytes` is the beginning of (or all of) one character of RFC 3629 section 4.
bool utf8_is_prefix(const Data& bytes);
bool utf8_is_character(const Data& bytes);
bool utf8_is_text(const Data& bytes);

// RFC 6455 section 7.4 and the limits of limits.h: what is sent when a connection fails.
unsigned model_close_code(errc cause);

}  // namespace sansock::testing
