// Whether the io_uring adapter can be used.
#pragma once

#include <system_error>

namespace sansock {

// No error if an IoUringLoop can be opened here; otherwise why not: std::errc::function_not_supported
// where it is not built in or the kernel is too old, std::errc::operation_not_permitted where a
// container or an administrator forbids it. It is found out by trying, once in a process.
std::error_code io_uring_support() noexcept;

}  // namespace sansock
