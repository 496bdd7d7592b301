#include "verdict/judge.h"

#include <algorithm>

#include "wire/hex.h"

namespace conform {

std::string describe(const Event& event) {
  const std::string payload = event.payload.empty() ? "empty" : "'" + printable(event.payload) + "'";
  switch (event.kind) {
    case Event::Kind::message: return opcode_name(event.type) + " message " + payload;
    case Event::Kind::pong: return "pong " + payload;
    case Event::Kind::timeout: return "still open after a second (" + event.payload + ")";
  }
  return {};
}

namespace {

std::string describe(const std::vector<Event>& events) {
  if (events.empty()) return "nothing";
  std::string text;
  for (const Event& event : events) text += (text.empty() ? "" : ", ") + conform::describe(event);
  return text;
}

void judge_behavior(const Case& test, const Observed& observed, CaseResult& result) {
  if (observed.decided) {
    result.verdicts.behavior = *observed.decided;
    result.result = observed.reason;
    return;
  }
  const auto match = std::find_if(test.expected.begin(), test.expected.end(), [&](const Expected& expected) {
    return expected.events == observed.events;
  });
  if (match != test.expected.end()) {
    result.verdicts.behavior = match->verdict;
    result.result = "As expected: " + describe(observed.events) + ".";
  } else {
    result.verdicts.behavior = Verdict::failed;
    result.result = "Received " + describe(observed.events) + ".";
    if (!observed.reason.empty()) result.result += " " + observed.reason;
  }
}

bool code_fits(const Case& test, const CaseResult& result) {
  if (!result.close_received || !result.close_received->code) return true;
  const auto& codes = test.close.codes;
  return std::find(codes.begin(), codes.end(), *result.close_received->code) != codes.end();
}

// The first rule that is broken decides.
std::pair<Verdict, std::string> judge_closing(const Case& test, const CaseResult& result) {
  if (result.closed_by_kit != test.close.by_kit) {
    if (test.close.by_kit)
      return {Verdict::failed, "The testee ended the connection, and the kit should have."};
    return {Verdict::failed, "The testee should have failed the connection, and the kit had to close it."};
  }
  if (test.close.clean && !result.was_clean) {
    return {Verdict::unclean, "The closing handshake was not complete: " + result.not_clean_reason + "."};
  }
  if (!code_fits(test, result)) {
    return {Verdict::wrong_code,
            "The testee's Close frame has the code " + std::to_string(*result.close_received->code) + "."};
  }
  if (result.role == Role::client && result.dropped_by_kit) {
    return {Verdict::failed_by_client, "The server did not drop TCP, the kit had to."};
  }
  // It has to end TLS first (RFC 8446 section 6.1). Tolerable here, where the Close frames say that nothing
  // is missing.
  if (result.cut_off) {
    return {Verdict::non_strict, "The testee ended TCP without ending TLS: no close_notify came."};
  }
  return {Verdict::ok, "The connection ended as it should."};
}

}  // namespace

void judge(const Case& test, const Observed& observed, CaseResult& result) {
  if (!result.handshake_done) {
    result.verdicts = {Verdict::failed, Verdict::failed};
    result.result = "The opening handshake failed: " + observed.reason + ".";
    result.result_close = "There was no connection.";
    return;
  }
  judge_behavior(test, observed, result);
  auto [closing, reason] = judge_closing(test, result);
  if (test.informational) {
    result.verdicts = {Verdict::informational, Verdict::informational};
    result.result = "Received " + describe(observed.events) + ".";
    result.result_close = "Told, not judged: " + reason;
    return;
  }
  result.verdicts.behavior_close = closing;
  result.result_close = reason;
  const bool wrong_closer = test.closer_decides_behavior && result.closed_by_kit != test.close.by_kit;
  const bool wrong_code = test.code_decides_behavior && closing == Verdict::wrong_code;
  if (wrong_closer || wrong_code) {
    result.verdicts.behavior = Verdict::failed;
    result.result += wrong_closer ? " But the wrong side closed." : " But the code of the close is wrong.";
  }
}

}  // namespace conform
