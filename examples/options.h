// What the example programs share: options, exit codes, signals, the ready line.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "sansock/server.h"

namespace examples {

inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

// Parses the command line. A value: the program is to end with it, and what there is to say has
// been said: help on stdout, or one line on stderr.
std::optional<int> parse(CLI::App& app, int argc, char** argv);

// Prints "PROGRAM: text" as one line on stderr.
void complain(std::string_view program, std::string_view text);

// --adapter auto|io_uring|epoll|blocking
void add_adapter_option(CLI::App& app, sansock::Adapter& adapter);
// Where this build has no compression, anything but "off" is a usage error which says so.
void add_deflate_option(CLI::App& app, std::optional<sansock::DeflateOptions>& deflate);

// Lets this process have as many descriptors as its hard limit allows: one a connection.
void raise_descriptor_limit() noexcept;

// listen(), with an error line on stderr that names the place and what to do. False if it failed.
bool listen_or_complain(sansock::Server& server, const sansock::ListenOptions& options,
                        std::string_view program);
// Prints "listening on ws://H:N/" (wss:// if they are `secure`) for each address, and which adapter serves
// them; flushed.
void print_ready_line(const sansock::Server& server, sansock::Adapter wanted, bool secure = false);

// While it lives, SIGINT and SIGTERM stop the server in good order. A second signal ends the
// process at once. One at a time.
class StopOnSignal {
 public:
  explicit StopOnSignal(sansock::Server& server) noexcept;
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  ~StopOnSignal();
};

}  // namespace examples
