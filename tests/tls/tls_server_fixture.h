// Servers over TLS, on every adapter.
#pragma once

#include "server_fixture.h"
#include "tls_peer.h"
#include "trust.h"

namespace sansock::test {

// A client of bare records.
class RawTlsClient {
 public:
  explicit RawTlsClient(const Address& server, const TlsPeerOptions& options = {})
      : raw(server), peer(options) {}

  // false: the server did not want to.
  bool handshake() {
    while (!peer.handshake()) {
      flush();
      if (!receive()) return false;
    }
    flush();
    return true;
  }
  void flush() { raw.send(peer.take()); }
  void send(std::string_view plaintext) {
    peer.write(plaintext);
    flush();
  }
  // Until `needle` is there, the transport ends, or nothing comes for long.
  const std::string& read_until(std::string_view needle) {
    while (received.find(needle) == std::string::npos && receive()) continue;
    return received;
  }
  const std::string& read_size(std::size_t size) {
    while (received.size() < size && receive()) continue;
    return received;
  }
  const std::string& read_all() {
    while (receive()) continue;
    return received;
  }
  bool ended() const { return raw.ended(); }
  std::string upgrade(std::string_view path = "/", std::string_view extra = {}) {
    send(RawClient::request(path, extra));
    read_until("\r\n\r\n");
    const std::size_t end = std::min(received.size(), received.find("\r\n\r\n") + 4);
    std::string head = received.substr(0, end);
    received.erase(0, end);
    return head;
  }

  RawClient raw;
  TlsPeer peer;
  std::string received;

 private:
  bool receive() {
    const std::string bytes = raw.read_size(1);
    raw.forget();
    peer.put(bytes);
    if (!peer.handshake()) return !bytes.empty();
    received += peer.read();
    return !bytes.empty();
  }
};

class TlsServerTest : public ServerTest {
 protected:
  void start_tls(const TlsServerOptions& options = server_tls_options()) {
    tls_ = make_tls_server(options);
    ListenOptions where = listen_options(GetParam().transport);
    where.tls = tls_;
    const auto error = server_->listen(where);
    ASSERT_FALSE(error) << error.message();
    ASSERT_FALSE(server_->start());
  }
  std::string tls_url(std::string_view path = "/") const {
    return "wss://" + address().text() + std::string(path);
  }
  ClientOptions tls_client_options() const {
    ClientOptions options = client_options();
    options.tls = client_tls_options();
    return options;
  }
  Client connect_tls(std::string_view path = "/") { return connect_tls(tls_client_options(), path); }
  Client connect_tls(const ClientOptions& options, std::string_view path = "/") {
    Client client(options);
    const auto error = client.connect(tls_url(path));
    EXPECT_FALSE(error) << error.message();
    return client;
  }
  // The subject of the certificate that a client sees that asks for this name.
  std::string subject_for(const std::string& server_name) {
    ClientOptions options = tls_client_options();
    options.tls.server_name = server_name;
    const Client client = connect_tls(options);
    const auto status = client.tls();
    return status && status->peer ? status->peer->subject : "none";
  }
  // It serves, whatever has happened.
  void expect_alive() {
    Client client = connect_tls();
    EXPECT_EQ(echoed(client, "alive"), "alive");
  }

  std::shared_ptr<TlsServer> tls_;
};

inline const auto every_adapter_tcp = ::testing::ValuesIn(places({Transport::ipv4, Transport::ipv6}));

}  // namespace sansock::test
