// A case of the catalogue, as data: what is sent, what may come back, who has to close and how.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "verdict/verdict.h"
#include "wire/frame.h"
#include "wire/permessage_deflate.h"

namespace conform {

using Duration = std::chrono::microseconds;
using Seconds = std::chrono::duration<double>;

// --- what the kit does, step by step, from the opening handshake on ---------------------------------
struct SendFrame {
  unsigned opcode = opcode::text;
  std::string payload;
  bool fin = true;
  unsigned rsv = 0;
  bool sync = false;             // its own write, with a turn of the event loop after it
  std::size_t chop = 0;          // written so many octets at a time, a turn apart; 0: whole
  bool counts_as_close = false;  // it begins the closing handshake
};
// One frame whose payload is written in parts: SendFrameStart, then the rest as SendFrameRest.
struct SendFrameStart {
  unsigned opcode = opcode::text;
  std::uint64_t length = 0;
  std::string part;
};
struct SendFrameRest {
  std::string part;
};
// Nothing for a time. With a label: if the connection is still open then, the label is an event.
struct Pause {
  Seconds time{1};
  std::string label;
  bool limit = false;  // the testee is expected to end it early: a slow one may be given more time
};
// After a time, if still connected: a Close frame with 1001 (kill), or without a code (close).
struct KillAfter {
  Seconds time{1};
};
struct CloseAfter {
  Seconds time{1};
};
using Step = std::variant<SendFrame, SendFrameStart, SendFrameRest, Pause, KillAfter, CloseAfter>;

// --- what is recorded ------------------------------------------------------------------------------
struct Event {
  enum class Kind : std::uint8_t { message, pong, timeout };
  Kind kind = Kind::message;
  unsigned type = opcode::text;  // of a message
  std::string payload;           // of a time-out: its label

  friend bool operator==(const Event&, const Event&) = default;
};
std::string describe(const Event& event);

struct Expected {
  Verdict verdict = Verdict::ok;
  std::vector<Event> events;
};

// --- closing ---------------------------------------------------------------------------------------
struct CloseExpectation {
  bool by_kit = true;           // who has to send the first Close frame
  std::vector<unsigned> codes;  // what the testee's Close frame may carry; none at all is always allowed
  bool clean = true;            // the closing handshake has to be complete
};

// --- messages in lock-step: the next after the echo of the last ------------------------------------
class MessageSource {
 public:
  virtual ~MessageSource() = default;
  virtual std::string message(unsigned index) const = 0;
};

struct Exchange {
  unsigned type = opcode::text;
  unsigned count = 1;
  std::shared_ptr<const MessageSource> source;
  bool compare_content = false;  // else type and length alone
  std::size_t fragment = 0;      // of the payload as it is sent; 0: one frame
  std::size_t chop = 0;
  Seconds timeout{10};
};

struct CompressionPlan {
  std::vector<DeflateParameters> offers;  // of the kit as client
  std::vector<DeflateDemand> demands;     // of the kit as server, the first that is possible
};

struct Case {
  std::string id;
  std::string description;
  std::string expectation;
  std::vector<Step> steps;
  std::vector<Expected> expected;
  CloseExpectation close;
  bool close_on_match = false;           // 1000 as soon as the events are those of `expected[0]`
  bool closer_decides_behavior = false;  // the wrong closer fails the behavior too
  bool code_decides_behavior = false;    // a wrong code fails the behavior too
  bool informational = false;            // whatever happens
  std::optional<Exchange> exchange;
  std::optional<CompressionPlan> compression;
  bool heavy = false;  // moves so much that others beside it would only measure each other

  int group() const { return std::stoi(id); }
};

}  // namespace conform
