// Group 2: pings and pongs.
#include "cases/case_groups.h"
#include "cases/case_parts.h"
#include "cases/payload_patterns.h"

namespace conform {
namespace {

constexpr std::string_view binary_bits("\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF", 8);
constexpr std::string_view unsolicited = "unsolicited pong payload";

Case ping_case(const char* id, const char* description, std::vector<SendFrame> frames,
               std::vector<Event> events, double close_after) {
  Case one;
  one.id = id;
  one.description = description;
  one.expectation = events.empty()
                        ? "No answer to the pong; the closing handshake of the kit is answered."
                        : "Each ping has its pong with the same payload, in order; then the kit closes.";
  one.steps = {CloseAfter{Seconds(close_after)}};
  append(one.steps, frames);
  one.close_on_match = !events.empty();
  one.expected = {{Verdict::ok, std::move(events)}};
  one.close = closed_by_kit();
  return one;
}

Case too_long_case() {
  Case one;
  one.id = "2.5";
  one.description = "A ping with a payload of 126 octets.";
  one.expectation =
      "The testee fails the connection: a control frame has at most 125 octets (RFC 6455 section 5.5).";
  one.steps = {KillAfter{}, ping(repeated("\xFE", 126))};
  one.expected = {{Verdict::ok, {}}};
  one.close = failed_with(1002);
  return one;
}

Case ten_pings_case(const char* id, Manner manner) {
  std::vector<SendFrame> frames;
  std::vector<Event> events;
  for (int i = 0; i < 10; ++i) {
    const std::string payload = "payload-" + std::to_string(i);
    frames.push_back(ping(payload));
    events.push_back(pong_event(payload));
  }
  return ping_case(id,
                   manner == Manner::together ? "Ten pings with payloads, back to back."
                                              : "Ten pings with payloads, an octet at a time.",
                   in_manner(frames, manner), events, 3);
}

}  // namespace

void add_ping_cases(std::vector<Case>& cases) {
  const std::string longest = repeated("\xFE", 125);
  cases.push_back(ping_case("2.1", "A ping without payload.", {ping()}, {pong_event("")}, 1));
  cases.push_back(ping_case("2.2", "A ping with a text payload.", {ping(hello)}, {pong_event(hello)}, 1));
  cases.push_back(ping_case("2.3", "A ping with a payload that is no text.", {ping(binary_bits)},
                            {pong_event(binary_bits)}, 1));
  cases.push_back(
      ping_case("2.4", "A ping with a payload of 125 octets.", {ping(longest)}, {pong_event(longest)}, 1));
  cases.push_back(too_long_case());
  cases.push_back(ping_case("2.6", "A ping with a payload of 125 octets, an octet at a time.",
                            in_manner({ping(longest)}, Manner::octet_by_octet), {pong_event(longest)}, 2));
  cases.push_back(ping_case("2.7", "A pong without payload that nobody asked for, then a close.",
                            {pong(), closing(1000)}, {}, 1));
  cases.push_back(ping_case("2.8", "A pong with payload that nobody asked for, then a close.",
                            {pong(unsolicited), closing(1000)}, {}, 1));
  cases.push_back(ping_case("2.9", "A pong that nobody asked for, then a ping.",
                            {pong(unsolicited), ping("ping payload")}, {pong_event("ping payload")}, 1));
  cases.push_back(ten_pings_case("2.10", Manner::together));
  cases.push_back(ten_pings_case("2.11", Manner::octet_by_octet));
}

}  // namespace conform
