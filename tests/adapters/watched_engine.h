// TLS for the scenario of the loops, and what becomes of it as somebody sees who is not the TlsLayer.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "sansock/tls_engine.h"
#include "sansock/types.h"
#ifdef SANSOCK_TEST_TLS
#include "trust.h"
#endif

namespace scenario {

enum class Transport : std::uint8_t { plain, tls };

inline const char* name(Transport transport) { return transport == Transport::tls ? "Tls" : "Plain"; }
inline std::string transport_name(const testing::TestParamInfo<Transport>& given) {
  return name(given.param);
}
// "Tls_3"
struct FaultName {
  template <class Fault>
  std::string operator()(const testing::TestParamInfo<std::tuple<Transport, Fault>>& given) const {
    return std::string(name(std::get<0>(given.param))) + "_" + std::to_string(given.index);
  }
};

struct EngineWatch {
  int engines = 0;           // that are there now
  bool established = false;  // was seen
  bool peer_closed = false;  // close_notify was seen
};

// Another engine, watched.
class WatchedEngine : public sansock::TlsEngine {
 public:
  WatchedEngine(std::unique_ptr<sansock::TlsEngine> engine, EngineWatch& watch)
      : engine_(std::move(engine)), watch_(watch) {
    ++watch_.engines;
  }
  ~WatchedEngine() override { --watch_.engines; }

  void start() noexcept override { engine_->start(); }
  void feed(sansock::Bytes ciphertext) noexcept override { engine_->feed(ciphertext); }
  sansock::Bytes next() noexcept override {
    const sansock::Bytes plain = engine_->next();
    watch_.established |= engine_->established();
    watch_.peer_closed |= engine_->peer_closed();
    return plain;
  }
  bool established() const noexcept override { return engine_->established(); }
  bool peer_closed() const noexcept override { return engine_->peer_closed(); }
  sansock::errc failure() const noexcept override { return engine_->failure(); }
  sansock::TlsStatus status() const override { return engine_->status(); }
  std::size_t seal(std::span<const sansock::IoSlice> plaintext) noexcept override {
    return engine_->seal(plaintext);
  }
  void close() noexcept override { engine_->close(); }
  std::size_t output_size() const noexcept override { return engine_->output_size(); }
  std::size_t gather(std::span<sansock::IoSlice> slices) noexcept override { return engine_->gather(slices); }
  void consume(std::size_t written) noexcept override { engine_->consume(written); }

 private:
  std::unique_ptr<sansock::TlsEngine> engine_;
  EngineWatch& watch_;
};

#ifdef SANSOCK_TEST_TLS
inline const auto all_transports = testing::Values(Transport::plain, Transport::tls);

// Of a client: for 127.0.0.1. Every handshake is a whole one.
inline std::unique_ptr<sansock::TlsEngine> make_watched_engine(sansock::Role role, sansock::BlockPool& pool,
                                                               EngineWatch& watch) {
  static const auto server = sansock::test::make_tls_server();
  static const auto client = [] {
    auto options = sansock::test::client_tls_options();
    options.resume = false;
    return sansock::test::make_tls_client(options);
  }();
  auto engine =
      role == sansock::Role::server ? server->make_engine(pool) : client->make_engine(pool, "127.0.0.1", 443);
  return std::make_unique<WatchedEngine>(std::move(engine), watch);
}
#else
inline const auto all_transports = testing::Values(Transport::plain);

inline std::unique_ptr<sansock::TlsEngine> make_watched_engine(sansock::Role, sansock::BlockPool&,
                                                               EngineWatch&) {
  return nullptr;
}
#endif

}  // namespace scenario
