// Server tests run at every place: each adapter, over TCP of both families, Unix sockets, and TLS.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "raw_client.h"
#include "sansock/client.h"
#include "sansock/io_uring_support.h"
#include "sansock/server.h"
#ifdef SANSOCK_WITH_TLS
#include "trust.h"
#endif

namespace sansock::test {

enum class Transport : std::uint8_t {
  ipv4,
  ipv6,
  unix_path,
  tls,  // over TCP of IPv4
};

struct Place {
  Adapter adapter = Adapter::epoll;
  Transport transport = Transport::ipv4;
};

inline std::string place_name(const ::testing::TestParamInfo<Place>& info) {
  constexpr const char* names[] = {"Ipv4", "Ipv6", "Unix", "Tls"};
  return std::string(name(info.param.adapter)) + names[static_cast<int>(info.param.transport)];
}
// Of what is built.
inline std::vector<Place> places(std::initializer_list<Transport> transports) {
  std::vector<Place> all;
  for (const Adapter adapter : {Adapter::epoll, Adapter::blocking, Adapter::io_uring}) {
#ifndef SANSOCK_WITH_IO_URING
    if (adapter == Adapter::io_uring) continue;
#endif
    for (const Transport transport : transports) {
#ifndef SANSOCK_WITH_TLS
      if (transport == Transport::tls) continue;
#endif
      all.push_back({adapter, transport});
    }
  }
  return all;
}
inline const auto every_place =
    ::testing::ValuesIn(places({Transport::ipv4, Transport::ipv6, Transport::unix_path, Transport::tls}));
inline const auto every_adapter_and_tls = ::testing::ValuesIn(places({Transport::ipv4, Transport::tls}));
inline const auto every_adapter = ::testing::ValuesIn(places({Transport::ipv4}));

// Waits for what another thread brings about; the bound is only there to end a failing test.
template <class Predicate>
bool eventually(Predicate predicate) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// What handlers saw, in order; from any thread.
class Log {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::size_t count(const std::string& line) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(lines_.begin(), lines_.end(), line));
  }
  bool has(const std::string& line) const { return count(line) != 0; }
  void clear() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class ServerTest : public ::testing::TestWithParam<Place> {
 protected:
  // Where the kernel, a container or an administrator refuses io_uring, its tests say so.
  void SetUp() override {
    if (GetParam().adapter != Adapter::io_uring) return;
    if (const std::error_code refused = io_uring_support())
      GTEST_SKIP() << "no io_uring: " << refused.message();
  }
  ServerOptions options() const {
    ServerOptions options;
    options.adapter = GetParam().adapter;
    // Many tests end with peers that answer nothing any more.
    options.stop_timeout = std::chrono::milliseconds(200);
    return options;
  }
  void make(ServerOptions given) { server_ = std::make_unique<Server>(std::move(given)); }
  void make() { make(options()); }
  Server& server() { return *server_; }

  static ListenOptions listen_options(Transport transport) {
    ListenOptions options;
    if (transport == Transport::ipv6) options.host = "::1";
    if (transport == Transport::unix_path) options.unix_path = unique_path();
    if (transport == Transport::tls) options.tls = tls_server();
    return options;
  }
  void start() {
    const auto error = server_->listen(listen_options(GetParam().transport));
    ASSERT_FALSE(error) << error.message();
    ASSERT_FALSE(server_->start());
  }
  static Route echo() {
    return {.on_message = [](Peer& peer, Message message) { peer.send(message.type, message.bytes); }};
  }
  static std::string unique_path() {
    static std::atomic<int> counter{0};
    return "/tmp/sansock-test-" + std::to_string(::getpid()) + "-" + std::to_string(++counter);
  }

  // Made once: keys take time. nullptr without TLS.
#ifdef SANSOCK_WITH_TLS
  static const std::shared_ptr<TlsServer>& tls_server() {
    static const std::shared_ptr<TlsServer> made = make_tls_server();
    return made;
  }
  static const std::shared_ptr<TlsClient>& tls_client() {
    static const std::shared_ptr<TlsClient> made = make_tls_client();
    return made;
  }
#else
  static std::shared_ptr<TlsServer> tls_server() { return nullptr; }
  static std::shared_ptr<TlsClient> tls_client() { return nullptr; }
#endif
  static bool over_tls() { return GetParam().transport == Transport::tls; }
  static std::string scheme() { return over_tls() ? "wss" : "ws"; }

  ServerAddress address() const { return {server_->addresses().at(0), over_tls() ? tls_client() : nullptr}; }
  std::string url(std::string_view path = "/") const {
    const Address at = address();
    const std::string base =
        at.family == Address::Family::unix_path ? "ws+unix:" + at.host + ":" : scheme() + "://" + at.text();
    return base + std::string(path);
  }
  ClientOptions client_options() const {
    ClientOptions options;
    options.adapter = GetParam().adapter;
    if (over_tls()) options.tls_shared = tls_client();
    return options;
  }
  // A client that is connected.
  Client connect(std::string_view path = "/") {
    Client client(client_options());
    const auto error = client.connect(url(path));
    EXPECT_FALSE(error) << error.message();
    return client;
  }
  std::string echoed(Client& client, std::string_view text) {
    EXPECT_FALSE(client.send(text));
    const auto message = client.receive(std::chrono::seconds(20));
    return message ? std::string(message->text()) : "nothing";
  }

  // Before what handlers refer to.
  void TearDown() override { server_.reset(); }

  Log log_;
  std::unique_ptr<Server> server_;
};

}  // namespace sansock::test
