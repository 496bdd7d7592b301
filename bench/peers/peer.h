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

struct Arguments {
  int port = -1;
  Deflate deflate = Deflate::off;
  int level = compression_level;
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

// --port N [--deflate off|on|no-context] [--level 0..9], of zlib. Ends the program with 2 on anything else.
inline Arguments arguments(int argc, char** argv) {
  Arguments given;
  bool good = argc % 2 == 1 && argc <= 7;
  for (int i = 1; good && i < argc; i += 2) {
    const char* value = argv[i + 1];
    if (std::strcmp(argv[i], "--port") == 0) {
      good = parse_number(value, 65535, given.port);
    } else if (std::strcmp(argv[i], "--level") == 0) {
      good = parse_number(value, 9, given.level);
    } else {
      good = std::strcmp(argv[i], "--deflate") == 0 && parse_deflate(value, given.deflate);
    }
  }
  if (!good || given.port < 0) {
    std::fprintf(stderr, "usage: %s --port N [--deflate off|on|no-context] [--level 0..9]\n", argv[0]);
    std::exit(2);
  }
  return given;
}

inline void print_ready_line(const char* scheme, int port) {
  std::printf("listening on %s://127.0.0.1:%d/\n", scheme, port);
  std::fflush(stdout);
}

// Ends the program with one line.
[[noreturn]] inline void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace peer
