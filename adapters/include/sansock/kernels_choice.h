// Which of the engine's payload loops Server and Client use, unless they are told.
#pragma once

#include "sansock/kernels.h"

namespace sansock {

// The kernels that the environment variable SANSOCK_SIMD names, in any case of letters ("scalar", "AVX2"; for
// bug reports and tests); the best if it is not set or empty. nullptr if this build or CPU has none of that
// name: Server::run(), Server::start() and Client::connect() then give errc::config_invalid.
const Kernels* kernels_from_environment() noexcept;

}  // namespace sansock
