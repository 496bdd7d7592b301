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
using scenario::Transport;

// A client on this thread, under faults, and a server on another, without.
unsigned run_scenario(scenario::Setting& setting) {
  int pair[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);  // in blocking mode
  scenario::Setting server_setting(setting.transport);
  server_setting.config.timeouts = setting.config.timeouts;
  std::thread server([&] {
    BlockingLoop<PeerHandler> loop;
    EXPECT_FALSE(loop.open());
    server_setting.add(loop, pair[1], Role::server);
    EXPECT_TRUE(scenario::turn_until(
        loop, [&] { return loop.connections() == 0; }, setting.time_max));
  });
  BlockingLoop<PeerHandler> loop;
  EXPECT_FALSE(loop.open());
  setting.add(loop, pair[0], Role::client);
  EXPECT_TRUE(scenario::turn_until(
      loop, [&] { return loop.connections() == 0; }, setting.time_max));
  server.join();
  server_setting.expect_sound();
  return setting.completed();
}

class BlockingLoopScenario : public testing::TestWithParam<Transport> {};

TEST_P(BlockingLoopScenario, EchoesAndClosesCleanly) {
  scenario::Setting setting(GetParam());
  EXPECT_EQ(run_scenario(setting), 1u);
  setting.expect_sound();
}

// Each send takes one byte: through the handshakes, and 100 KiB both ways.
TEST_P(BlockingLoopScenario, EchoesWhileEverySendTakesOneByte) {
  scenario::Setting setting(GetParam());
  setting.send_long();
  const faults::Injection injection(
      [](Call used, unsigned) { return used == Call::sendmsg ? Fault{.size_max = 1} : Fault{}; });
  EXPECT_EQ(run_scenario(setting), 1u);
  EXPECT_GT(injection.uses(Call::sendmsg), 100u << 10);
  setting.expect_sound();
}

INSTANTIATE_TEST_SUITE_P(Transports, BlockingLoopScenario, scenario::all_transports,
                         scenario::transport_name);

class BlockingLoopHarmlessFault
    : public testing::TestWithParam<std::tuple<Transport, std::pair<Call, Fault>>> {};

TEST_P(BlockingLoopHarmlessFault, AtEverySecondCall) {
  const auto& [transport, faulty] = GetParam();
  const auto [call, fault] = faulty;
  scenario::Setting setting(transport);
  const std::size_t descriptors = scenario::descriptors();
  const faults::Injection injection([call = call, fault = fault](Call used, unsigned nth) {
    return used == call && nth % 2 == 1 ? fault : Fault{};
  });
  EXPECT_EQ(run_scenario(setting), 1u);
  EXPECT_GT(injection.uses(call), 0u);
  setting.expect_sound();
  EXPECT_EQ(scenario::descriptors(), descriptors);
}

INSTANTIATE_TEST_SUITE_P(Calls, BlockingLoopHarmlessFault,
                         testing::Combine(scenario::all_transports,
                                          testing::Values(std::pair{Call::recv, Fault{.error = EINTR}},
                                                          std::pair{Call::recv, Fault{.error = EAGAIN}},
                                                          std::pair{Call::recv, Fault{.size_max = 1}},
                                                          std::pair{Call::sendmsg, Fault{.error = EINTR}},
                                                          std::pair{Call::sendmsg, Fault{.error = EAGAIN}},
                                                          std::pair{Call::sendmsg, Fault{.size_max = 7}},
                                                          std::pair{Call::poll, Fault{.error = EINTR}})),
                         scenario::FaultName());

class BlockingLoopFatalFault : public testing::TestWithParam<std::tuple<Transport, std::pair<Call, int>>> {};

TEST_P(BlockingLoopFatalFault, C7_AtTheKthCallForAllK) {
  const auto& [transport, fatal] = GetParam();
  const auto [call, error] = fatal;
  for (unsigned k = 1;; ++k) {
    SCOPED_TRACE(k);
    scenario::Setting setting(transport);
    const std::size_t descriptors = scenario::descriptors();
    const faults::Injection injection([call = call, error = error, k](Call used, unsigned nth) {
      return used == call && nth == k ? Fault{.error = error} : Fault{};
    });
    run_scenario(setting);
    setting.expect_sound();
    EXPECT_EQ(scenario::descriptors(), descriptors);
    // Behind the peer's close_notify only one's own is still to be sent: the end was clean before that.
    const scenario::Record& client = *setting.records[0];
    const bool happened = injection.uses(call) >= k;
    EXPECT_EQ(client.clean, !happened || client.notified_before_closed);
    if (k > injection.uses(call) || testing::Test::HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, BlockingLoopFatalFault,
                         testing::Combine(scenario::all_transports,
                                          testing::Values(std::pair{Call::sendmsg, EPIPE},
                                                          std::pair{Call::sendmsg, ECONNRESET})),
                         scenario::FaultName());

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
