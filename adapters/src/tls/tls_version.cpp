#include "sansock/tls.h"

namespace sansock {

std::string_view name(TlsVersion version) noexcept {
  return version == TlsVersion::tls_1_2 ? "TLS 1.2" : "TLS 1.3";
}

}  // namespace sansock
