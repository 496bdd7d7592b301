// The other end of a TLS connection in the test's hands: BoringSSL over memory, for peers that do what none
// should, and for looking at what a peer is sent.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certificates.h"

namespace sansock::test {

inline constexpr std::uint16_t both_versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct TlsPeerOptions {
  bool server = false;
  std::uint16_t version_min = TLS1_2_VERSION;
  std::uint16_t version_max = TLS1_3_VERSION;
  std::string server_name = {};  // a client's SNI; empty: none
  std::vector<std::string> application_protocols = {"http/1.1"};
  std::optional<IssuedCertificate> certificate = std::nullopt;
  std::function<void(SSL_CTX*)> prepare = {};
};

class TlsPeer {
 public:
  explicit TlsPeer(const TlsPeerOptions& options = {});
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  // What the other side has sent.
  void put(std::string_view ciphertext);
  // What is to be sent to it.
  std::string take();

  // Goes on with the handshake; whether that is complete.
  bool handshake();
  bool established() const { return established_; }
  // All the plaintext that there is.
  std::string read();
  bool write(std::string_view plaintext);
  // Says KeyUpdate before what is written next; `asked`: and asks for one.
  void key_update(bool asked);
  // Says close_notify.
  void close();
  // Says a fatal alert.
  void send_alert(std::uint8_t description);
  bool peer_closed() const;
  // The description of the fatal alert that has come; -1: none has.
  int alert() const { return alert_; }

  SSL* ssl() const { return ssl_.get(); }
  // A secret of the key log, as bytes: "CLIENT_TRAFFIC_SECRET_0".
  std::string secret(std::string_view label) const;

 private:
  static void on_key(const SSL* ssl, const char* line);
  static void on_info(const SSL* ssl, int kind, int value);

  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL> ssl_;
  std::vector<std::string> key_log_;
  bool established_ = false;
  int alert_ = -1;
};

}  // namespace sansock::test
