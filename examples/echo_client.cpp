// An echo client: sends messages of several sizes, checks that each comes back byte for byte. Or,
// with --autobahn, the echoing side of a fuzzing server's cases.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "autobahn_cases.h"
#include "options.h"
#include "sansock/client.h"
#include "sansock/url.h"
#include "tls_options.h"

namespace {

constexpr const char* program = "echo_client";

struct Options {
  std::string url;
  sansock::ClientOptions client;
  std::uint64_t count = 100;
  std::vector<std::uint64_t> sizes = {0, 1, 125, 126, 1'000, 65'535, 65'536, 1u << 20};
  std::string origin;
  double timeout_s = 30;
  std::string agent;
  unsigned jobs = 1;
};

struct Summary {
  std::uint64_t messages[2] = {0, 0};  // text, binary
  std::uint64_t bytes = 0;
};

int fail(const std::string& text) {
  examples::complain(program, text);
  return examples::exit_failed;
}

// Unpredictable enough that a swapped, lost or repeated byte shows: xorshift64 over the message's
// number. Text mixes characters of one to four bytes, so that cuts fall inside characters.
void fill_payload(std::string& payload, std::uint64_t number, std::uint64_t size, sansock::MessageType type) {
  static constexpr std::string_view characters[] = {"a", "\u00e9", "\u20ac", "\U0001F600", "~"};
  std::uint64_t state = number * 0x9E3779B97F4A7C15u + 1;
  const auto next = [&state] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  };
  payload.clear();
  while (payload.size() < size) {
    if (type == sansock::MessageType::binary) {
      payload.push_back(static_cast<char>(next() >> 32));
      continue;
    }
    const std::string_view character = characters[(next() >> 32) % std::size(characters)];
    payload.append(payload.size() + character.size() <= size ? character : std::string_view("."));
  }
}

std::string ending(const sansock::Client& client) {
  if (client.timed_out()) return "no answer in time";
  const sansock::CloseStatus status = client.close_status();
  if (status.received != sansock::CloseCode::none) {
    std::string text = "the server closed with " + std::to_string(static_cast<unsigned>(status.received));
    if (!client.close_reason().empty()) text.append(" (").append(client.close_reason()).append(")");
    return text;
  }
  return make_error_code(status.cause).message();
}

// Sends one message and checks its echo. Empty: all is well; otherwise what is not.
std::string echo_one(sansock::Client& client, const std::string& payload, sansock::MessageType type,
                     sansock::Duration timeout) {
  if (const auto error = client.send(type, sansock::as_bytes(payload))) {
    return client.state() == sansock::ReadyState::open ? "send: " + error.message() : ending(client);
  }
  const auto echo = client.receive(timeout);
  if (!echo) return ending(client);
  if (echo->type != type) return "the echo is of the other type";
  if (echo->text() == payload) return {};
  if (echo->bytes.size() != payload.size()) {
    return "the echo has " + std::to_string(echo->bytes.size()) + " bytes";
  }
  const auto text = echo->text();
  const auto differs = std::mismatch(text.begin(), text.end(), payload.begin());
  return "the echo differs at byte " + std::to_string(differs.first - text.begin());
}

std::string connect_problem(const sansock::Client& client, const std::error_code& error) {
  const std::string tls = client.tls_problem();
  std::string text = tls.empty() ? error.message() : tls;
  const auto& answer = client.response();
  if (answer.status == 0) return text;
  text += "; the server answered " + std::to_string(answer.status);
  const std::string line = answer.body.substr(0, answer.body.find_first_of("\r\n"));
  if (!line.empty()) text += ": " + line;
  return text;
}

void print_summary(const Summary& summary, std::chrono::duration<double> took, sansock::Duration round_trip) {
  std::cout << "echoed " << summary.messages[0] + summary.messages[1] << " messages (" << summary.messages[0]
            << " text, " << summary.messages[1] << " binary), " << summary.bytes << " bytes each way, in "
            << took.count() << " s; ping "
            << std::chrono::duration_cast<std::chrono::microseconds>(round_trip).count() << " us\n";
}

int run_echo(const Options& options) {
  sansock::Client client(options.client);
  const auto timeout =
      std::chrono::duration_cast<sansock::Duration>(std::chrono::duration<double>(options.timeout_s));
  if (const auto error = client.connect(options.url)) {
    return fail("can not connect to " + options.url + ": " + connect_problem(client, error));
  }
  Summary summary;
  std::string payload;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < options.count; ++i) {
    const std::uint64_t size = options.sizes[i / 2 % options.sizes.size()];
    const auto type = i % 2 == 0 ? sansock::MessageType::text : sansock::MessageType::binary;
    fill_payload(payload, i, size, type);
    if (const std::string problem = echo_one(client, payload, type, timeout); !problem.empty()) {
      return fail("message " + std::to_string(i + 1) + " of " + std::to_string(options.count) + ", " +
                  std::to_string(size) + " bytes: " + problem);
    }
    ++summary.messages[i % 2];
    summary.bytes += payload.size();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const auto round_trip = client.ping_and_wait(timeout);
  if (!round_trip) return fail("ping: " + ending(client));
  if (const auto error = client.close()) return fail("closing: " + error.message());
  print_summary(summary, took, *round_trip);
  return 0;
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("URL", options.url, "ws://host:port/path, wss://host:port/path or ws+unix:/socket:/path")
      ->required();
  app.add_option("--count", options.count, "messages to send")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--sizes", options.sizes, "message sizes in bytes, in turn (default: 0 B to 1 MiB)")
      ->delimiter(',')
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 30))
      ->type_name("BYTES,...");
  app.add_option("--subprotocol", options.client.subprotocols, "offer it; may be repeated")
      ->type_name("NAME");
  app.add_option("--origin", options.client.origin, "Origin header")->type_name("ORIGIN");
  app.add_option("--timeout", options.timeout_s, "seconds to wait for an echo")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  app.add_option("--autobahn", options.agent, "run a fuzzing server's cases as this agent")
      ->type_name("AGENT");
  app.add_option("--jobs", options.jobs, "with --autobahn: cases side by side, a thread each")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  examples::add_adapter_option(app, options.client.adapter);
  examples::add_deflate_option(app, options.client.deflate);
  examples::add_client_tls_options(app, options.client.tls);
}

// What is wrong with the URL, as a sentence that says what to do; empty if nothing is.
std::string url_problem(const std::string& text) {
  sansock::Url url;
  if (sansock::parse_url(text, url) != sansock::errc::none) {
    return "'" + text + "' is not a WebSocket URL: use ws://host:port/path or ws+unix:/socket:/path";
  }
  if (url.secure && !sansock::tls_built_in())
    return "'" + text + "' needs TLS, which is not built into this program: use ws://";
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.client.adapter = sansock::Adapter::automatic;
  options.client.deflate.reset();
  CLI::App app("Checks that a WebSocket echo server gives every message back.", program);
  add_options(app, options);
  if (const auto code = examples::parse(app, argc, argv)) return *code;
  if (const std::string problem = url_problem(options.url); !problem.empty()) {
    examples::complain(program, problem);
    return examples::exit_usage;
  }

  const std::uint64_t size_max =
      std::max<std::uint64_t>(64u << 20, *std::max_element(options.sizes.begin(), options.sizes.end()));
  options.client.limits.frame_payload_max = size_max;
  options.client.limits.message_payload_max = size_max;
  // Room for a whole message and its header on top of what is queued anyway.
  options.client.limits.output_bytes_max = static_cast<std::uint32_t>(size_max + (1u << 20));
  if (!options.agent.empty())
    return examples::run_autobahn_cases(options.client, options.url, options.agent, options.jobs);
  return run_echo(options);
}
