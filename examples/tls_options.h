// The TLS options of the example programs.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "sansock/client.h"
#include "sansock/server.h"

namespace examples {

// --tls-cert and --tls-key, both repeated for several certificates; --tls-client-ca, --tls-client,
// --tls-key-log.
class ServerTls {
 public:
  // Where this build has no TLS, each of them is a usage error which says so.
  explicit ServerTls(CLI::App& app);

  bool wanted() const noexcept { return !chain_files_.empty(); }
  // After the command line was parsed: reads the files. False: one line on stderr has told what to do. A
  // further call uses what is in the files then, and keeps the old ones if that can not be used.
  bool load(std::string_view program);
  // nullptr unless it is wanted.
  std::shared_ptr<const sansock::TlsServer> server() const noexcept { return wanted() ? server_ : nullptr; }

 private:
  std::vector<std::string> chain_files_;
  std::vector<std::string> key_files_;
  std::vector<std::string> ocsp_files_;
  sansock::TlsServerOptions options_;
  std::shared_ptr<sansock::TlsServer> server_ = std::make_shared<sansock::TlsServer>();
};

// While it lives, SIGHUP makes a server read its certificates again: `kill -HUP` after they were renewed.
// Made before any other thread, which inherits that the signal is not its own.
class ReloadOnHangUp {
 public:
  ReloadOnHangUp(ServerTls& tls, std::string_view program);
  ReloadOnHangUp(const ReloadOnHangUp&) = delete;
  ReloadOnHangUp& operator=(const ReloadOnHangUp&) = delete;
  ~ReloadOnHangUp();

 private:
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

// --insecure, --tls-ca, --tls-cert, --tls-key, --tls-pin, --tls-name, --tls-key-log.
void add_client_tls_options(CLI::App& app, sansock::TlsClientOptions& options);

}  // namespace examples
