// Group 6: UTF-8 in text messages.
#include "cases/case_groups.h"
#include "cases/case_parts.h"
#include "cases/utf8_rows.h"
#include "wire/hex.h"

namespace conform {
namespace {

// "Hello-", a row of letters of two octets, "-UTF-8!!".
const std::string& sentence() {
  static const std::string octets = "Hello-" + from_hex("C2B5 40 C39F C3B6 C3A4 C3BC C3A0 C3A1") + "-UTF-8!!";
  return octets;
}
constexpr std::size_t sentence_cut = 13;  // after the letter C3 A4

// A Greek word: eleven octets, one of its letters has three.
const std::string& greek() {
  static const std::string octets = from_hex("CEBA E1BDB9 CF83 CEBC CEB5");
  return octets;
}

Case valid_case(std::string id, std::string description, const std::vector<SendFrame>& frames,
                std::string_view echo) {
  Case one;
  one.id = std::move(id);
  one.description = std::move(description);
  one.expectation = "The message comes back; then the kit closes.";
  one.steps = {CloseAfter{}};
  append(one.steps, frames);
  one.expected = {{Verdict::ok, {text_echo(echo)}}};
  one.close = closed_by_kit();
  one.close_on_match = true;
  one.closer_decides_behavior = true;
  return one;
}

Case invalid_case(std::string id, std::string description, const std::vector<SendFrame>& frames) {
  Case one = failing_case(std::move(id), std::move(description), frames);
  one.close = failed_with(1007);
  one.closer_decides_behavior = true;
  return one;
}

// The whole in fragments of one octet, then an empty last one.
std::vector<SendFrame> octet_fragments(std::string_view payload) {
  std::vector<SendFrame> frames;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frames.push_back(frame(i == 0 ? opcode::text : opcode::continuation, payload.substr(i, 1), false));
  }
  frames.push_back(frame(opcode::continuation));
  return frames;
}

void add_fragmented_cases(std::vector<Case>& cases) {
  const std::string& s = sentence();
  cases.push_back(valid_case("6.1.1", "A text message without payload.", {text("")}, ""));
  cases.push_back(valid_case(
      "6.1.2", "A text message in three fragments, all empty.",
      {frame(opcode::text, "", false), frame(opcode::continuation, "", false), frame(opcode::continuation)},
      ""));
  cases.push_back(
      valid_case("6.1.3", "A text message in three fragments, the first and the last empty.",
                 {frame(opcode::text, "", false), frame(opcode::continuation, "middle frame payload", false),
                  frame(opcode::continuation)},
                 "middle frame payload"));
  cases.push_back(valid_case("6.2.1", "A text message with letters of two octets.", {text(s)}, s));
  cases.push_back(valid_case("6.2.2", "The same in two fragments, cut between two letters.",
                             {frame(opcode::text, s.substr(0, sentence_cut), false),
                              frame(opcode::continuation, s.substr(sentence_cut))},
                             s));
  cases.push_back(valid_case("6.2.3", "The same in fragments of one octet.", octet_fragments(s), s));
  cases.push_back(
      valid_case("6.2.4", "A Greek word in fragments of one octet.", octet_fragments(greek()), greek()));
  const std::string surrogate = greek() + from_hex("EDA080") + "edited";
  cases.push_back(invalid_case("6.3.1", "A text message with a surrogate in the middle.", {text(surrogate)}));
  cases.push_back(invalid_case("6.3.2", "The same in fragments of one octet.", octet_fragments(surrogate)));
}

// How early an impossible sequence is noticed: the payload comes in three parts, a second apart.
Case fail_fast_case(std::string id, std::string description, std::size_t first_cut, std::size_t second_cut,
                    bool one_frame) {
  const std::string payload = greek() + from_hex("F4908080") + "edited";
  const std::string parts[] = {payload.substr(0, first_cut),
                               payload.substr(first_cut, second_cut - first_cut), payload.substr(second_cut)};
  Case one;
  one.id = std::move(id);
  one.description = std::move(description);
  one.expectation =
      "The testee fails the connection at the second part, which no UTF-8 can go on from; "
      "only when the message is complete: NON-STRICT.";
  if (one_frame) {
    one.steps = {SendFrameStart{opcode::text, payload.size(), parts[0]},
                 Pause{Seconds(1), "A", false},
                 SendFrameRest{parts[1]},
                 Pause{Seconds(1), "B", true},
                 SendFrameRest{parts[2]},
                 KillAfter{}};
  } else {
    one.steps = {frame(opcode::text, parts[0], false),         Pause{Seconds(1), "A", false},
                 frame(opcode::continuation, parts[1], false), Pause{Seconds(1), "B", true},
                 frame(opcode::continuation, parts[2]),        KillAfter{}};
  }
  one.expected = {{Verdict::ok, {timeout_event("A")}},
                  {Verdict::non_strict, {timeout_event("A"), timeout_event("B")}}};
  one.close = failed_with(1007);
  one.closer_decides_behavior = true;
  return one;
}

Case row_case(const Utf8Row& row) {
  const std::string id = "6." + std::to_string(row.subgroup) + "." + std::to_string(row.number);
  const std::string octets = from_hex(row.octets);
  const std::string description = std::string("A text message, ") + (row.valid ? "valid: " : "not valid: ") +
                                  std::string(utf8_subject(row.subgroup)) + ".";
  Case one = row.valid ? valid_case(id, description, {text(octets)}, octets)
                       : invalid_case(id, description, {text(octets)});
  one.steps.front() = KillAfter{Seconds(0.5)};
  return one;
}

}  // namespace

void add_utf8_cases(std::vector<Case>& cases) {
  add_fragmented_cases(cases);
  const std::size_t bad = greek().size();
  cases.push_back(fail_fast_case(
      "6.4.1", "A code point beyond the last as the second of three fragments, a second apart.", bad, bad + 4,
      false));
  cases.push_back(
      fail_fast_case("6.4.2", "The same, cut inside the impossible sequence.", bad + 1, bad + 2, false));
  cases.push_back(fail_fast_case("6.4.3", "The same as 6.4.1 in one frame that is written in three parts.",
                                 bad, bad + 4, true));
  cases.push_back(fail_fast_case("6.4.4", "The same as 6.4.2 in one frame that is written in three parts.",
                                 bad + 1, bad + 2, true));
  for (const Utf8Row& row : utf8_rows) cases.push_back(row_case(row));
}

}  // namespace conform
