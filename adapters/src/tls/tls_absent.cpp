// What sansock/tls.h promises of a library without TLS.
#include "sansock/tls.h"
#include "sansock/tls_engine.h"

namespace sansock {
namespace {

constexpr const char* advice =
    "TLS is not built into this program: build sansock with -Dtls=enabled, or use ws://";

}  // namespace

class TlsServer::Impl {};
class TlsClient::Impl {};

bool tls_built_in() noexcept { return false; }

TlsServer::TlsServer() = default;
TlsServer::~TlsServer() = default;
std::error_code TlsServer::load(const TlsServerOptions&) { return errc::url_scheme_unsupported; }
std::string TlsServer::problem() const { return advice; }
std::unique_ptr<TlsEngine> TlsServer::make_engine(BlockPool&) const noexcept { return nullptr; }

TlsClient::TlsClient() = default;
TlsClient::~TlsClient() = default;
std::error_code TlsClient::load(const TlsClientOptions&) { return errc::url_scheme_unsupported; }
std::string TlsClient::problem() const { return advice; }
std::unique_ptr<TlsEngine> TlsClient::make_engine(BlockPool&, std::string_view,
                                                  std::uint16_t) const noexcept {
  return nullptr;
}

}  // namespace sansock
