// What the slots of a loop of many connections go through.
#include <gtest/gtest.h>

#include "scripted_peer.h"
#include "test_loops.h"

namespace {

using namespace sansock;

template <class Loop>
class LoopSlot : public testing::Test {
 protected:
  void SetUp() override { SANSOCK_SKIP_IF_REFUSED(Loop); }
};
TYPED_TEST_SUITE(LoopSlot, test::ManyLoops<scripted::Handler>, test::LoopNames);

// Slots are reused for any number of connections; ids of the past find nothing.
TYPED_TEST(LoopSlot, IsReused) {
  scripted::Resources resources;
  TypeParam loop({.connections_max = 300});
  ASSERT_FALSE(loop.open());
  std::uint32_t slot_max = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<scripted::Record> records(300);
    std::vector<scripted::Peer> peers(300);
    std::vector<ConnectionId> ids;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const auto id = loop.add(scripted::make_pair(peers[i]), Role::server, resources.config, &records[i]);
      ASSERT_TRUE(id.has_value());
      slot_max = std::max(slot_max, id->slot);
      ids.push_back(*id);
    }
    scripted::Peer refused;
    EXPECT_FALSE(loop.add(scripted::make_pair(refused), Role::server, resources.config, &records[0]));
    peers.clear();
    ASSERT_TRUE(scripted::turn_until(loop, [&] { return loop.connections() == 0; }));
    for (const ConnectionId id : ids) {
      EXPECT_EQ(loop.find(id), nullptr);
      EXPECT_EQ(loop.fd(id), -1);
    }
    for (const auto& record : records) {
      EXPECT_EQ(record.closed, 1);
      EXPECT_EQ(record.gone, 1);
    }
  }
  EXPECT_LT(slot_max, 512u);
  EXPECT_EQ(resources.pool.in_use(), 0u);
}

// Adding from on_gone works while the loop lives, and is refused while it is destroyed.
struct Successor {
  struct Shared {
    std::function<bool(int fd)> add;
    std::vector<scripted::Peer> peers;
    int added = 0;
    int refused = 0;
  };
  explicit Successor(Shared* shared_state) : shared(shared_state) {}
  Verdict on_event(Endpoint&, const Event&) { return Verdict::keep; }
  void on_gone(ConnectionId) {
    shared->peers.emplace_back();
    const int fd = scripted::make_pair(shared->peers.back());
    ++(shared->add(fd) ? shared->added : shared->refused);
  }
  Shared* shared;
};

template <class Loop>
class LoopSuccessor : public LoopSlot<Loop> {};
TYPED_TEST_SUITE(LoopSuccessor, test::ManyLoops<Successor>, test::LoopNames);

TYPED_TEST(LoopSuccessor, OnGoneMayAddAConnection) {
  scripted::Resources resources;
  Successor::Shared shared;
  {
    TypeParam loop;
    shared.add = [&](int fd) { return loop.add(fd, Role::server, resources.config, &shared).has_value(); };
    ASSERT_FALSE(loop.open());
    shared.peers.emplace_back();
    ASSERT_TRUE(shared.add(scripted::make_pair(shared.peers[0])));
    shared.peers[0].close();
    ASSERT_TRUE(scripted::turn_until(loop, [&] { return shared.added == 1; }));
    EXPECT_EQ(loop.connections(), 1u);
  }
  EXPECT_EQ(shared.added, 1);
  EXPECT_EQ(shared.refused, 1);
}

}  // namespace
