// What went wrong in BoringSSL, as one of our causes.
#pragma once

#include "sansock/error.h"

namespace sansock {

// Of the oldest error of this thread's queue, after a call has failed with SSL_ERROR_SSL.
errc tls_cause_of_error() noexcept;
// Of X509_V_ERR_..., and whose certificate it is does not matter.
errc tls_cause_of_verification(int error) noexcept;

}  // namespace sansock
