#include "options.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <stdexcept>

#include "tls.h"

namespace load {
namespace {

constexpr std::size_t size_max = std::size_t{64} << 20;
// Of one connection: what is in flight lies in the sockets' buffers and on the server.
constexpr std::size_t flight_bytes_max = std::size_t{256} << 20;

int parse_number(std::string_view digits, int largest, const std::string& what) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value < 0 || value > largest) {
    throw std::invalid_argument(fmt::format("'{}' is not {}", digits, what));
  }
  return value;
}

void check_transport(const Options& options) {
  if (options.deflate != Deflate::off && !options.target.websocket) {
    throw std::invalid_argument("a raw echo has no extensions; drop --deflate");
  }
  if (options.tls_resume && (!options.target.tls || options.mode != Mode::rate)) {
    throw std::invalid_argument(
        "--tls-resume is for handshakes over TLS; give --mode rate and a wss:// or tls:// URL");
  }
  if (options.target.tls && !tls_built()) {
    throw std::invalid_argument(
        "built without TLS; install android-libboringssl-dev, then `meson configure --clearcache build`");
  }
}

void check(const Options& options) {
  if (options.size * options.depth > flight_bytes_max) {
    throw std::invalid_argument("--size times --depth is more than 256 MiB; choose less");
  }
  if (options.mode != Mode::echo && options.mode != Mode::rate && options.threads != 1) {
    throw std::invalid_argument(
        fmt::format("--mode {} runs on one thread; drop --threads", mode_name(options.mode)));
  }
  if (options.mode == Mode::idle && options.server_pid == 0) {
    throw std::invalid_argument("--mode idle measures the server's memory; give its --server-pid");
  }
  if (options.mode != Mode::idle && options.idle_messages != 1) {
    throw std::invalid_argument("--idle-messages is for --mode idle; drop it");
  }
  if (!options.target.websocket && options.size == 0) {
    throw std::invalid_argument("a raw echo has no empty messages; give --size 1 or more");
  }
  if (options.text && options.payload == Payload::random) {
    throw std::invalid_argument("random bytes are no text; drop --type text, or choose another --payload");
  }
  if (options.mixed && options.payload != Payload::pattern) {
    throw std::invalid_argument("--text is for --payload pattern; drop one of them");
  }
  check_transport(options);
  if (options.threads > options.connections) {
    throw std::invalid_argument("--threads is more than --connections; each thread needs one");
  }
}

// Options whose values are words, before these are understood.
struct Words {
  std::string mode = "echo";
  std::string type = "binary";
  std::string text = "ascii";
  std::string payload = "pattern";
  std::string deflate = "off";
  std::string cpus;
};

void understand(const Words& words, Options& options) {
  for (const Mode mode : {Mode::echo, Mode::rate, Mode::broadcast, Mode::idle}) {
    if (words.mode == mode_name(mode)) options.mode = mode;
  }
  for (const Payload payload : {Payload::pattern, Payload::random, Payload::json, Payload::html}) {
    if (words.payload == payload_name(payload)) options.payload = payload;
  }
  for (const Deflate deflate : {Deflate::off, Deflate::on, Deflate::no_context}) {
    if (words.deflate == deflate_name(deflate)) options.deflate = deflate;
  }
  options.text = words.type == "text";
  options.mixed = words.text == "mixed";
  options.target = parse_target(options.url);
  options.cpus = parse_cpus(words.cpus);
}

// What a message is made of.
void add_message_options(CLI::App& app, Options& options, Words& words) {
  app.add_option("--size", options.size, "bytes of payload in a message")
      ->check(CLI::Range(std::size_t{0}, size_max))
      ->capture_default_str();
  app.add_option("--type", words.type, "of the messages")
      ->check(CLI::IsMember({"text", "binary"}))
      ->capture_default_str();
  app.add_option("--text", words.text,
                 "what a text consists of; mixed: characters of one to four bytes (with --type binary: the "
                 "same bytes)")
      ->check(CLI::IsMember({"ascii", "mixed"}))
      ->capture_default_str();
  app.add_option("--payload", words.payload,
                 "pattern: what --type and --text say; random: bytes that can not be compressed; json, html: "
                 "such as real ones")
      ->check(CLI::IsMember({"pattern", "random", "json", "html"}))
      ->capture_default_str();
  app.add_option("--deflate", words.deflate,
                 "permessage-deflate. on: the client keeps its context for a row of messages, the server may "
                 "keep its own; no-context: neither does. A server that declines is a failure")
      ->check(CLI::IsMember({"off", "on", "no-context"}))
      ->capture_default_str();
}

void add_options(CLI::App& app, Options& options, Words& words) {
  constexpr auto million = std::size_t{1'000'000};
  app.add_option(
         "--url", options.url,
         "ws://HOST:PORT/PATH; tcp://HOST:PORT for a raw echo; wss:// and tls:// for the same over TLS 1.3, "
         "without verifying the certificate")
      ->required();
  app.add_option("--mode", words.mode,
                 "echo: messages there and back; rate: opening handshakes; broadcast: one sends, all "
                 "receive; idle: memory a connection")
      ->check(CLI::IsMember({"echo", "rate", "broadcast", "idle"}))
      ->capture_default_str();
  app.add_option("--connections", options.connections, "how many")
      ->check(CLI::Range(std::size_t{1}, million))
      ->capture_default_str();
  add_message_options(app, options, words);
  app.add_option("--depth", options.depth, "messages in flight on each connection")
      ->check(CLI::Range(std::size_t{1}, std::size_t{65536}))
      ->capture_default_str();
  app.add_option(
         "--idle-messages", options.idle_messages,
         "with --mode idle: messages on each connection; memory is told after the first and after all")
      ->check(CLI::Range(std::size_t{1}, million))
      ->capture_default_str();
  app.add_flag("--tls-resume", options.tls_resume,
               "with --mode rate: resume the TLS session of the connection before");
  app.add_option("--seconds", options.seconds, "measure for so long (idle: hold for so long)")
      ->check(CLI::Range(0.01, 86400.0))
      ->capture_default_str();
  app.add_option("--warmup", options.warmup_s, "seconds before that which do not count")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_flag("--verify", options.verify, "compare every byte that comes back");
  app.add_option("--threads", options.threads, "event loops, each with its share of the connections")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}))
      ->capture_default_str();
  app.add_option("--cpus", words.cpus, "pin the threads to these, in turn: 1 or 0,2 or 0-3")
      ->type_name("LIST");
  app.add_option("--server-pid", options.server_pid, "also measure this process: CPU time, memory")
      ->check(CLI::PositiveNumber)
      ->type_name("PID");
  app.add_option("--json", options.json_file, "write the result to this file too")->type_name("FILE");
}

}  // namespace

const char* mode_name(Mode mode) noexcept {
  switch (mode) {
    case Mode::echo: return "echo";
    case Mode::rate: return "rate";
    case Mode::broadcast: return "broadcast";
    case Mode::idle: return "idle";
  }
  return "";
}

const char* payload_name(Payload payload) noexcept {
  switch (payload) {
    case Payload::pattern: return "pattern";
    case Payload::random: return "random";
    case Payload::json: return "json";
    case Payload::html: return "html";
  }
  return "";
}

const char* deflate_name(Deflate deflate) noexcept {
  switch (deflate) {
    case Deflate::off: return "off";
    case Deflate::on: return "on";
    case Deflate::no_context: return "no-context";
  }
  return "";
}

Target parse_target(const std::string& url) {
  Target target;
  std::string_view rest = url;
  if (rest.starts_with("ws://")) {
    rest.remove_prefix(5);
  } else if (rest.starts_with("wss://")) {
    rest.remove_prefix(6);
    target.tls = true;
  } else if (rest.starts_with("tcp://")) {
    rest.remove_prefix(6);
    target.websocket = false;
  } else if (rest.starts_with("tls://")) {
    rest.remove_prefix(6);
    target.websocket = false;
    target.tls = true;
  } else {
    throw std::invalid_argument(
        fmt::format("'{}' begins with none of ws://, wss://, tcp:// and tls://", url));
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) target.path = rest.substr(slash);
  target.authority = rest.substr(0, slash);
  const std::size_t colon = target.authority.rfind(':');
  if (colon == std::string::npos) throw std::invalid_argument(fmt::format("'{}' names no port", url));
  std::string host = target.authority.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  target.address.sin_family = AF_INET;
  target.address.sin_port = htons(static_cast<std::uint16_t>(
      parse_number(std::string_view(target.authority).substr(colon + 1), 65535, "a port")));
  if (inet_pton(AF_INET, host.c_str(), &target.address.sin_addr) != 1) {
    throw std::invalid_argument(fmt::format("'{}' is not an IPv4 address", host));
  }
  return target;
}

std::vector<int> parse_cpus(const std::string& list) {
  std::vector<int> cpus;
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::size_t dash = item.find('-');
    const int first = parse_number(item.substr(0, dash), 1023, "a list of CPUs");
    const int last =
        dash == std::string_view::npos ? first : parse_number(item.substr(dash + 1), 1023, "a list of CPUs");
    if (last < first) throw std::invalid_argument(fmt::format("'{}' is not a list of CPUs", list));
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::optional<int> parse_options(Options& options, int argc, char** argv) {
  CLI::App app("Puts load on a WebSocket or raw echo server, and measures it.", "load");
  Words words;
  add_options(app, options, words);
  try {
    app.parse(argc, argv);
    understand(words, options);
    check(options);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "load: {} (--help lists the options)\n", error.what());
    return 2;
  }
}

}  // namespace load
