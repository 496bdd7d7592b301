// A chat on one port: the page at "/", its WebSocket at "/chat", an echo at WebSocket "/", and a
// health check at "/healthz".
#include <iostream>
#include <nlohmann/json.hpp>

#include "chat/chat_route.h"
#include "chat/page_files.h"
#include "echo_route.h"
#include "options.h"
#include "tls_options.h"

namespace {

constexpr const char* program = "chat";
constexpr std::uint64_t echo_message_max = 64u << 20;

// The page loads nothing from elsewhere and runs no script but its own, so it may say so.
sansock::Page file(std::string_view body, const char* content_type) {
  return {.content_type = content_type,
          .body = std::string(body),
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                       "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-cache"}}};
}

void add_pages(sansock::Server& server, const chat::ChatService& service) {
  using sansock::Request;
  server.page("/", [](const Request&) { return file(chat::page_html, "text/html; charset=utf-8"); });
  server.page("/page.css", [](const Request&) { return file(chat::page_css, "text/css; charset=utf-8"); });
  server.page("/page.js",
              [](const Request&) { return file(chat::page_js, "text/javascript; charset=utf-8"); });
  server.page("/connection.js",
              [](const Request&) { return file(chat::connection_js, "text/javascript; charset=utf-8"); });
  server.page("/healthz", [&server, &service](const Request&) {
    const auto numbers = service.numbers();
    const nlohmann::json health = {{"status", "ok"},
                                   {"connections", server.connections()},
                                   {"rooms", numbers.rooms},
                                   {"members", numbers.members}};
    return sansock::Page{.content_type = "application/json",
                         .body = health.dump() + "\n",
                         .headers = {{"Cache-Control", "no-store"}}};
  });
}

}  // namespace

int main(int argc, char** argv) {
  sansock::ServerOptions server_options;
  sansock::ListenOptions listen_options = {.port = 9001};
  CLI::App app("Serves a chat with its web page, and an echo.", program);
  app.add_option("--port", listen_options.port, "TCP port; 0: any free one")->capture_default_str();
  app.add_option("--host", listen_options.host, "address to listen on")->capture_default_str();
  app.add_option("--threads", server_options.threads, "event loops")
      ->check(CLI::Range(1u, 256u))
      ->capture_default_str();
  examples::add_adapter_option(app, server_options.adapter);
  examples::ServerTls tls(app);
  if (const auto code = examples::parse(app, argc, argv)) return *code;

  if (!tls.load(program)) return examples::exit_failed;
  listen_options.tls = tls.server();
  examples::raise_descriptor_limit();
  sansock::Server server(server_options);
  chat::ChatService service(server);
  server.route("/", examples::echo_route(echo_message_max));
  server.route("/chat", service.route("/chat"));
  add_pages(server, service);
  if (!examples::listen_or_complain(server, listen_options, program)) return examples::exit_failed;

  const examples::ReloadOnHangUp reload_on_hang_up(tls, program);
  const examples::StopOnSignal stop_on_signal(server);
  examples::print_ready_line(server, server_options.adapter, tls.wanted());
  std::cout << "chat page at " << (tls.wanted() ? "https" : "http")
            << server.addresses().front().text().insert(0, "://") << "/\n"
            << std::flush;
  if (const std::error_code error = server.run()) {
    examples::complain(program, "can not serve: " + error.message());
    return examples::exit_failed;
  }
  return 0;
}
