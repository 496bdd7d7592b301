// The simulator can fail: bugs are planted into what surrounds the engine, and the checker that is
// there for it has to name each of them.
#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <string>

#include "runner.h"
#include "sansock/tls.h"

namespace sansock::sim {
namespace {

struct Planted {
  const char* name;
  Plant plant;
  const char* checker;
  bool tls = false;
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.name; }

// Seeds without faults, so that nothing but the planted bug is to be found; with all forms of sends.
Knobs knobs_for(std::uint64_t seed, Plant plant, bool tls = false) {
  Knobs knobs = draw_calm_knobs(seed);
  knobs.plant = plant;
  knobs.tls = tls;
  knobs.actions = {};
  knobs.actions.send = knobs.actions.part = knobs.actions.borrowed = knobs.actions.ping = 10;
  knobs.actions.pause = knobs.actions.broadcast = 5;
  // Only deadlines end a connection on which nothing gets through any more.
  if (plant == Plant::timers_ignored) knobs.faults.half_open = 1000;
  if (plant == Plant::truncation_hidden) knobs.faults.cut = 1000;
  return knobs;
}

// How often each checker names it, over some seeds.
std::map<std::string, int> names_of(Plant plant, bool tls = false) {
  std::map<std::string, int> names;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const SeedResult result = run_seed(knobs_for(seed, plant, tls));
    if (!result.checker.empty()) ++names[result.checker];
  }
  return names;
}

class PlantedBug : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedBug, IsNamed) {
  if (GetParam().tls && !tls_built_in()) GTEST_SKIP() << "there is no TLS";
  const std::map<std::string, int> names = names_of(GetParam().plant, GetParam().tls);
  std::string all;
  for (const auto& [name, count] : names) all += name + " " + std::to_string(count) + ", ";
  EXPECT_TRUE(names.count(GetParam().checker) != 0) << "named: " << all;
}

INSTANTIATE_TEST_SUITE_P(
    Sim, PlantedBug,
    ::testing::Values(Planted{"BytesDuplicated", Plant::bytes_duplicated, "content"},
                      Planted{"BytesLost", Plant::bytes_lost, "causes"},
                      Planted{"BytesReordered", Plant::bytes_reordered, "content"},
                      Planted{"MessageSwallowed", Plant::message_swallowed, "content"},
                      Planted{"BlockLeaked", Plant::block_leaked, "blocks"},
                      Planted{"NeverResumed", Plant::never_resumed, "quiescence"},
                      Planted{"TimersIgnored", Plant::timers_ignored, "deadlock"},
                      Planted{"WakeLost", Plant::wake_lost, "causes"},
                      Planted{"TokenRepeated", Plant::token_repeated, "tokens"},
                      Planted{"ClosedRepeated", Plant::closed_repeated, "events"},
                      Planted{"CodeChanged", Plant::code_changed, "codes"},
                      Planted{"OutputUnbounded", Plant::output_unbounded, "limits"},
                      Planted{"DeadlinePast", Plant::deadline_past, "deadlines"},
                      Planted{"LastMessageSwallowed", Plant::message_swallowed, "delivery"},
                      Planted{"OutputChanged", Plant::output_changed, "output"},
                      Planted{"InterestWrong", Plant::interest_wrong, "interest"},
                      Planted{"ResultWrong", Plant::result_wrong, "commands"},
                      Planted{"FrameKept", Plant::frame_kept, "frames"},
                      Planted{"PingChanged", Plant::ping_changed, "control"},
                      Planted{"MemoryKept", Plant::memory_kept, "memory"},
                      Planted{"TurnRepeated", Plant::turn_repeated, "livelock"},
                      Planted{"DroppedInSecret", Plant::dropped_in_secret, "liveness"},
                      // Over TLS no changed byte gets through.
                      Planted{"TlsBytesDuplicated", Plant::bytes_duplicated, "causes", true},
                      Planted{"TlsBytesLost", Plant::bytes_lost, "causes", true},
                      Planted{"TlsBytesReordered", Plant::bytes_reordered, "causes", true},
                      Planted{"TlsBlockLeaked", Plant::block_leaked, "blocks", true},
                      Planted{"TlsOutputChanged", Plant::output_changed, "output", true},
                      Planted{"TlsNotifyForgotten", Plant::notify_forgotten, "tls", true},
                      Planted{"TlsTruncationHidden", Plant::truncation_hidden, "tls", true}),
    [](const auto& planted) { return planted.param.name; });

// The same without a planted bug: none of the names above comes from elsewhere.
TEST(PlantedBugs, NoneIsFoundWhereNoneIs) {
  EXPECT_TRUE(names_of(Plant::none).empty());
  EXPECT_TRUE(names_of(Plant::none, tls_built_in()).empty());
}

// What is damaged on its way ends the connection, and nothing of it is delivered.
TEST(PlantedBugs, OverTlsNothingDamagedIsDelivered) {
  if (!tls_built_in()) GTEST_SKIP() << "there is no TLS";
  for (const Plant plant : {Plant::bytes_duplicated, Plant::bytes_lost, Plant::bytes_reordered}) {
    const std::map<std::string, int> names = names_of(plant, true);
    EXPECT_EQ(names.count("content"), 0u);
    EXPECT_EQ(names.count("control"), 0u);
  }
}

TEST(PlantedBugs, TheReportSaysHowToReplay) {
  const SeedResult result = run_seed(knobs_for(0, Plant::deadline_past));
  ASSERT_FALSE(result.checker.empty());
  EXPECT_EQ(result.report.find("seed=0 " + result.checker + ": "), 0u) << result.report;
  EXPECT_NE(result.report.find("\nnetwork: latency "), std::string::npos);
  EXPECT_NE(result.report.find("\nreplay with: build/tests/sim/sim --seed 0 --trace\n"), std::string::npos);
}

}  // namespace
}  // namespace sansock::sim
