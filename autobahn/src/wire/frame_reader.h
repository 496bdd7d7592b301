// Reads what the testee sends, and is strict about it: the first thing that the standard forbids ends it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/deflate.h"
#include "wire/frame.h"
#include "wire/utf8_check.h"

namespace conform {

// A message larger than this fails the case: no case has an echo of more than 16 MiB.
inline constexpr std::size_t message_size_max = std::size_t{64} << 20;

struct Violation {
  unsigned close_code = 1002;
  std::string text;
};

// Who is told what was read. In order, and nothing after a Close frame or a violation.
class FrameSink {
 public:
  // Each frame when it is whole or broke a rule, for the log: the octets of its header, and the first ones of
  // its payload, unmasked.
  virtual void on_frame(const FrameHeader& header, std::string_view header_octets,
                        std::string_view payload_start) = 0;
  virtual void on_message(unsigned type, std::string payload) = 0;
  virtual void on_ping(std::string payload) = 0;
  virtual void on_pong(std::string payload) = 0;
  // code 0: the frame had no payload. An unsound code or reason is told first, then follows as a violation.
  virtual void on_close(unsigned code, std::string reason) = 0;

 protected:
  ~FrameSink() = default;
};

class FrameReader {
 public:
  // `masked`: the testee is a client. `inflater`: permessage-deflate was agreed; may be null, and outlives
  // this.
  FrameReader(FrameSink& sink, bool masked, Inflater* inflater)
      : sink_(sink), masked_(masked), inflater_(inflater) {}

  // May be called until it gives a violation.
  std::optional<Violation> feed(std::string_view octets);

  // True after a Close frame: what follows is ignored.
  bool closed() const { return closed_; }

 private:
  std::optional<Violation> take_header(std::string_view& octets);
  std::optional<Violation> check_header() const;
  std::optional<Violation> begin_frame();
  std::optional<Violation> take_payload(std::string_view& octets);
  std::optional<Violation> end_frame();
  std::optional<Violation> end_message();
  std::optional<Violation> end_close();

  FrameSink& sink_;
  bool masked_;
  Inflater* inflater_;
  bool closed_ = false;

  std::string header_octets_;
  bool in_payload_ = false;
  FrameHeader frame_;
  std::uint64_t payload_taken_ = 0;
  std::string payload_start_;

  bool in_message_ = false;
  unsigned message_type_ = 0;
  bool compressed_ = false;
  std::string message_;
  std::string control_;
  Utf8Check text_;
};

// Whether a Close frame may carry this code (RFC 6455 section 7.4 and the register of IANA).
bool close_code_allowed(unsigned code);

}  // namespace conform
