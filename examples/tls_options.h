// The TLS options of the example programs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
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

// --insecure, --tls-ca, --tls-cert, --tls-key, --tls-pin, --tls-name, --tls-key-log.
void add_client_tls_options(CLI::App& app, sansock::TlsClientOptions& options);

}  // namespace examples
