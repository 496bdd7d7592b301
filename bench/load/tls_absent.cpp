// In place of tls.cpp where BoringSSL is not installed. The options refuse what needs it.
#include <stdexcept>

#include "tls.h"

namespace load {

struct TlsContext::State {};
struct TlsStream::State {
  std::string output;
};

bool tls_built() noexcept { return false; }

TlsContext::TlsContext(bool) { throw std::runtime_error("built without TLS"); }
TlsContext::~TlsContext() = default;
TlsStream::TlsStream(const TlsContext&) : state_(std::make_unique<State>()) {}
TlsStream::~TlsStream() = default;
void TlsStream::restart() {}
bool TlsStream::handshake() { return false; }
void TlsStream::give(std::span<const char>) noexcept {}
std::size_t TlsStream::read(std::span<char>) { return 0; }
void TlsStream::write(std::string_view) {}
std::string& TlsStream::output() noexcept { return state_->output; }
bool TlsStream::resumed() const noexcept { return false; }
std::string TlsStream::cipher() const { return {}; }

}  // namespace load
