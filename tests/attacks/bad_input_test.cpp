// Every broken frame with its exact error and close code: whole, byte by byte, at every cut, with
// bytes behind it, in both roles; and another connection on the same pool does not notice.
#include "bench.h"

namespace sansock::testing {
namespace {

struct BadInput {
  const char* name;
  std::function<Data(Peer&)> before;  // good frames in front, whose events are `events`
  std::string events;
  std::function<Data(Peer&)> bad;
  errc error;
  unsigned code;
};

Data nothing(Peer&) { return {}; }

Data first_byte(Peer& peer, bool fin, unsigned rsv, unsigned opcode) {
  Frame frame;
  frame.fin = fin;
  frame.rsv = rsv;
  frame.opcode = opcode;
  frame.payload = bytes_of("xy");
  return peer.frame(frame);
}

Data lying_length(Peer& peer, LengthForm form, std::uint64_t length, unsigned opcode = op_binary) {
  Frame frame;
  frame.opcode = opcode;
  frame.form = form;
  frame.announced = length;
  return peer.frame(frame);
}

Data wrong_mask(Peer& peer, Role role) {
  Frame frame;
  frame.payload = bytes_of("hello");
  if (role == Role::client) frame.key = peer.next_key();
  return encode(frame);
}

Data message_begun(Peer& peer) { return peer.text("ab", false); }

std::vector<BadInput> header_cases() {
  std::vector<BadInput> cases = {
      {"RSV1", nothing, "", [](Peer& p) { return first_byte(p, true, 4, op_text); }, errc::rsv1_unexpected,
       1002},
      {"RSV2", nothing, "", [](Peer& p) { return first_byte(p, true, 2, op_text); }, errc::rsv23_unexpected,
       1002},
      {"RSV3", nothing, "", [](Peer& p) { return first_byte(p, true, 1, op_text); }, errc::rsv23_unexpected,
       1002},
      {"all RSV", nothing, "", [](Peer& p) { return first_byte(p, true, 7, 3); }, errc::rsv23_unexpected,
       1002},
      {"RSV1 on a Ping", nothing, "", [](Peer& p) { return first_byte(p, true, 4, op_ping); },
       errc::rsv1_unexpected, 1002},
      {"RSV1 on a fragmented Ping", nothing, "", [](Peer& p) { return first_byte(p, false, 4, op_ping); },
       errc::rsv1_unexpected, 1002},
      {"RSV1 on a continuation", message_begun, "text \"ab\"...\n",
       [](Peer& p) { return first_byte(p, true, 4, op_continuation); }, errc::rsv1_unexpected, 1002},
      {"continuation first", nothing, "", [](Peer& p) { return p.continuation("x"); },
       errc::continuation_unexpected, 1002},
      {"continuation after a whole message", [](Peer& p) { return p.text("a"); }, "text \"a\"\n",
       [](Peer& p) { return p.continuation("x"); }, errc::continuation_unexpected, 1002},
      {"text inside text", message_begun, "text \"ab\"...\n", [](Peer& p) { return p.text("x"); },
       errc::continuation_expected, 1002},
      {"binary inside text", message_begun, "text \"ab\"...\n", [](Peer& p) { return p.binary({1}); },
       errc::continuation_expected, 1002},
      {"fragmented Ping", nothing, "", [](Peer& p) { return first_byte(p, false, 0, op_ping); },
       errc::control_fragmented, 1002},
      {"fragmented Pong", nothing, "", [](Peer& p) { return first_byte(p, false, 0, op_pong); },
       errc::control_fragmented, 1002},
      {"fragmented Close", nothing, "", [](Peer& p) { return first_byte(p, false, 0, op_close); },
       errc::control_fragmented, 1002},
      {"fragmented Ping inside a message", message_begun, "text \"ab\"...\n",
       [](Peer& p) { return first_byte(p, false, 0, op_ping); }, errc::control_fragmented, 1002},
  };
  for (const unsigned opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
    cases.push_back({"reserved opcode", nothing, "",
                     [opcode](Peer& p) { return first_byte(p, true, 0, opcode); }, errc::opcode_reserved,
                     1002});
    cases.push_back({"reserved opcode, fragmented, inside a message", message_begun, "text \"ab\"...\n",
                     [opcode](Peer& p) { return first_byte(p, false, 0, opcode); }, errc::opcode_reserved,
                     1002});
  }
  return cases;
}

std::vector<BadInput> length_cases() {
  std::vector<BadInput> cases;
  for (const unsigned opcode : {op_close, op_ping, op_pong}) {
    cases.push_back({"control payload of 126", nothing, "",
                     [opcode](Peer& p) { return p.frame(opcode, Data(126, 'x')); }, errc::control_too_long,
                     1002});
    cases.push_back({"control frame of 65536", nothing, "",
                     [opcode](Peer& p) { return lying_length(p, LengthForm::bits64, 65536, opcode); },
                     errc::control_too_long, 1002});
    cases.push_back({"16-bit length on a short control frame", nothing, "",
                     [opcode](Peer& p) { return lying_length(p, LengthForm::bits16, 5, opcode); },
                     errc::control_too_long, 1002});
  }
  const auto add = [&](const char* name, LengthForm form, std::uint64_t length, errc error, unsigned code) {
    cases.push_back({name, nothing, "", [=](Peer& p) { return lying_length(p, form, length); }, error, code});
    cases.push_back({name, message_begun, "text \"ab\"...\n",
                     [=](Peer& p) { return lying_length(p, form, length, op_continuation); }, error, code});
  };
  for (const std::uint64_t length : {0u, 1u, 2u, 125u}) {
    add("16-bit form not minimal", LengthForm::bits16, length, errc::length_not_minimal, 1002);
    add("64-bit form not minimal", LengthForm::bits64, length, errc::length_not_minimal, 1002);
  }
  for (const std::uint64_t length : {126u, 65535u}) {
    add("64-bit form not minimal", LengthForm::bits64, length, errc::length_not_minimal, 1002);
  }
  for (const std::uint64_t length : {1ull << 63, ~0ull, ~0ull - 3, (1ull << 63) + 5}) {
    add("top bit", LengthForm::bits64, length, errc::length_top_bit, 1002);
  }
  for (const std::uint64_t length : {(16ull << 20) + 1, 0xFFFFFFFFull, 1ull << 32, (1ull << 63) - 1}) {
    add("over the limit", LengthForm::bits64, length, errc::frame_too_big, 1009);
  }
  cases.push_back(
      {"over the message limit by fragments", message_begun, "text \"ab\"...\n",
       [](Peer& p) { return lying_length(p, LengthForm::bits64, (16u << 20) - 1, op_continuation); },
       errc::message_too_big, 1009});
  return cases;
}

std::vector<BadInput> close_cases() {
  std::vector<BadInput> cases;
  const auto add = [&](const char* name, Data payload, errc error, unsigned code) {
    cases.push_back({name, nothing, "", [=](Peer& p) { return p.frame(op_close, payload); }, error, code});
    cases.push_back({name, message_begun, "text \"ab\"...\n",
                     [=](Peer& p) { return p.frame(op_close, payload); }, error, code});
  };
  add("Close of 1 byte", {3}, errc::close_payload_too_short, 1002);
  for (const unsigned code :
       {0u, 1u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u}) {
    add("bad code", close_payload(code), errc::close_code_invalid, 1002);
    add("bad code before bad reason", close_payload(code, "\xFF"), errc::close_code_invalid, 1002);
  }
  for (const char* reason :
       {"\xFF", "ab\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "ok\xE2\x82"}) {
    add("bad reason", close_payload(1000, reason), errc::utf8_invalid_in_reason, 1007);
  }
  add("bad last byte of the longest reason", close_payload(3000, std::string(122, 'x') + "\x80"),
      errc::utf8_invalid_in_reason, 1007);
  return cases;
}

// The trailing bytes must make no difference: they are discarded, whatever they are.
void expect_failure(const BadInput& input, Role role) {
  SCOPED_TRACE(std::string(input.name) + ", " + role_name(role));
  Peer peer(role);
  const Data before = input.before(peer);
  const Data stream = before + input.bad(peer);
  const std::string expected = input.events + "closed unclean 1006 " + std::string(name(input.error)) +
                               "\n> close " + std::to_string(input.code) + "\n";
  expect_every_split(role, stream, expected);
  expect_every_split(role, stream + peer.text("late") + peer.ping() + peer.close(1000), expected);
  expect_every_split(role, stream + noise(40, 7), expected);
  EXPECT_EQ(model_transcript_of(role, stream), expected);
}

TEST(BadInput, Header) {
  for (const BadInput& input : header_cases()) {
    for (const Role role : both_roles) expect_failure(input, role);
  }
}

TEST(BadInput, Length) {
  for (const BadInput& input : length_cases()) {
    for (const Role role : both_roles) expect_failure(input, role);
  }
}

TEST(BadInput, ClosePayload) {
  for (const BadInput& input : close_cases()) {
    for (const Role role : both_roles) expect_failure(input, role);
  }
}

TEST(BadInput, UnmaskedToServerMaskedToClient) {
  for (const Role role : both_roles) {
    expect_failure({"mask", nothing, "", [role](Peer& p) { return wrong_mask(p, role); },
                    role == Role::server ? errc::mask_missing : errc::mask_unexpected, 1002},
                   role);
    expect_failure({"mask", [](Peer& p) { return p.text("good"); }, "text \"good\"\n",
                    [role](Peer& p) { return wrong_mask(p, role); },
                    role == Role::server ? errc::mask_missing : errc::mask_unexpected, 1002},
                   role);
  }
}

// One position class after the other: the failure comes with the first impossible byte, although the
// frame announces more.
TEST(BadInput, TextAtEveryPositionClass) {
  struct Case {
    const char* good;
    const char* bad;
  };
  const Case cases[] = {
      {"", "\x80"},
      {"", "\xBF"},
      {"", "\xC0"},
      {"", "\xC1"},
      {"", "\xF5"},
      {"", "\xFF"},
      {"", "\xFE"},
      {"\xC3", "("},
      {"\xC3", "\xC3"},
      {"\xE0", "\x9F"},
      {"\xE2", "("},
      {"\xE2\x82", "("},
      {"\xED", "\xA0"},
      {"\xEF\xBF", "\xC0"},
      {"\xF0", "\x8F"},
      {"\xF0\x9F", "\x20"},
      {"\xF0\x9F\x98", "A"},
      {"\xF4", "\x90"},
      {"\xF4\x8F\xBF", "\xFF"},
      {"\xE1\x80", "\xE1"},
  };
  for (const Case& c : cases) {
    for (const std::string& prefix :
         {std::string(), std::string("abc"), std::string(37, 'x'), std::string("\xC3\xA9")}) {
      for (const Role role : both_roles) {
        Peer peer(role);
        Frame frame;
        frame.payload = bytes_of(prefix + c.good + c.bad);
        frame.announced = 100;
        const Data stream = peer.frame(frame);
        const Data shown = bytes_of(prefix + c.good);
        const std::string expected = (shown.empty() ? "" : "text " + quote(shown) + "...\n") +
                                     std::string("closed unclean 1006 utf8_invalid\n> close 1007\n");
        expect_every_split(role, stream, expected);
        expect_every_split(role, stream + noise(150, 3), expected);
        // In a second fragment it is the same.
        Peer second(role);
        const Data cut = second.text(prefix + c.good, false) + second.continuation(c.bad);
        expect_every_split(role, cut, expected);
      }
    }
  }
}

TEST(BadInput, TextThatEndsInsideACharacter) {
  for (const char* tail : {"\xC3", "\xE2", "\xE2\x82", "\xF0", "\xF0\x9F", "\xF0\x9F\x98"}) {
    for (const Role role : both_roles) {
      const std::string text = std::string("ok") + tail;
      const std::string expected =
          "text " + quote(text) + "...\nclosed unclean 1006 utf8_invalid\n> close 1007\n";
      Peer peer(role);
      expect_every_split(role, peer.text(text), expected);
      expect_every_split(role, peer.text("ok", false) + peer.continuation(tail), expected);
      expect_every_split(role, peer.text(text, false) + peer.continuation("") + peer.text("x"), [&] {
        // The message ends with the empty last fragment, so nothing of it is lost but its end.
        return expected;
      }());
    }
  }
}

TEST(BadInput, EndOfTransportInsideEverything) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data frame = peer.frame(op_binary, noise(70'000, 1));
    const std::size_t header = role == Role::server ? 14 : 10;
    for (std::size_t size = 1; size <= header; ++size) {  // A10
      const Data cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
      expect_every_split(role, cut, "closed unclean 1006 eof_in_frame\n");
    }
    expect_every_split(role, {}, "closed unclean 1006 eof\n");
    expect_every_split(role, peer.text("whole"), "text \"whole\"\nclosed unclean 1006 eof\n");
    expect_every_split(role, peer.text("half", false),
                       "text \"half\"...\nclosed unclean 1006 eof_in_frame\n");
    Frame announced;
    announced.payload = bytes_of("abc");
    announced.announced = 10;
    expect_every_split(role, peer.frame(announced), "text \"abc\"...\nclosed unclean 1006 eof_in_frame\n");
    announced.opcode = op_ping;
    expect_every_split(role, peer.frame(announced), "closed unclean 1006 eof_in_frame\n");
    announced.opcode = op_close;
    announced.payload = close_payload(1000);
    expect_every_split(role, peer.frame(announced), "closed unclean 1006 eof_in_frame\n");
  }
}

// A length that is refused is refused on the header: nothing is allocated for it.
TEST(BadInput, LengthOverTheLimitTouchesNoMemory) {
  for (const Role role : both_roles) {
    Bench bench(role);
    bench.h.feed(lying_length(bench.peer, LengthForm::bits64, (16u << 20) + 1));
    EXPECT_EQ(bench.connection.close_status().cause, errc::frame_too_big);
    EXPECT_LE(bench.pool.peak(), 1u);  // the Close frame's
  }
}

TEST(BadInput, OtherConnectionsLiveOn) {
  for (const Role role : both_roles) {
    Bench good(role);
    std::vector<BadInput> cases = header_cases();
    for (const BadInput& input : length_cases()) cases.push_back(input);
    for (const BadInput& input : close_cases()) cases.push_back(input);
    good.h.feed(good.peer.text("begun", false));
    for (const BadInput& input : cases) {
      Connection broken(role, good.config);
      ConnectionHarness harness(broken);
      Peer peer(role);
      const Data before = input.before(peer);
      harness.feed(before + input.bad(peer));
      harness.eof();
      EXPECT_TRUE(harness.closed());
      good.h.feed(good.peer.ping("still here") + good.peer.continuation(".", false));
    }
    good.h.feed(good.peer.continuation("!"));
    EXPECT_EQ(good.h.events.messages().at(0), bytes_of("begun" + std::string(cases.size(), '.') + "!"));
    EXPECT_EQ(good.h.sent().size(), cases.size());
    EXPECT_EQ(good.connection.state(), ReadyState::open);
  }
}

}  // namespace
}  // namespace sansock::testing
