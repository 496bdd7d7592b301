#include "client_inbox.h"

#include <gtest/gtest.h>

#include <string>

#include "sansock/heap_message_memory.h"

namespace sansock {
namespace {

class ClientInboxTest : public testing::Test {
 protected:
  bool append(std::string text, bool begin, bool end, MessageType type = MessageType::text) {
    Event event;
    event.kind = EventKind::data;
    event.type = type;
    event.begin = begin;
    event.end = end;
    event.bytes = std::as_writable_bytes(std::span(text));
    return inbox_.append(event);
  }

  HeapMessageMemory memory_{1u << 20};
  ClientInbox inbox_{memory_};
};

TEST_F(ClientInboxTest, GivesMessagesInOrder) {
  EXPECT_TRUE(append("one", true, true));
  EXPECT_TRUE(append("", true, true, MessageType::binary));
  EXPECT_TRUE(append("three", true, true));
  EXPECT_EQ(inbox_.take_message().text(), "one");
  const Message second = inbox_.take_message();
  EXPECT_EQ(second.text(), "");
  EXPECT_EQ(second.type, MessageType::binary);
  EXPECT_EQ(inbox_.take_message().text(), "three");
  EXPECT_TRUE(inbox_.empty());
}

TEST_F(ClientInboxTest, RunsOfOneMessageAreContiguous) {
  EXPECT_TRUE(append("before", true, true));
  EXPECT_TRUE(append("a", true, false));
  EXPECT_EQ(inbox_.take_message().text(), "before");
  EXPECT_FALSE(inbox_.has_message());
  EXPECT_TRUE(append("", false, false));
  EXPECT_TRUE(append(std::string(10'000, 'b'), false, false));
  EXPECT_FALSE(inbox_.has_message());
  EXPECT_TRUE(append("c", false, true));
  ASSERT_TRUE(inbox_.has_message());
  EXPECT_EQ(inbox_.take_message().text(), "a" + std::string(10'000, 'b') + "c");
}

TEST_F(ClientInboxTest, PartsOfAMessageCanBeTaken) {
  EXPECT_TRUE(append("a", true, false));
  sansock::Run run = inbox_.take_run();
  EXPECT_EQ(as_text(run.bytes), "a");
  EXPECT_TRUE(run.begin);
  EXPECT_FALSE(run.end);
  EXPECT_TRUE(append("b", false, true));
  run = inbox_.take_run();
  EXPECT_EQ(as_text(run.bytes), "b");
  EXPECT_FALSE(run.begin);
  EXPECT_TRUE(run.end);
}

TEST_F(ClientInboxTest, MovesUpInsteadOfGrowingForEver) {
  append("x", true, true);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(append(std::to_string(i), true, true));
    inbox_.take_message();
    inbox_.release_taken();
  }
  EXPECT_EQ(inbox_.take_message().text(), "19999");
  EXPECT_LE(memory_.in_use(), 8192u);
}

TEST_F(ClientInboxTest, LargeMemoryIsGivenBackWhenEmpty) {
  EXPECT_TRUE(append(std::string(300'000, 'x'), true, true));
  EXPECT_EQ(inbox_.take_message().bytes.size(), 300'000u);
  inbox_.release_taken();
  EXPECT_EQ(memory_.in_use(), 0u);
}

TEST_F(ClientInboxTest, RefusesWhatTheMemoryDoesNotHold) {
  EXPECT_TRUE(append("kept", true, true));
  EXPECT_FALSE(append(std::string(2u << 20, 'x'), true, true));
  EXPECT_EQ(inbox_.take_message().text(), "kept");
  EXPECT_TRUE(inbox_.empty());
}

TEST_F(ClientInboxTest, ClearDropsAll) {
  append("a", true, false);
  inbox_.clear();
  EXPECT_TRUE(inbox_.empty());
  EXPECT_EQ(inbox_.cost(), 0u);
  EXPECT_EQ(memory_.in_use(), 0u);
}

}  // namespace
}  // namespace sansock
