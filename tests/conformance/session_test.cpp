// The kit's session in virtual time: each verdict has a conversation that comes to it.
#include "session/session.h"

#include <gtest/gtest.h>

#include "cases/case_parts.h"
#include "cases/catalogue.h"

namespace conform {
namespace {

using std::chrono::milliseconds;

const Case& find_case(std::string_view id) {
  static const std::vector<Case> cases = catalogue(quick_scale);
  for (const Case& one : cases) {
    if (one.id == id) return one;
  }
  throw std::logic_error("there is no such case");
}

class Conversation {
 public:
  explicit Conversation(std::string_view id, Role role = Role::client)
      : test_(find_case(id)), role_(role), session_(test_, role, 1, random_) {
    session_.start(now_, {});
  }

  // A frame of the testee.
  Conversation& says(unsigned code, std::string_view payload = {}, bool fin = true, unsigned rsv = 0) {
    FrameHeader header{.fin = fin,
                       .rsv = rsv,
                       .opcode = code,
                       .masked = role_ == Role::server,
                       .key = {1, 2, 3, 4},
                       .length = payload.size()};
    std::string octets = encode_header(header);
    std::string masked(payload);
    if (header.masked) apply_mask(masked.data(), masked.size(), header.key, 0);
    session_.feed(octets + masked, now_);
    return *this;
  }
  Conversation& closes(unsigned code, std::string_view reason = {}) {
    return says(opcode::close, close_payload(code, reason));
  }
  Conversation& drops() {
    session_.feed_end("dropped TCP", now_);
    return *this;
  }
  Conversation& cuts_off() {
    session_.feed_end("cut TLS off", now_, true);
    return *this;
  }
  // Time goes by, with all that is written on the way.
  Conversation& after(milliseconds time) {
    const Instant end = now_ + time;
    while (!session_.done() && session_.deadline() <= end) {
      now_ = session_.deadline();
      session_.handle_timeout(now_);
      drain();
    }
    now_ = end;
    return *this;
  }
  std::string verdict() {
    drain();
    EXPECT_TRUE(session_.done());
    result_.role = role_;
    session_.finish(now_, result_);
    return word_of(result_.verdicts.behavior) + " " + word_of(result_.verdicts.behavior_close);
  }
  bool done() {
    drain();
    return session_.done();
  }
  const CaseResult& result() const { return result_; }

 private:
  void drain() {
    OutputQueue& output = session_.output();
    while (!output.empty() && !session_.done()) {
      output.begin_turn();
      session_.consume(output.next().size(), now_);
    }
  }

  const Case& test_;
  Role role_;
  std::mt19937_64 random_{1};
  Instant now_ = Instant() + std::chrono::hours(1);
  Session session_;
  CaseResult result_;
};

TEST(Session_, AnEchoAndACleanCloseAreOk) {
  Conversation talk("1.1.2");
  talk.says(opcode::text, std::string(125, '*')).closes(1000);
  EXPECT_FALSE(talk.done());  // the server has to drop TCP
  EXPECT_EQ(talk.drops().verdict(), "OK OK");
}

TEST(Session_, AsServerTheKitDropsTcp) {
  Conversation talk("1.1.2", Role::server);
  talk.says(opcode::text, std::string(125, '*')).closes(1000);
  EXPECT_TRUE(talk.done());
  EXPECT_EQ(talk.verdict(), "OK OK");
}

TEST(Session_, AWrongEchoIsFailedWhenTimeIsOver) {
  for (const auto& [type, payload] :
       {std::pair{opcode::text, std::string(124, '*')}, std::pair{opcode::binary, std::string(125, '*')},
        std::pair{opcode::text, std::string(125, '+')}}) {
    Conversation talk("1.1.2");
    EXPECT_EQ(talk.says(type, payload).after(milliseconds(999)).done(), false);
    EXPECT_EQ(talk.after(milliseconds(1)).closes(1001).drops().verdict(), "FAILED WRONG_CODE");
  }
}

TEST(Session_, ASecondEchoIsOneTooMany) {
  Conversation talk("1.1.1");
  EXPECT_EQ(talk.says(opcode::text).says(opcode::text).closes(1000).drops().verdict(), "FAILED OK");
}

TEST(Session_, ClosingHandshakesThatAreNotComplete) {
  Conversation silent("1.1.1");
  EXPECT_EQ(silent.says(opcode::text).after(milliseconds(1000)).verdict(), "OK UNCLEAN");
  Conversation dropped("1.1.1");
  EXPECT_EQ(dropped.says(opcode::text).drops().verdict(), "OK UNCLEAN");
  Conversation stays("1.1.1");
  EXPECT_EQ(stays.says(opcode::text).closes(1000).after(milliseconds(1000)).verdict(), "OK UNCLEAN");
  Conversation code("1.1.1");
  EXPECT_EQ(code.says(opcode::text).closes(1001).drops().verdict(), "OK WRONG_CODE");
  Conversation no_code("1.1.1");
  EXPECT_EQ(no_code.says(opcode::text).says(opcode::close).drops().verdict(), "OK OK");
  Conversation unsound("1.1.1");
  EXPECT_EQ(unsound.says(opcode::text).closes(1005).drops().verdict(), "OK UNCLEAN");
}

TEST(Session_, TlsWithoutItsEndIsNotStrict) {
  Conversation clean("1.1.1");
  EXPECT_EQ(clean.says(opcode::text).closes(1000).cuts_off().verdict(), "OK NON-STRICT");
  EXPECT_NE(clean.result().result_close.find("close_notify"), std::string::npos);
  EXPECT_TRUE(clean.result().was_clean);
  Conversation fails("3.1");
  EXPECT_EQ(fails.cuts_off().verdict(), "OK NON-STRICT");
  // What is worse stays so.
  Conversation open("1.1.1");
  EXPECT_EQ(open.says(opcode::text).cuts_off().verdict(), "OK UNCLEAN");
  EXPECT_EQ(open.result().not_clean_reason, "the testee cut TLS off without answering the Close frame");
  Conversation code("1.1.1");
  EXPECT_EQ(code.says(opcode::text).closes(1001).cuts_off().verdict(), "OK WRONG_CODE");
  // The kit ends it first: how the testee does is no longer seen.
  Conversation server("1.1.1", Role::server);
  EXPECT_TRUE(server.says(opcode::text).closes(1000).done());
  EXPECT_EQ(server.cuts_off().verdict(), "OK OK");
}

TEST(Session_, TheTesteeHasToFailTheConnection) {
  Conversation fails("3.1");
  EXPECT_EQ(fails.closes(1002).drops().verdict(), "OK OK");
  Conversation drops("3.1");
  EXPECT_EQ(drops.drops().verdict(), "OK OK");
  Conversation other_code("3.1");
  EXPECT_EQ(other_code.closes(1007).drops().verdict(), "OK WRONG_CODE");
  Conversation stays("3.1");
  EXPECT_EQ(stays.closes(1002).after(milliseconds(1000)).verdict(), "OK FAILED_BY_CLIENT");
  Conversation echoes("3.1");
  EXPECT_EQ(echoes.says(opcode::text, hello).after(milliseconds(1000)).closes(1001).drops().verdict(),
            "FAILED FAILED");
}

TEST(Session_, OkAndNonStrict) {
  Conversation strict("4.1.3");
  EXPECT_EQ(strict.says(opcode::text, hello).closes(1002).drops().verdict(), "OK OK");
  Conversation lax("4.1.3");
  EXPECT_EQ(lax.closes(1002).drops().verdict(), "NON-STRICT OK");
  Conversation pong("4.1.3");
  EXPECT_EQ(pong.says(opcode::text, hello).says(opcode::pong).closes(1002).drops().verdict(), "FAILED OK");
}

TEST(Session_, FailingFastIsSeenInTheSecondSecond) {
  Conversation fast("6.4.1");
  EXPECT_EQ(fast.after(milliseconds(1000)).closes(1007).drops().verdict(), "OK OK");
  Conversation late("6.4.1");
  EXPECT_EQ(late.after(milliseconds(2000)).closes(1007).drops().verdict(), "NON-STRICT OK");
  Conversation early("6.4.1");
  EXPECT_EQ(early.closes(1007).drops().verdict(), "FAILED OK");  // what came was still sound
  Conversation never_("6.4.1");
  EXPECT_EQ(never_.after(milliseconds(3000)).closes(1001).drops().verdict(), "FAILED FAILED");
}

TEST(Session_, TheWrongCloserFailsUtf8CasesWhole) {
  Conversation kit_closes("6.3.1");
  EXPECT_EQ(kit_closes.after(milliseconds(1000)).closes(1001).drops().verdict(), "FAILED FAILED");
}

TEST(Session_, AWrongCodeFailsClosingCasesWhole) {
  Conversation wrong("7.3.3");
  EXPECT_EQ(wrong.closes(1001).drops().verdict(), "FAILED WRONG_CODE");
  Conversation right("7.7.10");
  EXPECT_EQ(right.closes(3000).drops().verdict(), "OK OK");
  Conversation accepted("7.9.1");
  EXPECT_EQ(accepted.closes(1000).drops().verdict(), "FAILED WRONG_CODE");
  Conversation dropped("7.9.1");
  EXPECT_EQ(dropped.drops().verdict(), "OK OK");
  Conversation talks("7.1.3");
  EXPECT_EQ(talks.says(opcode::pong).closes(1000).drops().verdict(), "FAILED OK");
}

TEST(Session_, InformationalWhateverHappens) {
  Conversation talk("7.13.1");
  EXPECT_EQ(talk.drops().verdict(), "INFORMATIONAL INFORMATIONAL");
}

TEST(Session_, PingsOfTheTesteeAreAnsweredAndNotRecorded) {
  Conversation talk("1.1.1");
  talk.says(opcode::ping, "x").says(opcode::text).closes(1000).drops();
  EXPECT_EQ(talk.verdict(), "OK OK");
  EXPECT_EQ(talk.result().sent.frames.at(opcode::pong), 1u);
}

TEST(Session_, ABrokenRuleFailsTheCase) {
  Conversation talk("1.1.1");
  EXPECT_EQ(talk.says(opcode::text, "", true, 1).closes(1002).drops().verdict(), "FAILED UNCLEAN");
  EXPECT_TRUE(talk.result().failed_by_kit);
  EXPECT_NE(talk.result().result.find("reserved bits"), std::string::npos);
}

TEST(Session_, LockStepChecksTypeAndLength) {
  const unsigned count = find_case("9.7.2").exchange->count;
  const auto run = [&](unsigned echoes, unsigned type, const std::string& last) {
    Conversation talk("9.7.2");
    for (unsigned i = 0; i + 1 < echoes; ++i) talk.says(opcode::text, std::string(16, '*'));
    talk.says(type, last);
    return talk.after(std::chrono::seconds(60)).closes(1000).drops().verdict();
  };
  EXPECT_EQ(run(count, opcode::text, std::string(16, '*')), "OK UNCLEAN");  // closed a minute too late
  EXPECT_EQ(run(count - 1, opcode::text, std::string(16, '*')), "FAILED OK");
  EXPECT_EQ(run(2, opcode::text, std::string(15, '*')), "FAILED UNCLEAN");
  EXPECT_EQ(run(2, opcode::binary, std::string(16, '*')), "FAILED UNCLEAN");
}

TEST(Session_, WithoutTheExtensionItIsUnimplemented) {
  Conversation talk("12.1.1");
  EXPECT_EQ(talk.closes(1000).drops().verdict(), "UNIMPLEMENTED OK");
}

TEST(Session_, CompressedEchoesAreComparedByContent) {
  const Case& test = find_case("13.3.1");
  DeflateParameters agreed;
  agreed.server_max_window_bits = 9;
  for (const bool right : {true, false}) {
    std::mt19937_64 random(1);
    Session session(test, Role::client, 1, random);
    const Instant now = Instant() + std::chrono::hours(1);
    session.start(now, agreed);
    Deflater deflater(9, true);
    for (unsigned i = 0; i < test.exchange->count; ++i) {
      std::string echo = test.exchange->source->message(i);
      if (!right && i == 3) echo.back() ^= 1;
      const std::string payload = deflater.message(echo);
      session.feed(encode_header({.rsv = 4, .opcode = opcode::text, .length = payload.size()}) + payload,
                   now);
    }
    session.feed(encode_header({.opcode = opcode::close, .length = 2}) + close_payload(1000), now);
    session.feed_end("dropped TCP", now);
    CaseResult result;
    session.finish(now, result);
    EXPECT_EQ(result.verdicts.behavior, right ? Verdict::ok : Verdict::failed) << result.result;
  }
}

}  // namespace
}  // namespace conform
