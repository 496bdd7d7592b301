#include "sansock/blocking_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "faults.h"
#include "loop_scenario.h"

namespace {

using namespace sansock;
using faults::Call;
using faults::Fault;
using scenario::PeerHandler;

// A client on this thread, under faults, and a server on another, without.
unsigned run_scenario(scenario::Setting& setting) {
  int pair[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);  // in blocking mode
  scenario::Setting server_setting;
  std::thread server([&] {
    BlockingLoop<PeerHandler> loop;
    EXPECT_FALSE(loop.open());
    EXPECT_TRUE(loop.add(pair[1], Role::server, server_setting.config, server_setting.add_record(false)));
    EXPECT_TRUE(scenario::turn_until(loop, [&] { return loop.connections() == 0; }));
  });
  BlockingLoop<PeerHandler> loop;
  EXPECT_FALSE(loop.open());
  const auto id = loop.add(pair[0], Role::client, setting.config, setting.add_record(true));
  EXPECT_TRUE(id);
  EXPECT_FALSE(loop.find(*id)->endpoint().connect({.host = "h"}));
  EXPECT_TRUE(scenario::turn_until(loop, [&] { return loop.connections() == 0; }));
  server.join();
  server_setting.expect_sound();
  return setting.completed();
}

TEST(BlockingLoop, EchoesAndClosesCleanly) {
  scenario::Setting setting;
  EXPECT_EQ(run_scenario(setting), 1u);
  setting.expect_sound();
}

class BlockingLoopHarmlessFault : public testing::TestWithParam<std::pair<Call, Fault>> {};

TEST_P(BlockingLoopHarmlessFault, AtEverySecondCall) {
  scenario::Setting setting;
  const auto [call, fault] = GetParam();
  const faults::Injection injection([call = call, fault = fault](Call used, unsigned nth) {
    return used == call && nth % 2 == 1 ? fault : Fault{};
  });
  EXPECT_EQ(run_scenario(setting), 1u);
  EXPECT_GT(injection.uses(call), 0u);
  setting.expect_sound();
}

INSTANTIATE_TEST_SUITE_P(Calls, BlockingLoopHarmlessFault,
                         testing::Values(std::pair{Call::recv, Fault{.error = EINTR}},
                                         std::pair{Call::recv, Fault{.error = EAGAIN}},
                                         std::pair{Call::recv, Fault{.size_max = 1}},
                                         std::pair{Call::sendmsg, Fault{.error = EINTR}},
                                         std::pair{Call::sendmsg, Fault{.error = EAGAIN}},
                                         std::pair{Call::sendmsg, Fault{.size_max = 7}},
                                         std::pair{Call::poll, Fault{.error = EINTR}}));

class BlockingLoopFatalFault : public testing::TestWithParam<std::pair<Call, int>> {};

TEST_P(BlockingLoopFatalFault, C7_AtTheKthCallForAllK) {
  const auto [call, error] = GetParam();
  for (unsigned k = 1;; ++k) {
    SCOPED_TRACE(k);
    scenario::Setting setting;
    const faults::Injection injection([call = call, error = error, k](Call used, unsigned nth) {
      return used == call && nth == k ? Fault{.error = error} : Fault{};
    });
    run_scenario(setting);
    setting.expect_sound();
    const bool happened = injection.uses(call) >= k;
    EXPECT_NE(setting.records[0]->clean, happened);
    if (k > injection.uses(call) || testing::Test::HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, BlockingLoopFatalFault,
                         testing::Values(std::pair{Call::sendmsg, EPIPE},
                                         std::pair{Call::sendmsg, ECONNRESET}));

TEST(BlockingLoop, TakesOnlyOneConnection) {
  scenario::Setting setting;
  BlockingLoop<PeerHandler> loop;
  ASSERT_FALSE(loop.open());
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  ASSERT_TRUE(loop.add(pair[0], Role::server, setting.config, setting.add_record(false)));
  EXPECT_FALSE(loop.add(pair[1], Role::server, setting.config, setting.add_record(false)));
  setting.records.pop_back();  // it never became a connection
  EXPECT_TRUE(scenario::turn_until(loop, [&] { return loop.connections() == 0; }));  // its peer was closed
  setting.expect_sound();
}

}  // namespace
