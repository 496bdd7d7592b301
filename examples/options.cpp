#include "options.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iostream>

#include "sansock/io_uring_support.h"

namespace examples {
namespace {

// CLI11's messages may have several lines; ours have one.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::atomic<sansock::Server*> server_to_stop = nullptr;
static_assert(std::atomic<sansock::Server*>::is_always_lock_free, "it is read in a signal handler");

void stop_server(int) {
  if (sansock::Server* server = server_to_stop.load()) server->stop();
}

void set_handlers(void (*handler)(int), int flags) noexcept {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

std::string place_of(const sansock::ListenOptions& options) {
  if (!options.unix_path.empty()) return options.unix_path;
  const bool ipv6 = options.host.find(':') != std::string::npos;
  return (ipv6 ? '[' + options.host + ']' : options.host) + ':' + std::to_string(options.port);
}

std::string_view advice_for(const std::error_code& error) {
  if (error == std::errc::address_in_use) return ": choose another --port, or 0 for any free one";
  if (error == std::errc::permission_denied) return ": choose a port over 1023, or a directory you may write";
  if (error == std::errc::address_not_available) return ": choose a --host of this machine";
  return ": check --host, --port and --unix";
}

}  // namespace

std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    complain(app.get_name(), one_line(error.what()) + " (see " + app.get_name() + " --help)");
    return exit_usage;
  }
}

void complain(std::string_view program, std::string_view text) {
  std::cerr << std::string(program).append(": ").append(text).append("\n") << std::flush;
}

void add_adapter_option(CLI::App& app, sansock::Adapter& adapter) {
  const auto take = [&adapter](const std::string& text) {
    if (text == "auto") {
      adapter = sansock::Adapter::automatic;
    } else if (text == "epoll") {
      adapter = sansock::Adapter::epoll;
    } else if (text == "blocking") {
      adapter = sansock::Adapter::blocking;
    } else if (text == "io_uring") {
      if (const std::error_code error = sansock::io_uring_support()) {
        throw CLI::ValidationError("--adapter", "io_uring is not to be had here (" + error.message() +
                                                    "): use auto, epoll or blocking");
      }
      adapter = sansock::Adapter::io_uring;
    } else {
      throw CLI::ValidationError("--adapter",
                                 "unknown adapter '" + text + "': use auto, io_uring, epoll or blocking");
    }
  };
  app.add_option_function<std::string>("--adapter", take, "I/O by auto, io_uring, epoll or blocking")
      ->type_name("NAME");
}

void add_deflate_option(CLI::App& app, std::optional<sansock::DeflateOptions>& deflate) {
  const auto take = [&deflate](const std::string& text) {
    if (text != "off" && text != "on" && text != "no-context") {
      throw CLI::ValidationError("--deflate", "unknown value '" + text + "': use off, on or no-context");
    }
    deflate.reset();
    if (text == "off") return;
    if (!sansock::deflate_built_in()) {
      throw CLI::ValidationError("--deflate", "compression is not built into this program: use off");
    }
    deflate.emplace();
    if (text == "no-context") {
      deflate->server_no_context_takeover = deflate->client_no_context_takeover = true;
    }
  };
  app.add_option_function<std::string>(
         "--deflate", take,
         "permessage-deflate: off, on, or no-context: each message by itself (default: off)")
      ->type_name("MODE");
}

void raise_descriptor_limit() noexcept {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool listen_or_complain(sansock::Server& server, const sansock::ListenOptions& options,
                        std::string_view program) {
  const std::error_code error = server.listen(options);
  if (!error) return true;
  complain(program, "can not listen on " + place_of(options) + ": " + one_line(error.message()) +
                        std::string(advice_for(error)));
  return false;
}

void print_ready_line(const sansock::Server& server, sansock::Adapter wanted, bool secure) {
  const char* const scheme = secure ? "wss" : "ws";
  for (const sansock::Address& address : server.addresses()) {
    if (address.family == sansock::Address::Family::unix_path) {
      std::cout << "listening on ws+unix:" << address.host << ":/\n";
    } else {
      std::cout << "listening on " << scheme << "://" << address.text() << "/\n";
    }
  }
  std::cout << "adapter " << sansock::name(sansock::resolve_adapter(wanted));
  const std::error_code refused = sansock::io_uring_support();
  if (wanted == sansock::Adapter::automatic && refused)
    std::cout << " (io_uring: " << refused.message() << ')';
  std::cout << '\n' << std::flush;
}

StopOnSignal::StopOnSignal(sansock::Server& server) noexcept {
  server_to_stop = &server;
  // The handler is gone after its first call, so that a second Ctrl-C ends even a stop that hangs.
  set_handlers(stop_server, SA_RESTART | static_cast<int>(SA_RESETHAND));
}

StopOnSignal::~StopOnSignal() {
  set_handlers(SIG_DFL, 0);
  server_to_stop = nullptr;
}

}  // namespace examples
