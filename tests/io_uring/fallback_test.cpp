// Each feature refused in turn, as by an older kernel: the loop does without it.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>

#include "ring_faults.h"
#include "ring_scenario.h"
#include "test_loops.h"

namespace {

using namespace sansock;
using ring_faults::Injection;
using ring_faults::Operation;
using ring_faults::Refusals;
using scenario::clients;

constexpr int op_fixed_fd_install = 54;  // Linux 6.8; not in the header of liburing 2.3

struct Refused {
  const char* name;
  Refusals refusals;
  unsigned setups;  // until one is granted
};

class Fallback : public testing::TestWithParam<Refused> {
 protected:
  void SetUp() override {
    SANSOCK_SKIP_WITHOUT_IO_URING();
    const Refusals& refusals = GetParam().refusals;
    if (refusals.receive_multishot || refusals.accept_multishot || refusals.zero_copy)
      SANSOCK_SKIP_WITHOUT_ERRORS();
  }
};

TEST_P(Fallback, TheLoopDoesWithout) {
  for (const std::size_t zero_copy_min : {SIZE_MAX, std::size_t{1}}) {
    scenario::Setting setting;
    const Injection injection(GetParam().refusals);
    EXPECT_EQ(scenario::run_on_ring(setting, {.zero_copy_min = zero_copy_min}), clients);
    setting.expect_sound();
    EXPECT_EQ(injection.setups(), GetParam().setups);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Features, Fallback,
    testing::Values(Refused{"Nothing", {}, 1},
                    Refused{"DeferTaskrun", {.setup_flags = IORING_SETUP_DEFER_TASKRUN}, 2},
                    Refused{"SingleIssuer", {.setup_flags = IORING_SETUP_SINGLE_ISSUER}, 3},
                    Refused{"CoopTaskrun", {.setup_flags = IORING_SETUP_COOP_TASKRUN}, 4},
                    Refused{"SubmitAll", {.setup_flags = IORING_SETUP_SUBMIT_ALL}, 5},
                    Refused{"Table", {.table = EINVAL}, 1}, Refused{"TableMemory", {.table = ENOMEM}, 1},
                    Refused{"Probe", {.probe = true}, 1},
                    Refused{"Install", {.operations = {op_fixed_fd_install}}, 1},
                    Refused{"ZeroCopy", {.operations = {IORING_OP_SENDMSG_ZC, IORING_OP_SEND_ZC}}, 1},
                    Refused{"ZeroCopyOfTheSocket", {.zero_copy = true}, 1},
                    Refused{"ReceiveMultishot", {.receive_multishot = true}, 1},
                    Refused{"AcceptMultishot", {.accept_multishot = true}, 1},
                    Refused{"All",
                            {.setup_flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN,
                             .table = EINVAL,
                             .probe = true,
                             .receive_multishot = true,
                             .accept_multishot = true},
                            5}),
    [](const auto& given) { return std::string(given.param.name); });

// What the loop can not do without is told by open().
TEST(FallbackTest, WhatIsNeededIsToldByOpen) {
  SANSOCK_SKIP_WITHOUT_IO_URING();
  const std::pair<Refusals, int> needed[] = {{{.setup = EPERM}, EPERM},
                                             {{.setup = ENOSYS}, ENOSYS},
                                             {{.setup = ENOMEM}, ENOMEM},
                                             {{.setup_flags = IORING_SETUP_R_DISABLED}, EINVAL},
                                             {{.buffer_ring = EINVAL}, EINVAL}};
  for (const auto& [refusals, error] : needed) {
    const Injection injection(refusals);
    scenario::RingLoop loop;
    EXPECT_EQ(loop.open(), std::error_code(error, std::system_category()));
  }
}

// A limit of descriptors that leaves too small a table: ordinary ones do.
TEST(FallbackTest, FewDescriptorsMakeNoTable) {
  SANSOCK_SKIP_WITHOUT_IO_URING();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few{128, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  scenario::Setting setting;
  EXPECT_EQ(scenario::run_on_ring(setting), clients);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  setting.expect_sound();
}

}  // namespace
