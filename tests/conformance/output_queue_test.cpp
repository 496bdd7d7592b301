#include "session/output_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace conform {
namespace {

// The writes of each turn, where the socket takes at most `most` octets at once.
std::vector<std::vector<std::string>> turns(OutputQueue& queue,
                                            std::size_t most = static_cast<std::size_t>(-1)) {
  std::vector<std::vector<std::string>> all;
  while (!queue.empty()) {
    queue.begin_turn();
    all.emplace_back();
    while (!queue.next().empty()) {
      const std::string piece(queue.next().substr(0, most));
      all.back().push_back(piece);
      queue.consume(piece.size());
    }
  }
  return all;
}

using Turns = std::vector<std::vector<std::string>>;

TEST(OutputQueue, JoinsWhatIsFreeToBeJoined) {
  OutputQueue queue;
  queue.push("ab");
  queue.push("cd");
  EXPECT_EQ(turns(queue), (Turns{{"abcd"}}));
}

TEST(OutputQueue, WritesOfTheirOwnHaveATurnAfterThem) {
  OutputQueue queue;
  queue.push("a");
  queue.push_alone("bc");
  queue.push_alone("d");
  queue.push("e");
  queue.push("f");
  EXPECT_EQ(turns(queue), (Turns{{"a", "bc"}, {"d"}, {"ef"}}));
}

TEST(OutputQueue, ChopsIntoPieces) {
  OutputQueue queue;
  queue.push_chopped("abcde", 2);
  queue.push("f");
  EXPECT_EQ(turns(queue), (Turns{{"ab"}, {"cd"}, {"e"}, {"f"}}));
}

TEST(OutputQueue, AShortWriteGoesOnInTheSameTurn) {
  OutputQueue queue;
  queue.push_chopped("abcdef", 3);
  queue.push("gh");
  EXPECT_EQ(turns(queue, 2), (Turns{{"ab", "c"}, {"de", "f"}, {"gh"}}));
  queue.push_alone("xyz");
  queue.begin_turn();
  queue.consume(1);
  EXPECT_EQ(queue.next(), "yz");
  EXPECT_FALSE(queue.turn_over());
  queue.clear();
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace conform
