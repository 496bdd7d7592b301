#include "sansock/tls.h"

namespace sansock {

bool tls_built_in() noexcept { return true; }

}  // namespace sansock
