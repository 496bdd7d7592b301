#include "wire/tls_channel.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

namespace conform {
namespace {

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Ssl = std::unique_ptr<SSL, Free>;
using SslContext = std::unique_ptr<SSL_CTX, Free>;

// The first error since the last look: what follows it only tells where it passed through.
std::string error_text() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (code == 0) return "of unknown cause";
#ifdef ERR_SYSTEM_ERROR
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
#endif
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

bool is_address(const std::string& host) {
  in6_addr octets{};
  return inet_pton(AF_INET, host.c_str(), &octets) == 1 || inet_pton(AF_INET6, host.c_str(), &octets) == 1;
}

class OpensslChannel final : public TlsChannel {
 public:
  explicit OpensslChannel(Ssl ssl)
      : ssl_(std::move(ssl)), input_(BIO_new(BIO_s_mem())), output_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_.get(), input_, output_);
    shake_hands();
  }

  void feed(std::string_view octets) override {
    if (state_ == State::failed) return;
    BIO_write(input_, octets.data(), static_cast<int>(octets.size()));
    if (state_ == State::handshake) shake_hands();
  }

  std::string_view read() override {
    if (state_ != State::open) return {};
    ERR_clear_error();
    const int size = SSL_read(ssl_.get(), record_.data(), static_cast<int>(record_.size()));
    if (size <= 0) note_outcome(size);
    take_output();
    return {record_.data(), static_cast<std::size_t>(std::max(size, 0))};
  }

  void write(std::string_view octets) override {
    ERR_clear_error();
    const int result = SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()));
    if (result <= 0) note_outcome(result);
    take_output();
  }

  void close() override {
    // Neither in the middle of a handshake nor after a fatal alert is there anything to close.
    if (state_ == State::handshake || state_ == State::failed) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    take_output();
  }

  std::string_view output() const override { return std::string_view(wire_).substr(wire_taken_); }
  void consume(std::size_t written) override {
    wire_taken_ += written;
    if (wire_taken_ < wire_.size()) return;
    wire_.clear();
    wire_taken_ = 0;
  }

  State state() const override { return state_; }
  const std::string& problem() const override { return problem_; }

 private:
  void shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      state_ = State::open;
    } else {
      note_outcome(result);
    }
    take_output();
  }

  // After a call that did not do what it is for.
  void note_outcome(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE: return;
      case SSL_ERROR_ZERO_RETURN: state_ = State::ended; return;
      default: break;
    }
    const long verified = SSL_get_verify_result(ssl_.get());
    const bool refused = state_ == State::handshake && verified != X509_V_OK &&
                         (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0;
    problem_ =
        refused ? std::string("its certificate is not accepted: ") + X509_verify_cert_error_string(verified)
                : error_text();
    state_ = State::failed;
  }

  void take_output() {
    char* octets = nullptr;
    const long size = BIO_get_mem_data(output_, &octets);
    if (size <= 0) return;
    wire_.append(octets, static_cast<std::size_t>(size));
    BIO_reset(output_);
  }

  Ssl ssl_;
  BIO* input_;  // ssl_ owns both
  BIO* output_;
  State state_ = State::handshake;
  std::string problem_;
  std::string wire_;
  std::size_t wire_taken_ = 0;
  std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> record_{};
};

class OpensslContext final : public TlsContext {
 public:
  OpensslContext(SslContext context, bool client, TlsTrust trust)
      : context_(std::move(context)), client_(client), trust_(std::move(trust)) {}

  std::unique_ptr<TlsChannel> channel() const override {
    Ssl ssl(SSL_new(context_.get()));
    if (!ssl) throw std::bad_alloc();
    if (client_) {
      SSL_set_connect_state(ssl.get());
      name_host(ssl.get());
    } else {
      SSL_set_accept_state(ssl.get());
    }
    return std::make_unique<OpensslChannel>(std::move(ssl));
  }

 private:
  void name_host(SSL* ssl) const {
    if (is_address(trust_.host)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), trust_.host.c_str());
    } else {
      // SSL_set_tlsext_host_name(), without the cast of that macro.
      SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(trust_.host.c_str()));
      SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      SSL_set1_host(ssl, trust_.host.c_str());
    }
  }

  SslContext context_;
  bool client_;
  TlsTrust trust_;
};

SslContext new_context(const SSL_METHOD* method) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(method));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  return context;
}

}  // namespace

std::unique_ptr<TlsContext> tls_client(const TlsTrust& trust, std::string& problem) {
  SslContext context = new_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), trust.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  const bool found = trust.ca.empty()
                         ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                         : SSL_CTX_load_verify_locations(context.get(), trust.ca.c_str(), nullptr) == 1;
  if (!found) {
    problem = (trust.ca.empty() ? "the system's root certificates" : trust.ca) +
              " can not be read as certificates: " + error_text();
    return nullptr;
  }
  return std::make_unique<OpensslContext>(std::move(context), true, trust);
}

std::unique_ptr<TlsContext> tls_server(const std::string& certificate, const std::string& key,
                                       std::string& problem) {
  SslContext context = new_context(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
    problem = certificate + " can not be read as a certificate: " + error_text();
  } else if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    problem = key + " can not be used as the key of " + certificate + ": " + error_text();
  } else {
    return std::make_unique<OpensslContext>(std::move(context), false, TlsTrust{});
  }
  return nullptr;
}

}  // namespace conform
