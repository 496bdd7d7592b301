// Of a kit that is built without OpenSSL.
#include "wire/tls_channel.h"

namespace conform {
namespace {

constexpr const char* what_to_do =
    "this kit was built without TLS: install OpenSSL's headers (Debian: libssl-dev), run `meson configure "
    "--clearcache BUILD_DIRECTORY` and build it again";

}  // namespace

std::unique_ptr<TlsContext> tls_client(const TlsTrust& /*trust*/, std::string& problem) {
  problem = what_to_do;
  return nullptr;
}

std::unique_ptr<TlsContext> tls_server(const std::string& /*certificate*/, const std::string& /*key*/,
                                       std::string& problem) {
  problem = what_to_do;
  return nullptr;
}

}  // namespace conform
