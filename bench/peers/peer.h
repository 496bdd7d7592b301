// What the peers share: the command line and the line that says where they listen.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace peer {

// The peers take messages up to this size.
inline constexpr unsigned message_bytes_max = 64u << 20;

// --port N; 0: any free one. Ends the program with 2 on anything else.
inline int port_argument(int argc, char** argv) {
  char* end = nullptr;
  const long port = argc == 3 && std::strcmp(argv[1], "--port") == 0 ? std::strtol(argv[2], &end, 10) : -1;
  if (end == nullptr || *end != '\0' || port < 0 || port > 65535) {
    std::fprintf(stderr, "usage: %s --port N\n", argv[0]);
    std::exit(2);
  }
  return static_cast<int>(port);
}

// Of permessage-deflate. on: the server keeps its context; no_context: each message stands alone, both ways.
// Whoever compresses, compresses every message, as zlib's defaults say, with the largest window.
enum class Deflate { off, on, no_context };

inline constexpr int compression_level = 6;
inline constexpr int compression_memory_level = 8;
inline constexpr int compression_window_bits = 15;

// What all negotiate over TLS, so that they are compared by the same work: OpenSSL prefers another one.
inline constexpr const char* tls_cipher = "TLS_AES_128_GCM_SHA256";

struct Arguments {
  int port = -1;
  Deflate deflate = Deflate::off;
  int level = compression_level;
  // Files; both or none.
  const char* tls_certificate = nullptr;
  const char* tls_key = nullptr;

  const char* scheme() const { return tls_certificate == nullptr ? "ws" : "wss"; }
};

// False if it is no number up to this one.
inline bool parse_number(const char* text, long largest, int& number) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  number = static_cast<int>(value);
  return *text != '\0' && *end == '\0' && value >= 0 && value <= largest;
}

inline bool parse_deflate(const char* text, Deflate& deflate) {
  if (std::strcmp(text, "on") == 0) deflate = Deflate::on;
  if (std::strcmp(text, "no-context") == 0) deflate = Deflate::no_context;
  return deflate != Deflate::off || std::strcmp(text, "off") == 0;
}

inline bool parse_argument(const char* name, const char* value, Arguments& given) {
  if (std::strcmp(name, "--port") == 0) return parse_number(value, 65535, given.port);
  if (std::strcmp(name, "--level") == 0) return parse_number(value, 9, given.level);
  if (std::strcmp(name, "--deflate") == 0) return parse_deflate(value, given.deflate);
  if (std::strcmp(name, "--tls-cert") == 0) given.tls_certificate = value;
  if (std::strcmp(name, "--tls-key") == 0) given.tls_key = value;
  return given.tls_certificate == value || given.tls_key == value;
}

// --port N [--deflate off|on|no-context] [--level 0..9] (of zlib) [--tls-cert FILE --tls-key FILE]. Ends the
// program with 2 on anything else.
inline Arguments arguments(int argc, char** argv) {
  Arguments given;
  bool good = argc % 2 == 1;
  for (int i = 1; good && i < argc; i += 2) good = parse_argument(argv[i], argv[i + 1], given);
  if (!good || given.port < 0 || (given.tls_certificate == nullptr) != (given.tls_key == nullptr)) {
    std::fprintf(
        stderr,
        "usage: %s --port N [--deflate off|on|no-context] [--level 0..9] [--tls-cert FILE --tls-key FILE]\n",
        argv[0]);
    std::exit(2);
  }
  return given;
}

inline void print_ready_line(const char* scheme, int port) {
  std::printf("listening on %s://127.0.0.1:%d/\n", scheme, port);
  std::fflush(stdout);
}

// What main() returns if it can not do what it was asked for, with one line that says why.
inline int refuse(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  return 2;
}

// Ends the program with one line.
[[noreturn]] inline void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace peer
