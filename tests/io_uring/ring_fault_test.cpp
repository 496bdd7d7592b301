// The scenario of all loops while operations fail, fall short, or find no room in the ring.
#include <gtest/gtest.h>

#include <cerrno>

#include "ring_faults.h"
#include "ring_scenario.h"
#include "test_loops.h"

namespace {

using namespace sansock;
using ring_faults::Fault;
using ring_faults::Injection;
using ring_faults::Operation;
using ring_faults::Refusals;
using scenario::clients;

// With direct descriptors or ordinary ones, receives and accepts that go on or that are asked for one
// by one.
struct Kind {
  const char* name;
  Refusals refusals;
  LoopOptions options = {};
};

const Kind kinds[] = {
    {"Best", {}},
    {"OneByOne", {.receive_multishot = true, .accept_multishot = true}},
    {"OrdinaryDescriptors", {.table = ENOMEM}},
    {"OldestKernel", {.table = ENOMEM, .receive_multishot = true, .accept_multishot = true}},
};

// Output leaves without being copied, or would if the socket had that.
const Kind zero_copy_kinds[] = {
    {"ZeroCopy", {}, {.zero_copy_min = 1}},
    {"ZeroCopyOrdinaryDescriptors", {.table = ENOMEM}, {.zero_copy_min = 1}},
    {"ZeroCopyRefused", {.zero_copy = true}, {.zero_copy_min = 1}},
};

// All that arrives makes a connection one to which much comes, until three times little has come.
const Kind large_kinds[] = {
    {"Large", {}, {.large_receive_min = 1}},
    {"LargeOneByOne", {.receive_multishot = true, .accept_multishot = true}, {.large_receive_min = 1}},
    {"LargeOrdinaryDescriptors", {.table = ENOMEM}, {.large_receive_min = 1}},
    {"LargeSometimes", {}, {.large_receive_min = 1000}},
};

std::vector<Kind> all_kinds() {
  std::vector<Kind> all(std::begin(kinds), std::end(kinds));
  all.insert(all.end(), std::begin(large_kinds), std::end(large_kinds));
  all.insert(all.end(), std::begin(zero_copy_kinds), std::end(zero_copy_kinds));
  return all;
}

struct Harmless {
  std::string name;
  Operation operation;
  Fault fault;
};

class RingHarmlessFault : public testing::TestWithParam<std::tuple<scenario::Transport, Kind, Harmless>> {
 protected:
  void SetUp() override { SANSOCK_SKIP_WITHOUT_IO_URING(); }
};

// Faults that lose nothing: everything completes as without them.
TEST_P(RingHarmlessFault, AtEverySecondOperation) {
  const auto& [transport, kind, harmless] = GetParam();
  if (harmless.fault.error != 0 || kind.refusals.receive_multishot) SANSOCK_SKIP_WITHOUT_ERRORS();
  scenario::Setting setting(transport);
  const Injection injection(
      [&harmless = harmless](Operation operation, unsigned nth) {
        return operation == harmless.operation && nth % 2 == 1 ? harmless.fault : Fault{};
      },
      kind.refusals);
  EXPECT_EQ(scenario::run_on_ring(setting, kind.options), clients);
  EXPECT_GT(injection.uses(harmless.operation), 0u);
  setting.expect_sound();
}

// "Tls_OneByOne"
template <class Params>
std::string prefix(const Params& params) {
  return std::string(scenario::name(std::get<0>(params))) + "_" + std::get<1>(params).name;
}
template <class Param>
std::string name_of(const testing::TestParamInfo<std::tuple<scenario::Transport, Kind, Param>>& given) {
  return prefix(given.param) + std::string("_") + std::get<2>(given.param).name;
}

INSTANTIATE_TEST_SUITE_P(
    Operations, RingHarmlessFault,
    testing::Combine(scenario::all_transports, testing::ValuesIn(kinds),
                     testing::Values(Harmless{"ReceiveInterrupted", Operation::receive, {.error = EINTR}},
                                     Harmless{"ReceiveAgain", Operation::receive, {.error = EAGAIN}},
                                     Harmless{"ReceiveNoBuffers", Operation::receive, {.error = ENOBUFS}},
                                     Harmless{"ReceiveCancelled", Operation::receive, {.error = ECANCELED}},
                                     Harmless{"SendInterrupted", Operation::send, {.error = EINTR}},
                                     Harmless{"SendAgain", Operation::send, {.error = EAGAIN}},
                                     Harmless{"SendNoBuffers", Operation::send, {.error = ENOBUFS}},
                                     Harmless{"SendNoMemory", Operation::send, {.error = ENOMEM}},
                                     Harmless{"SendShort", Operation::send, {.size_max = 7}},
                                     Harmless{"AcceptInterrupted", Operation::accept, {.error = EINTR}},
                                     Harmless{"AcceptAgain", Operation::accept, {.error = EAGAIN}},
                                     Harmless{"AcceptAborted", Operation::accept, {.error = ECONNABORTED}},
                                     Harmless{"AcceptNoDescriptors", Operation::accept, {.error = EMFILE}},
                                     Harmless{"AcceptTableFull", Operation::accept, {.error = ENFILE}},
                                     Harmless{"MailboxInterrupted", Operation::mailbox, {.error = EINTR}})),
    name_of<Harmless>);

INSTANTIATE_TEST_SUITE_P(
    LargeOperations, RingHarmlessFault,
    testing::Combine(scenario::all_transports, testing::ValuesIn(large_kinds),
                     testing::Values(Harmless{"ReceiveCancelled", Operation::receive, {.error = ECANCELED}},
                                     Harmless{"LargeInterrupted", Operation::receive_large, {.error = EINTR}},
                                     Harmless{
                                         "LargeCancelled", Operation::receive_large, {.error = ECANCELED}},
                                     Harmless{"ReadableInterrupted", Operation::readable, {.error = EINTR}},
                                     Harmless{"ReadableCancelled", Operation::readable, {.error = ECANCELED}},
                                     Harmless{"ReadableNoMemory", Operation::readable, {.error = ENOMEM}},
                                     Harmless{"SendAgain", Operation::send, {.error = EAGAIN}},
                                     Harmless{"SendShort", Operation::send, {.size_max = 7}})),
    name_of<Harmless>);

INSTANTIATE_TEST_SUITE_P(
    ZeroCopyOperations, RingHarmlessFault,
    testing::Combine(scenario::all_transports, testing::ValuesIn(zero_copy_kinds),
                     testing::Values(Harmless{"SendAgain", Operation::send, {.error = EAGAIN}},
                                     Harmless{"SendNoMemory", Operation::send, {.error = ENOMEM}},
                                     Harmless{"SendShort", Operation::send, {.size_max = 7}},
                                     Harmless{"ReceiveCancelled", Operation::receive, {.error = ECANCELED}})),
    name_of<Harmless>);

// Each send takes one byte: through the handshakes, and 100 KiB both ways.
class RingOneByte : public testing::TestWithParam<std::tuple<scenario::Transport, Kind>> {
 protected:
  void SetUp() override { SANSOCK_SKIP_WITHOUT_IO_URING(); }
};

TEST_P(RingOneByte, EchoesWhileEverySendTakesOneByte) {
  const auto& [transport, kind] = GetParam();
  scenario::Setting setting(transport);
  setting.send_long();
  const Injection injection(
      [](Operation operation, unsigned) {
        return operation == Operation::send ? Fault{.size_max = 1} : Fault{};
      },
      kind.refusals);
  scenario::RingLoop loop(kind.options);
  EXPECT_TRUE(scenario::run_over_pair(loop, setting));
  EXPECT_GT(injection.uses(Operation::send), 200u << 10);
  setting.expect_sound();
}

INSTANTIATE_TEST_SUITE_P(Kinds, RingOneByte,
                         testing::Combine(scenario::all_transports,
                                          testing::Values(kinds[0], large_kinds[0], zero_copy_kinds[0])),
                         [](const auto& given) { return prefix(given.param); });

// C7: a fault that ends a connection, at the k-th operation for every k. It ends that connection, with
// one `closed`, and no other; nothing leaks.
struct Fatal {
  std::string name;
  Operation operation;
  int error;
};

class RingFatalFault : public testing::TestWithParam<std::tuple<scenario::Transport, Kind, Fatal>> {
 protected:
  void SetUp() override {
    SANSOCK_SKIP_WITHOUT_IO_URING();
    SANSOCK_SKIP_WITHOUT_ERRORS();
  }
};

TEST_P(RingFatalFault, C7_AtTheKthOperationForAllK) {
  const auto& [transport, kind, fatal] = GetParam();
  unsigned uses = 0;
  for (unsigned k = 1;; ++k) {
    SCOPED_TRACE(k);
    scenario::Setting setting(transport);
    const Injection injection(
        [&fatal = fatal, k](Operation operation, unsigned nth) {
          return operation == fatal.operation && nth == k ? Fault{.error = fatal.error} : Fault{};
        },
        kind.refusals);
    const std::size_t descriptors = scenario::descriptors();
    EXPECT_GE(scenario::run_on_ring(setting, kind.options), clients - 1);
    setting.expect_sound();
    EXPECT_EQ(scenario::descriptors(), descriptors);
    uses = injection.uses(fatal.operation);
    if (k > uses || testing::Test::HasFailure()) break;
  }
  EXPECT_GT(uses, clients);
}

INSTANTIATE_TEST_SUITE_P(
    Operations, RingFatalFault,
    testing::Combine(scenario::all_transports, testing::ValuesIn(kinds),
                     testing::Values(Fatal{"ReceiveReset", Operation::receive, ECONNRESET},
                                     Fatal{"ReceiveTimedOut", Operation::receive, ETIMEDOUT},
                                     Fatal{"SendPipe", Operation::send, EPIPE},
                                     Fatal{"SendReset", Operation::send, ECONNRESET},
                                     Fatal{"SendInvalid", Operation::send, EBADF})),
    name_of<Fatal>);

INSTANTIATE_TEST_SUITE_P(
    LargeOperations, RingFatalFault,
    testing::Combine(scenario::all_transports, testing::ValuesIn(large_kinds),
                     testing::Values(Fatal{"LargeReset", Operation::receive_large, ECONNRESET},
                                     Fatal{"LargeTimedOut", Operation::receive_large, ETIMEDOUT},
                                     Fatal{"SendPipe", Operation::send, EPIPE})),
    name_of<Fatal>);

INSTANTIATE_TEST_SUITE_P(
    ZeroCopyOperations, RingFatalFault,
    testing::Combine(scenario::all_transports, testing::Values(zero_copy_kinds[0], zero_copy_kinds[2]),
                     testing::Values(Fatal{"ReceiveReset", Operation::receive, ECONNRESET},
                                     Fatal{"SendPipe", Operation::send, EPIPE},
                                     Fatal{"SendReset", Operation::send, ECONNRESET})),
    name_of<Fatal>);

// A system call that fails hands nothing over and takes nothing away.
class RingCallFault : public testing::TestWithParam<std::tuple<scenario::Transport, Kind, int>> {
 protected:
  void SetUp() override { SANSOCK_SKIP_WITHOUT_IO_URING(); }
};

TEST_P(RingCallFault, AtEverySecondCall) {
  const auto& [transport, kind, error] = GetParam();
  scenario::Setting setting(transport);
  Injection injection(kind.refusals);
  injection.calls([error = error](unsigned nth) { return nth % 2 == 1 ? error : 0; });
  EXPECT_EQ(scenario::run_on_ring(setting, kind.options), clients);
  setting.expect_sound();
}

INSTANTIATE_TEST_SUITE_P(Calls, RingCallFault,
                         testing::Combine(scenario::all_transports, testing::ValuesIn(all_kinds()),
                                          testing::Values(EINTR, EAGAIN, EBUSY, ETIME)),
                         [](const auto& given) {
                           const int error = std::get<2>(given.param);
                           return prefix(given.param) + std::string(error == EINTR    ? "_Interrupted"
                                                                    : error == EAGAIN ? "_Again"
                                                                    : error == EBUSY  ? "_Busy"
                                                                                      : "_Timeout");
                         });

// Rings of the smallest sizes: submissions find no room, and completions overflow.
class TinyRing
    : public testing::TestWithParam<std::tuple<scenario::Transport, Kind, std::pair<unsigned, unsigned>>> {
 protected:
  void SetUp() override { SANSOCK_SKIP_WITHOUT_IO_URING(); }
};

TEST_P(TinyRing, CompletesTheScenario) {
  const auto& [transport, kind, sizes] = GetParam();
  const LoopOptions& options = kind.options;
  Refusals refusals = kind.refusals;
  std::tie(refusals.submissions_max, refusals.completions_max) = sizes;
  for (const bool busy : {false, true}) {
    scenario::Setting setting(transport);
    Injection injection(refusals);
    if (busy) injection.calls([](unsigned nth) { return nth % 3 == 0 ? EBUSY : 0; });
    EXPECT_EQ(scenario::run_on_ring(setting, options), clients);
    setting.expect_sound();
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, TinyRing,
                         testing::Combine(scenario::all_transports, testing::ValuesIn(all_kinds()),
                                          testing::Values(std::pair{1u, 2u}, std::pair{2u, 4u},
                                                          std::pair{4u, 8u})),
                         [](const auto& given) {
                           return prefix(given.param) + std::string("_") +
                                  std::to_string(std::get<2>(given.param).first);
                         });

}  // namespace
