// Group 7: the closing handshake.
#include "cases/case_groups.h"
#include "cases/case_parts.h"
#include "cases/payload_patterns.h"
#include "wire/hex.h"

namespace conform {
namespace {

Case closing_case(std::string id, std::string description, const std::vector<SendFrame>& frames) {
  Case one;
  one.id = std::move(id);
  one.description = std::move(description);
  one.expectation = "The testee answers the Close frame and does nothing else.";
  one.steps = {KillAfter{}};
  append(one.steps, frames);
  one.expected = {{Verdict::ok, {}}};
  one.close = closed_by_kit();
  one.code_decides_behavior = true;
  return one;
}

// The Close frame itself is at fault: how the testee ends it is its own affair, but not with another code.
Case bad_close_case(std::string id, std::string description, std::string_view payload,
                    std::vector<unsigned> codes) {
  Case one = closing_case(std::move(id), std::move(description), {closing(payload)});
  one.expectation = "The testee fails the connection, or drops TCP.";
  one.close = {.by_kit = true, .codes = std::move(codes), .clean = false};
  return one;
}

Case informational_case(std::string id, std::string description, const std::vector<SendFrame>& frames) {
  Case one = closing_case(std::move(id), std::move(description), frames);
  one.expectation = "Whatever the testee does is told, none of it is wrong.";
  one.informational = true;
  return one;
}

Case echo_then_close_case() {
  Case one = closing_case("7.1.1", "A text message; a close after its echo.", {text("Hello World!")});
  one.expectation = "The echo, then the testee answers the Close frame.";
  one.expected = {{Verdict::ok, {text_echo("Hello World!")}}};
  one.close_on_match = true;
  return one;
}

void add_after_close_cases(std::vector<Case>& cases) {
  cases.push_back(echo_then_close_case());
  cases.push_back(closing_case("7.1.2", "Two Close frames at once.", {closing(1000), frame(opcode::close)}));
  cases.push_back(closing_case("7.1.3", "A close, then a ping.", {closing(1000), ping()}));
  cases.push_back(
      closing_case("7.1.4", "A close, then a text message.", {closing(1000), text("Hello World!")}));
  cases.push_back(closing_case(
      "7.1.5", "A close inside a fragmented message.",
      {frame(opcode::text, "fragment1", false), closing(1000), frame(opcode::continuation, "fragment2")}));
  cases.push_back(informational_case(
      "7.1.6", "256 Ki of text, a short text message, a close and a ping at once.",
      {text(repeated(text_pattern, 262144)), text("Hello World!"), closing(1000), ping()}));
}

void add_payload_cases(std::vector<Case>& cases) {
  cases.push_back(closing_case("7.3.1", "A close without payload.", {closing("")}));
  cases.push_back(bad_close_case("7.3.2", "A close with a payload of one octet.", "a", {1002}));
  cases.push_back(closing_case("7.3.3", "A close with a code.", {closing(1000)}));
  cases.push_back(
      closing_case("7.3.4", "A close with a code and a reason.", {closing(1000, "Hello World!")}));
  cases.push_back(closing_case("7.3.5", "A close with the longest reason (123 octets).",
                               {closing(1000, repeated("*", 123))}));
  cases.push_back(bad_close_case("7.3.6", "A close with a reason of 124 octets, one too long.",
                                 close_payload(1000, repeated("*", 124)), {1002}));
  cases.push_back(bad_close_case("7.5.1", "A close with a reason that is not UTF-8.",
                                 close_payload(1000, from_hex("CEBAE1BDB9CF83CEBCCEB5 EDA080") + "edited"),
                                 {1002, 1007}));
}

void add_code_cases(std::vector<Case>& cases) {
  static constexpr unsigned allowed[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009,
                                         1010, 1011, 3000, 3999, 4000, 4999};
  static constexpr unsigned forbidden[] = {0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999};
  static constexpr unsigned undefined[] = {5000, 65535};
  int number = 0;
  for (const unsigned code : allowed) {
    Case one = closing_case("7.7." + std::to_string(++number),
                            "A close with the code " + std::to_string(code) + ".", {closing(code)});
    one.close.codes = {1000, code};
    cases.push_back(one);
  }
  number = 0;
  for (const unsigned code : forbidden) {
    cases.push_back(
        bad_close_case("7.9." + std::to_string(++number),
                       "A close with the code " + std::to_string(code) + ", which no frame may carry.",
                       close_payload(code), {1002}));
  }
  number = 0;
  for (const unsigned code : undefined) {
    cases.push_back(informational_case(
        "7.13." + std::to_string(++number),
        "A close with the code " + std::to_string(code) + ", beyond all that is defined.", {closing(code)}));
  }
}

}  // namespace

void add_closing_cases(std::vector<Case>& cases) {
  add_after_close_cases(cases);
  add_payload_cases(cases);
  add_code_cases(cases);
}

}  // namespace conform
