// The load generator: many connections, prebuilt messages, and what the server made of them.
#include <fmt/core.h>
#include <sys/resource.h>

#include <csignal>
#include <exception>
#include <optional>

#include "idle_run.h"
#include "negotiation.h"
#include "opening_handshake.h"
#include "result.h"
#include "timed_run.h"

namespace {

constexpr int exit_failed = 1;

// One descriptor a connection: as many as the hard limit allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  load::Options options;
  if (const auto code = load::parse_options(options, argc, argv)) return *code;
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  try {
    std::optional<load::TlsContext> tls;
    if (options.target.tls) tls.emplace(options.tls_resume);
    const load::TlsContext* context = tls ? &*tls : nullptr;
    const load::Negotiated negotiated = load::negotiate(options, context);
    const load::Tape tape(options, negotiated.deflate);
    const load::Plan plan{
        .options = options, .tape = tape, .request = load::make_request(options), .tls = context};
    load::Result result = options.mode == load::Mode::idle ? load::idle_run(plan) : load::timed_run(plan);
    result.negotiated = negotiated;
    load::print_result(options, result);
    if (!options.json_file.empty()) load::write_json(options, result);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "load: {}\n", error.what());
    return exit_failed;
  }
}
