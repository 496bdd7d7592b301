// Group 5: fragments, and control frames among them.
#include "cases/case_groups.h"
#include "cases/case_parts.h"

namespace conform {
namespace {

constexpr std::string_view lone = "non-continuation payload";
constexpr const char* manner_text[] = {"", ", a write each", ", an octet at a time"};

std::string part(int number) { return "fragment" + std::to_string(number); }
SendFrame first(int number) { return frame(opcode::text, part(number), false); }
SendFrame middle(int number) { return frame(opcode::continuation, part(number), false); }
SendFrame last(int number) { return frame(opcode::continuation, part(number)); }

Case echoed(std::string id, std::string description, const std::vector<SendFrame>& frames,
            std::vector<Event> events) {
  Case one;
  one.id = std::move(id);
  one.description = std::move(description);
  one.expectation = events.size() == 1
                        ? "The message comes back whole; then the kit closes."
                        : "The pong comes first, then the message, whole; then the kit closes.";
  one.steps = {CloseAfter{}};
  append(one.steps, frames);
  one.expected = {{Verdict::ok, std::move(events)}};
  one.close = closed_by_kit();
  one.close_on_match = true;
  return one;
}

Case two_parts_case(std::string id, Manner manner) {
  Case one;
  one.id = std::move(id);
  one.description =
      "A text message in five fragments with two pings among them; a second of silence in the middle";
  one.description += std::string(manner_text[static_cast<int>(manner)]) + ".";
  one.expectation = "Both pongs, then the message, whole; then the kit closes.";
  append(one.steps, in_manner({first(1), middle(2), ping("pongme 1!")}, manner));
  one.steps.push_back(Pause{Seconds(1), "", false});
  append(one.steps, in_manner({middle(3), middle(4), ping("pongme 2!"), last(5)}, manner));
  one.steps.push_back(CloseAfter{});
  const std::string whole = part(1) + part(2) + part(3) + part(4) + part(5);
  one.expected = {{Verdict::ok, {pong_event("pongme 1!"), pong_event("pongme 2!"), text_echo(whole)}}};
  one.close = closed_by_kit();
  one.close_on_match = true;
  return one;
}

// Three cases which differ in how the frames are written.
template <class Make>
void add_in_three_manners(std::vector<Case>& cases, int number, Make make) {
  for (const Manner manner : {Manner::together, Manner::sync, Manner::octet_by_octet}) {
    cases.push_back(make("5." + std::to_string(number++), manner, manner_text[static_cast<int>(manner)]));
  }
}

void add_sound_cases(std::vector<Case>& cases) {
  const std::string whole = part(1) + part(2);
  add_in_three_manners(cases, 3, [&](std::string id, Manner manner, std::string how) {
    return echoed(id, "A text message in two fragments" + how + ".", in_manner({first(1), last(2)}, manner),
                  {text_echo(whole)});
  });
  add_in_three_manners(cases, 6, [&](std::string id, Manner manner, std::string how) {
    return echoed(id, "A text message in two fragments, a ping between them" + how + ".",
                  in_manner({first(1), ping("ping payload"), last(2)}, manner),
                  {pong_event("ping payload"), text_echo(whole)});
  });
}

void add_lone_continuation_cases(std::vector<Case>& cases) {
  add_in_three_manners(cases, 9, [](std::string id, Manner manner, std::string how) {
    return failing_case(id,
                        "A continuation with FIN where no message has begun, then a text message" + how + ".",
                        in_manner({frame(opcode::continuation, lone), text(hello)}, manner));
  });
  add_in_three_manners(cases, 12, [](std::string id, Manner manner, std::string how) {
    return failing_case(
        id, "A continuation without FIN where no message has begun, then a text message" + how + ".",
        in_manner({frame(opcode::continuation, lone, false), text(hello)}, manner));
  });
}

}  // namespace

void add_fragmentation_cases(std::vector<Case>& cases) {
  cases.push_back(
      failing_case("5.1", "A ping in two fragments.", {frame(opcode::ping, part(1), false), last(2)}));
  cases.push_back(
      failing_case("5.2", "A pong in two fragments.", {frame(opcode::pong, part(1), false), last(2)}));
  add_sound_cases(cases);
  add_lone_continuation_cases(cases);
  cases.push_back(failing_after_echo(
      "5.15", "A text message in two fragments, then a continuation without FIN, then a text message.",
      {first(1), last(2), middle(3), text(part(4))}, part(1) + part(2)));
  cases.push_back(failing_case(
      "5.16",
      "Twice: a continuation without FIN where no message has begun, then a message in two fragments.",
      {middle(1), first(2), last(3), middle(1), first(2), last(3)}));
  cases.push_back(failing_case(
      "5.17", "Twice: a continuation with FIN where no message has begun, then a message in two fragments.",
      {last(1), first(2), last(3), last(1), first(2), last(3)}));
  cases.push_back(failing_case("5.18", "A text message begins inside another.", {first(1), text(part(2))}));
  cases.push_back(two_parts_case("5.19", Manner::together));
  cases.push_back(two_parts_case("5.20", Manner::sync));
}

}  // namespace conform
