// The command line of the load generator.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "permessage_deflate.h"

namespace load {

enum class Mode { echo, rate, broadcast, idle };
// pattern: what the type and the text say; the others are documents of bench/support.
enum class Payload { pattern, random, json, html };

struct Target {
  bool websocket = true;  // or raw bytes
  bool tls = false;
  std::string authority;  // host:port, as it was written
  std::string path = "/";
  sockaddr_in address{};
};

struct Options {
  std::string url;
  Target target;
  Mode mode = Mode::echo;
  std::size_t connections = 64;
  std::size_t size = 125;
  std::size_t depth = 1;
  std::size_t idle_messages = 1;
  bool text = false;
  bool mixed = false;
  Payload payload = Payload::pattern;
  Deflate deflate = Deflate::off;
  bool tls_resume = false;
  bool verify = false;
  double seconds = 5;
  double warmup_s = 0.5;
  std::size_t threads = 1;
  std::vector<int> cpus;
  int server_pid = 0;
  std::string json_file;
};

const char* mode_name(Mode mode) noexcept;
const char* payload_name(Payload payload) noexcept;
const char* deflate_name(Deflate deflate) noexcept;

// Throws std::invalid_argument that says what is wrong. The host is an IPv4 address or localhost.
Target parse_target(const std::string& url);
// "1", "0,2", "0-3".
std::vector<int> parse_cpus(const std::string& list);

// A value: the program is to end with it, and what there is to say has been said.
std::optional<int> parse_options(Options& options, int argc, char** argv);

}  // namespace load
