// An echo server: every message comes back, at every path.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "echo_route.h"
#include "options.h"
#include "tls_options.h"

namespace {

constexpr const char* program = "echo_server";

struct Options {
  sansock::ServerOptions server;
  sansock::ListenOptions tcp = {.port = 9001};
  sansock::ListenOptions unix_socket;
  std::uint64_t message_size_max = 64u << 20;
  std::vector<std::string> subprotocols;
  double ping_interval_s = 30;
  std::optional<sansock::DeflateOptions> deflate;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Sends every WebSocket message back.", program);
  CLI::Option* port =
      app.add_option("--port", options.tcp.port, "TCP port; 0: any free one")->capture_default_str();
  app.add_option("--host", options.tcp.host, "address to listen on")->capture_default_str();
  app.add_option("--unix", options.unix_socket.unix_path, "listen on a Unix socket (with --port: too)")
      ->type_name("PATH");
  app.add_option("--threads", options.server.threads, "event loops")
      ->check(CLI::Range(1u, 256u))
      ->capture_default_str();
  app.add_option("--max-message", options.message_size_max, "largest message in bytes; larger: close 1009")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->type_name("BYTES")
      ->capture_default_str();
  app.add_option("--subprotocol", options.subprotocols, "select it where it is offered; may be repeated")
      ->type_name("NAME");
  app.add_option("--ping-interval", options.ping_interval_s, "seconds of silence before a ping; 0: no pings")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  examples::add_adapter_option(app, options.server.adapter);
  examples::add_deflate_option(app, options.deflate);
  app.add_option("--deflate-memory", options.server.deflate_memory_max,
                 "most memory that an event loop takes for compression")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40))
      ->type_name("BYTES")
      ->capture_default_str();
  examples::ServerTls tls(app);
  if (const auto code = examples::parse(app, argc, argv)) return *code;

  const bool unix_wanted = !options.unix_socket.unix_path.empty();
  const bool tcp_wanted = !unix_wanted || port->count() > 0;
  if (tls.wanted() && !tcp_wanted) {
    // No URL names TLS on a Unix socket, so no client would speak it.
    examples::complain(program, "--tls-cert is for TCP and not for --unix: give --port too");
    return examples::exit_usage;
  }
  if (!tls.load(program)) return examples::exit_failed;
  options.tcp.tls = tls.server();
  examples::raise_descriptor_limit();
  sansock::Server server(options.server);
  sansock::Route route = examples::echo_route(options.message_size_max);
  route.subprotocols = options.subprotocols;
  route.deflate = options.deflate;
  route.timeouts.ping_interval = options.ping_interval_s == 0
                                     ? sansock::no_timeout
                                     : std::chrono::duration_cast<sansock::Duration>(
                                           std::chrono::duration<double>(options.ping_interval_s));
  server.route("/*", std::move(route));
  if (tcp_wanted && !examples::listen_or_complain(server, options.tcp, program)) return examples::exit_failed;
  if (unix_wanted && !examples::listen_or_complain(server, options.unix_socket, program)) {
    return examples::exit_failed;
  }

  const examples::ReloadOnHangUp reload_on_hang_up(tls, program);
  const examples::StopOnSignal stop_on_signal(server);
  examples::print_ready_line(server, options.server.adapter, tls.wanted());
  if (const std::error_code error = server.run()) {
    examples::complain(program, "can not serve: " + error.message());
    return examples::exit_failed;
  }
  return 0;
}
