// What an error of accept(2) is about.
#pragma once

namespace sansock::detail {

// Errors of the connection that was to be accepted (accept(2), "Error handling"): it is gone, and the
// next one may be fine. All others, such as EMFILE, stay: trying again at once would give them again.
bool is_of_connection(int error) noexcept;

}  // namespace sansock::detail
