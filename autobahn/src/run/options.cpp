#include "run/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace conform {

void complain(const std::string& text) { std::fprintf(stderr, "conform: %s\n", text.c_str()); }

namespace {

void add_options(CLI::App& app, Options& options) {
  auto* server =
      app.add_option("--server", options.server, "test this server: ws://host:port/path, or wss://")
          ->type_name("URL");
  auto* listen = app.add_option("--listen", options.listen,
                                "be the fuzzing server that clients under test connect to; 0: any port")
                     ->type_name("PORT")
                     ->check(CLI::Range(0, 65535));
  auto* check =
      app.add_option("--check", options.check, "compare an index.json with --expect, and run nothing")
          ->type_name("FILE");
  auto* list = app.add_flag("--list", options.list, "print the cases, and run none");
  server->excludes(listen)->excludes(check)->excludes(list);
  listen->excludes(check)->excludes(list);
  app.add_option("--host", options.host, "address to listen on")
      ->type_name("ADDRESS")
      ->capture_default_str()
      ->needs(listen);
  auto* ca =
      app.add_option("--ca", options.ca,
                     "root certificates (PEM) that a wss:// server is verified with; default: the system's")
          ->type_name("FILE")
          ->needs(server);
  app.add_flag("--insecure", options.insecure, "take any certificate of a wss:// server")
      ->needs(server)
      ->excludes(ca);
  auto* certificate =
      app.add_option("--tls-cert", options.tls_cert,
                     "speak TLS with clients under test: the certificate, and its chain (PEM)")
          ->type_name("FILE")
          ->needs(listen);
  auto* key = app.add_option("--tls-key", options.tls_key, "the key of --tls-cert (PEM)")->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  app.add_option("--agent", options.agent, "name of the server in reports (clients name themselves)")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--cases", options.cases, "only these: ids and prefixes, as in '1.*,6.4.*'")
      ->type_name("LIST");
  app.add_option("--exclude", options.exclude, "not these")->type_name("LIST");
  app.add_option("--out", options.out, "write reports into this directory")->type_name("DIR");
  app.add_option("--expect", options.expect, "pinned verdicts: any difference fails, better ones too")
      ->type_name("FILE");
  app.add_option("--jobs", options.jobs, "cases side by side (groups 9, 12 and 13: at most two)")
      ->check(CLI::Range(1, 256))
      ->capture_default_str()
      ->needs(server);
  app.add_option("--patience", options.patience,
                 "stretch the time limits by this factor, for testees that are instrumented")
      ->check(CLI::Range(1.0, 1000.0))
      ->capture_default_str();
  app.add_flag("--quick", options.quick, "smaller messages and fewer of them in groups 9, 12 and 13");
  app.add_flag("--once", options.once, "end when a client has asked for its reports")->needs(listen);
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& options) {
  CLI::App app("Runs the 517 conformance cases against a WebSocket server or client.", "conform");
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::string text = error.what();
    text = text.substr(0, text.find('\n'));
    complain(text + "; see --help");
    return exit_usage;
  }
  if (options.server.empty() && options.listen < 0 && options.check.empty() && !options.list) {
    complain("nothing to do: give --server URL or --listen PORT; see --help");
    return exit_usage;
  }
  if (!options.check.empty() && options.expect.empty()) {
    complain("--check needs --expect FILE to compare with");
    return exit_usage;
  }
  return std::nullopt;
}

}  // namespace conform
