#include "accept_error.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace sansock::detail {

bool is_of_connection(int error) noexcept {
  constexpr int errors[] = {ECONNABORTED, ECONNRESET, EPROTO,       ENOPROTOOPT, ENETDOWN, ENETUNREACH,
                            EHOSTDOWN,    ENONET,     EHOSTUNREACH, ETIMEDOUT,   EPERM};
  return std::find(std::begin(errors), std::end(errors), error) != std::end(errors);
}

}  // namespace sansock::detail
