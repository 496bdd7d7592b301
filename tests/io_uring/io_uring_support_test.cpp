// io_uring_support() finds out once in a process, so each of these runs in one of its own.
#include "sansock/io_uring_support.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "ring_faults.h"
#include "sansock/server.h"

namespace {

using namespace sansock;
using ring_faults::Injection;
using ring_faults::Refusals;

// Ends the process: with 0 if io_uring is refused as it should be, and `automatic` is another adapter.
[[noreturn]] void look(Refusals refusals, std::error_code wanted) {
  const Injection injection(std::move(refusals));
  const std::error_code found = io_uring_support();
  const Adapter adapter = resolve_adapter(Adapter::automatic);
  const bool right =
      found == wanted && (adapter == Adapter::io_uring) == !wanted && io_uring_support() == found;
  if (!right)
    std::fprintf(stderr, "found: %s, adapter: %s\n", found.message().c_str(),
                 std::string(name(adapter)).c_str());
  std::_Exit(right ? 0 : 1);
}

std::error_code system_error(int error) { return {error, std::system_category()}; }

TEST(IoUringSupport, IsWhatTheKernelGrants) {
  const auto plain = [] {
    const std::error_code found = io_uring_support();
    std::_Exit(found && resolve_adapter(Adapter::automatic) == Adapter::io_uring ? 1 : 0);
  };
  EXPECT_EXIT(plain(), testing::ExitedWithCode(0), "");
}

TEST(IoUringSupport, ForbiddenByAContainerOrAnAdministrator) {
  EXPECT_EXIT(look({.setup = EPERM}, system_error(EPERM)), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(look({.setup = EACCES}, system_error(EACCES)), testing::ExitedWithCode(0), "");
}

TEST(IoUringSupport, KernelWithoutIt) {
  EXPECT_EXIT(look({.setup = ENOSYS}, system_error(ENOSYS)), testing::ExitedWithCode(0), "");
}

// Before 5.19 there are no rings of buffers, which the kernel says with EINVAL.
TEST(IoUringSupport, KernelThatIsTooOld) {
  EXPECT_EXIT(look({.buffer_ring = EINVAL}, make_error_code(std::errc::function_not_supported)),
              testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      look({.setup_flags = IORING_SETUP_R_DISABLED}, make_error_code(std::errc::function_not_supported)),
      testing::ExitedWithCode(0), "");
}

// A kernel with less than the best is good enough.
TEST(IoUringSupport, DoesNotNeedTheNewest) {
  // Not io_uring_support(): the child would have its finding from here.
  io_uring ring;
  if (io_uring_queue_init(2, &ring, IORING_SETUP_R_DISABLED) != 0) GTEST_SKIP() << "no io_uring";
  io_uring_queue_exit(&ring);
  constexpr unsigned newer =
      IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SUBMIT_ALL;
  Refusals refusals{.setup_flags = newer, .table = EINVAL, .probe = true};
  EXPECT_EXIT(look(refusals, {}), testing::ExitedWithCode(0), "");
}

}  // namespace
