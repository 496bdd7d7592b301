// What the groups build their cases from.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/case.h"

namespace conform {

inline constexpr std::string_view hello = "Hello, world!";

inline SendFrame text(std::string_view payload, unsigned rsv = 0) {
  return {.opcode = opcode::text, .payload = std::string(payload), .rsv = rsv};
}
inline SendFrame ping(std::string_view payload = {}) {
  return {.opcode = opcode::ping, .payload = std::string(payload)};
}
inline SendFrame pong(std::string_view payload = {}) {
  return {.opcode = opcode::pong, .payload = std::string(payload)};
}
inline SendFrame frame(unsigned code, std::string_view payload = {}, bool fin = true) {
  return {.opcode = code, .payload = std::string(payload), .fin = fin};
}
// A Close frame that begins the closing handshake, with the payload as it stands.
inline SendFrame closing(std::string_view payload) {
  return {.opcode = opcode::close, .payload = std::string(payload), .counts_as_close = true};
}
inline SendFrame closing(unsigned code, std::string_view reason = {}) {
  return closing(close_payload(code, reason));
}

inline Event message(unsigned type, std::string_view payload) {
  return {Event::Kind::message, type, std::string(payload)};
}
inline Event text_echo(std::string_view payload) { return message(opcode::text, payload); }
inline Event pong_event(std::string_view payload) {
  return {Event::Kind::pong, opcode::pong, std::string(payload)};
}
inline Event timeout_event(std::string_view label) { return {Event::Kind::timeout, 0, std::string(label)}; }

// The kit closes, cleanly; the testee answers with 1000 or without a code.
inline CloseExpectation closed_by_kit() { return {.by_kit = true, .codes = {1000}, .clean = true}; }
// The testee fails the connection with this code, without one, or by dropping TCP.
inline CloseExpectation failed_with(unsigned code) {
  return {.by_kit = false, .codes = {code}, .clean = false};
}

// How the frames of a case are handed over.
enum class Manner { together, sync, octet_by_octet };
inline std::vector<SendFrame> in_manner(std::vector<SendFrame> frames, Manner manner) {
  for (SendFrame& one : frames) {
    one.sync = manner == Manner::sync;
    if (manner == Manner::octet_by_octet) one.chop = 1;
  }
  return frames;
}

// The testee is to fail the connection, and to say nothing else before.
inline Case failing_case(std::string id, std::string description, const std::vector<SendFrame>& frames) {
  Case one;
  one.id = std::move(id);
  one.description = std::move(description);
  one.expectation = "The testee fails the connection at once.";
  one.steps = {KillAfter{}};
  one.steps.insert(one.steps.end(), frames.begin(), frames.end());
  one.expected = {{Verdict::ok, {}}};
  one.close = failed_with(1002);
  return one;
}

// The same, but a sound message came first: its echo is due, its loss is tolerable.
inline Case failing_after_echo(std::string id, std::string description, const std::vector<SendFrame>& frames,
                               std::string_view echo) {
  Case one = failing_case(std::move(id), std::move(description), frames);
  one.expectation =
      "The echo of the first message, then the testee fails the connection; without the echo: NON-STRICT.";
  one.expected = {{Verdict::ok, {text_echo(echo)}}, {Verdict::non_strict, {}}};
  return one;
}

inline void append(std::vector<Step>& steps, const std::vector<SendFrame>& frames) {
  steps.insert(steps.end(), frames.begin(), frames.end());
}

}  // namespace conform
