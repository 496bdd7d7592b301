#include "result.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace load {
namespace {

// Who ran or was ready to run for so much of the time had no message to wait for.
constexpr double busy_share = 0.9;

constexpr struct {
  const char* name;
  double percent;
} percentiles[] = {{"p50", 50}, {"p99", 99}, {"p99_9", 99.9}};

double largest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

double server_share(const Result& result) {
  return result.server ? result.server->cpu_s / result.seconds : 0;
}

double server_waited(const Result& result) {
  return result.server ? result.server->waited_s / result.seconds : 0;
}

double client_ready_max(const Result& result) {
  std::vector<double> ready = result.client_busy;
  for (std::size_t i = 0; i < ready.size() && i < result.client_waited.size(); ++i)
    ready[i] += result.client_waited[i];
  return largest(ready);
}

double each(const Result& result, double seconds) {
  return result.messages == 0 ? 0 : seconds * 1e6 / static_cast<double>(result.messages);
}

// Ticks are coarse and the sum is exact: the ticks tell how the sum is shared.
double system_part(const ServerUse& server) {
  const double ticks = server.user_s + server.system_s;
  return ticks == 0 ? 0 : server.system_s / ticks;
}

double growth(const Options& options, std::uint64_t before, std::uint64_t after) {
  return (static_cast<double>(after) - static_cast<double>(before)) /
         static_cast<double>(options.connections);
}

const char* unit(Mode mode) {
  return mode == Mode::rate ? "handshakes" : mode == Mode::broadcast ? "deliveries" : "messages";
}

void print_memory(const Options& options, const Memory& memory) {
  fmt::print("memory: {:.1f} bytes a connection after opening {}",
             growth(options, memory.before_bytes, memory.opened_bytes), options.connections);
  fmt::print(", {:.1f} after a message of {} bytes on each",
             growth(options, memory.before_bytes, memory.used_bytes), options.size);
  if (memory.later_bytes) {
    fmt::print(", {:.1f} after {}", growth(options, memory.before_bytes, *memory.later_bytes),
               options.idle_messages);
  }
  fmt::print("\n");
}

double received_bytes_each(const Traffic& traffic) {
  return traffic.messages == 0
             ? 0
             : static_cast<double>(traffic.frame_bytes) / static_cast<double>(traffic.messages);
}

double compressed_share(const Traffic& traffic) {
  return traffic.messages == 0
             ? 0
             : static_cast<double>(traffic.compressed) / static_cast<double>(traffic.messages);
}

// Of the opening handshakes whose latency was recorded.
double resumed_share(const Result& result) {
  const std::uint64_t all = result.latency.count();
  return all == 0 ? 0 : static_cast<double>(result.resumed) / static_cast<double>(all);
}

void print_wire(const Options& options, const Result& result) {
  if (result.negotiated.deflate.compressed)
    fmt::print("extension: {}\n", describe(result.negotiated.deflate));
  if (result.negotiated.deflate.compressed && result.traffic.messages > 0) {
    fmt::print("frames: {:.1f} bytes sent and {:.1f} received each, {:.1f} % of the answers compressed\n",
               result.sent_bytes_each, received_bytes_each(result.traffic),
               compressed_share(result.traffic) * 100);
  }
  if (!options.target.tls) return;
  fmt::print("TLS: {}", result.negotiated.tls_cipher);
  if (options.mode == Mode::rate)
    fmt::print(", {:.1f} % of the sessions resumed", resumed_share(result) * 100);
  fmt::print("\n");
}

nlohmann::ordered_json wire_json(const Options& options, const Result& result) {
  auto json = nlohmann::ordered_json::object();
  if (result.negotiated.deflate.compressed) json["extension"] = describe(result.negotiated.deflate);
  if (options.target.websocket && result.traffic.messages > 0) {
    json["frame_bytes_sent_each"] = result.sent_bytes_each;
    json["frame_bytes_received_each"] = received_bytes_each(result.traffic);
    json["compressed_share"] = compressed_share(result.traffic);
  }
  if (!options.target.tls) return json;
  json["tls"] = result.negotiated.tls_cipher;
  if (options.mode == Mode::rate) json["tls_resumed_share"] = resumed_share(result);
  return json;
}

}  // namespace

std::string bottleneck(const Result& result) {
  const bool server_busy = server_share(result) + server_waited(result) >= busy_share;
  const bool client_busy = client_ready_max(result) >= busy_share;
  if (server_busy) return client_busy ? "both" : "server";
  return client_busy ? "client" : "neither";
}

void print_result(const Options& options, const Result& result) {
  if (result.memory) {
    print_memory(options, *result.memory);
    print_wire(options, result);
    return;
  }
  const double messages = static_cast<double>(result.messages);
  fmt::print("{} {} in {:.3f} s: {:.0f}/s", result.messages, unit(options.mode), result.seconds,
             messages / result.seconds);
  if (options.mode != Mode::rate) {
    fmt::print(", {:.1f} MB/s", messages * static_cast<double>(options.size) / result.seconds / 1e6);
  }
  fmt::print("\nlatency in us: mean {:.1f}", result.latency.mean() / 1e3);
  for (const auto& [name, percent] : percentiles) {
    fmt::print("  p{:g} {:.1f}", percent, static_cast<double>(result.latency.percentile(percent)) / 1e3);
  }
  fmt::print("  max {:.1f}\n", static_cast<double>(result.latency.max()) / 1e3);
  print_wire(options, result);
  fmt::print("client: {:.0f} % busy, {:.0f} % waiting for a CPU\n", largest(result.client_busy) * 100,
             largest(result.client_waited) * 100);
  if (result.server) {
    const ServerUse& server = *result.server;
    const double cpu_us = each(result, server.cpu_s);
    fmt::print("server: {:.0f} % of a CPU ({} threads), {:.0f} % waiting for one\n",
               server_share(result) * 100, server.threads, server_waited(result) * 100);
    fmt::print("server CPU time each: {:.3f} us: {:.3f} user, {:.3f} system\n", cpu_us,
               cpu_us * (1 - system_part(server)), cpu_us * system_part(server));
    fmt::print("bottleneck: {}\n", bottleneck(result));
  }
}

void write_json(const Options& options, const Result& result) {
  nlohmann::ordered_json json{
      {"mode", mode_name(options.mode)},
      {"url", options.url},
      {"connections", options.connections},
      {"threads", options.threads},
      {"size", options.size},
      {"depth", options.depth},
      {"type", std::string(options.text ? "text" : "binary") + (options.mixed ? " mixed" : "")},
      {"payload", payload_name(options.payload)},
      {"deflate", deflate_name(options.deflate)},
      {"verify", options.verify},
      {"seconds", result.seconds},
      {"messages", result.messages},
      {"begun_at_s", result.begun_at_s},
  };
  json.update(wire_json(options, result));
  if (result.memory) {
    json["memory"] = {
        {"before_bytes", result.memory->before_bytes},
        {"opened_bytes_each", growth(options, result.memory->before_bytes, result.memory->opened_bytes)},
        {"used_bytes_each", growth(options, result.memory->before_bytes, result.memory->used_bytes)},
    };
    if (result.memory->later_bytes) {
      json["idle_messages"] = options.idle_messages;
      json["memory"]["later_bytes_each"] =
          growth(options, result.memory->before_bytes, *result.memory->later_bytes);
    }
  } else {
    json["messages_per_s"] = static_cast<double>(result.messages) / result.seconds;
    auto& latency = json["latency_us"];
    for (const auto& [name, percent] : percentiles) {
      latency[name] = static_cast<double>(result.latency.percentile(percent)) / 1e3;
    }
    latency["max"] = static_cast<double>(result.latency.max()) / 1e3;
    latency["mean"] = result.latency.mean() / 1e3;
    json["client"] = {{"busy_share", result.client_busy},
                      {"busy_share_max", largest(result.client_busy)},
                      {"waited_share", result.client_waited}};
    if (result.server) {
      const double cpu_us = each(result, result.server->cpu_s);
      json["server"] = {
          {"cpu_us_each", cpu_us},
          {"user_us_each", cpu_us * (1 - system_part(*result.server))},
          {"system_us_each", cpu_us * system_part(*result.server)},
          {"cpu_share", server_share(result)},
          {"waited_share", server_waited(result)},
          {"threads", result.server->threads},
      };
      json["bottleneck"] = bottleneck(result);
    }
  }
  std::ofstream file(options.json_file);
  file << json.dump(2) << '\n';
  file.close();
  if (!file) throw std::runtime_error(fmt::format("can not write {}", options.json_file));
}

}  // namespace load
