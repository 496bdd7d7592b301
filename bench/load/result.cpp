#include "result.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace load {
namespace {

// A thread that had the CPU for so much of the time had nothing to wait for, but for others who
// wanted the same CPU.
constexpr double busy_share = 0.9;

constexpr struct {
  const char* name;
  double percent;
} percentiles[] = {{"p50", 50}, {"p99", 99}, {"p99_9", 99.9}};

double client_busy_max(const Result& result) {
  return result.client_busy.empty() ? 0
                                    : *std::max_element(result.client_busy.begin(), result.client_busy.end());
}

double server_share(const Result& result) {
  return result.server ? result.server->cpu_s / result.seconds : 0;
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
  fmt::print(", {:.1f} after a message of {} bytes on each\n",
             growth(options, memory.before_bytes, memory.used_bytes), options.size);
}

}  // namespace

std::string bottleneck(const Result& result) {
  // A server of several threads is busy when all of them are, which only one of one thread shows.
  const bool server_busy = server_share(result) >= busy_share;
  const bool client_busy = client_busy_max(result) >= busy_share;
  if (server_busy) return client_busy ? "both" : "server";
  return client_busy ? "client" : "neither";
}

void print_result(const Options& options, const Result& result) {
  if (result.memory) {
    print_memory(options, *result.memory);
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
  fmt::print("client: {:.0f} % busy\n", client_busy_max(result) * 100);
  if (result.server) {
    const ServerUse& server = *result.server;
    const double cpu_us = each(result, server.cpu_s);
    fmt::print("server: {:.0f} % of a CPU ({} threads), {:.3f} us each: {:.3f} user, {:.3f} system\n",
               server_share(result) * 100, server.threads, cpu_us, cpu_us * (1 - system_part(server)),
               cpu_us * system_part(server));
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
      {"type", options.text ? (options.mixed ? "text mixed" : "text") : "binary"},
      {"verify", options.verify},
      {"seconds", result.seconds},
      {"messages", result.messages},
  };
  if (result.memory) {
    json["memory"] = {
        {"before_bytes", result.memory->before_bytes},
        {"opened_bytes_each", growth(options, result.memory->before_bytes, result.memory->opened_bytes)},
        {"used_bytes_each", growth(options, result.memory->before_bytes, result.memory->used_bytes)},
    };
  } else {
    json["messages_per_s"] = static_cast<double>(result.messages) / result.seconds;
    auto& latency = json["latency_us"];
    for (const auto& [name, percent] : percentiles) {
      latency[name] = static_cast<double>(result.latency.percentile(percent)) / 1e3;
    }
    latency["max"] = static_cast<double>(result.latency.max()) / 1e3;
    latency["mean"] = result.latency.mean() / 1e3;
    json["client"] = {{"busy_share", result.client_busy}, {"busy_share_max", client_busy_max(result)}};
    if (result.server) {
      const double cpu_us = each(result, result.server->cpu_s);
      json["server"] = {
          {"cpu_us_each", cpu_us},
          {"user_us_each", cpu_us * (1 - system_part(*result.server))},
          {"system_us_each", cpu_us * system_part(*result.server)},
          {"cpu_share", server_share(result)},
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
