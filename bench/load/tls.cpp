// BoringSSL reads and writes through a BIO of ours: it reads from what came at once, and writes into one
// string, so that neither costs a system call for each record.
#include "tls.h"

#include <fmt/core.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace load {
namespace {

[[noreturn]] void fail(const char* what) {
  const std::uint32_t error = ERR_peek_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  throw std::runtime_error(fmt::format("TLS: {}: {}", what, reason == nullptr ? "no reason given" : reason));
}

template <class Pointer, void (*release)(Pointer*)>
struct Release {
  void operator()(Pointer* pointer) const { release(pointer); }
};
using Session = std::unique_ptr<SSL_SESSION, Release<SSL_SESSION, SSL_SESSION_free>>;

}  // namespace

struct TlsContext::State {
  std::unique_ptr<SSL_CTX, Release<SSL_CTX, SSL_CTX_free>> ssl;
  BIO_METHOD* method = nullptr;
  bool resume = false;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { BIO_meth_free(method); }
};

struct TlsStream::State {
  TlsContext::State& context;
  std::unique_ptr<SSL, Release<SSL, SSL_free>> ssl;
  Session session;  // the newest ticket of the server
  std::span<const char> input;
  std::string output;

  static int read(BIO* bio, char* into, int size) {
    auto& input = static_cast<State*>(BIO_get_data(bio))->input;
    BIO_clear_retry_flags(bio);
    if (input.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t taken = std::min(input.size(), static_cast<std::size_t>(size));
    std::memcpy(into, input.data(), taken);
    input = input.subspan(taken);
    return static_cast<int>(taken);
  }

  static int write(BIO* bio, const char* from, int size) {
    static_cast<State*>(BIO_get_data(bio))->output.append(from, static_cast<std::size_t>(size));
    return size;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static int take_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<State*>(SSL_get_app_data(ssl))->session.reset(session);
    return 1;
  }
};

bool tls_built() noexcept { return true; }

TlsContext::TlsContext(bool resume) : state_(std::make_unique<State>()) {
  state_->ssl.reset(SSL_CTX_new(TLS_method()));
  state_->method = BIO_meth_new(BIO_TYPE_MEM, "records");
  state_->resume = resume;
  SSL_CTX* ssl = state_->ssl.get();
  if (ssl == nullptr || state_->method == nullptr) fail("can not be set up");
  BIO_meth_set_read(state_->method, TlsStream::State::read);
  BIO_meth_set_write(state_->method, TlsStream::State::write);
  BIO_meth_set_ctrl(state_->method, TlsStream::State::control);
  // One version, so that servers are compared by the same work.
  SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION);
  SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (resume) SSL_CTX_sess_set_new_cb(ssl, TlsStream::State::take_session);
}

TlsContext::~TlsContext() = default;

TlsStream::TlsStream(const TlsContext& context) : state_(new State{*context.state_, {}, {}, {}, {}}) {}

TlsStream::~TlsStream() = default;

void TlsStream::restart() {
  state_->output.clear();
  state_->input = {};
  state_->ssl.reset(SSL_new(state_->context.ssl.get()));
  SSL* ssl = state_->ssl.get();
  BIO* bio = BIO_new(state_->context.method);
  if (ssl == nullptr || bio == nullptr) fail("can not be set up");
  BIO_set_data(bio, state_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_app_data(ssl, state_.get());
  SSL_set_connect_state(ssl);
  if (state_->session) SSL_set_session(ssl, state_->session.get());
}

bool TlsStream::handshake() {
  const int done = SSL_do_handshake(state_->ssl.get());
  if (done == 1) return true;
  if (SSL_get_error(state_->ssl.get(), done) != SSL_ERROR_WANT_READ) fail("the handshake failed");
  return false;
}

void TlsStream::give(std::span<const char> records) noexcept { state_->input = records; }

std::size_t TlsStream::read(std::span<char> plain) {
  std::size_t size = 0;
  while (size < plain.size()) {
    // One record at a time.
    const int got = SSL_read(state_->ssl.get(), plain.data() + size, static_cast<int>(plain.size() - size));
    if (got > 0) {
      size += static_cast<std::size_t>(got);
      continue;
    }
    const int error = SSL_get_error(state_->ssl.get(), got);
    if (error == SSL_ERROR_WANT_READ) break;
    if (error != SSL_ERROR_ZERO_RETURN) fail("what came is wrong");
    if (size > 0) break;  // it is told again at the next time
    throw std::runtime_error("the server closed it");
  }
  return size;
}

void TlsStream::write(std::string_view plain) {
  while (!plain.empty()) {
    const int put = SSL_write(state_->ssl.get(), plain.data(), static_cast<int>(plain.size()));
    if (put <= 0) fail("can not write");
    plain.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string& TlsStream::output() noexcept { return state_->output; }

bool TlsStream::resumed() const noexcept { return SSL_session_reused(state_->ssl.get()) == 1; }

std::string TlsStream::cipher() const {
  return fmt::format("{} {}", SSL_get_version(state_->ssl.get()),
                     SSL_CIPHER_standard_name(SSL_get_current_cipher(state_->ssl.get())));
}

}  // namespace load
