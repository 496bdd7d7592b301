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
