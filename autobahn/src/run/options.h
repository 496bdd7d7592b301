// The command line.
#pragma once

#include <optional>
#include <string>

namespace conform {

struct Options {
  std::string server;  // the kit is the client of this URL
  int listen = -1;     // the kit is a server on this port
  std::string host = "127.0.0.1";
  std::string agent = "server";
  std::string cases;
  std::string exclude;
  std::string out;
  std::string expect;
  std::string ca;         // root certificates, for the server's
  bool insecure = false;  // any certificate of the server will do
  std::string tls_cert;   // of the kit as server
  std::string tls_key;
  unsigned jobs = 32;
  double patience = 1;
  bool quick = false;
  bool once = false;
  bool list = false;
  std::string check;  // an index.json to compare with `expect`, instead of a run
};

// Empty: to be run. Otherwise what to exit with: help was printed, or what is wrong, in one line on stderr.
std::optional<int> parse_options(int argc, char** argv, Options& options);

inline constexpr int exit_good = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

// One line on stderr.
void complain(const std::string& text);

}  // namespace conform
