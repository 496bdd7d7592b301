// A valid Config out of four bytes of a fuzzer's input; four zeros give the defaults, without timers.
#pragma once

#include "check.h"
#include "input.h"
#include "sansock/limits.h"

namespace sansock::fuzz {

struct Settings {
  Role role = Role::server;
  bool endpoint = false;
  std::size_t block_size = 16'384;
  Config config = {};  // without pool and entropy
};

inline Timeouts read_timeouts(unsigned bits) {
  using std::chrono::seconds;
  const auto when = [&](unsigned bit, int time) { return (bits & bit) != 0 ? seconds(time) : no_timeout; };
  Timeouts timeouts;
  timeouts.opening_handshake = when(1, 10);
  timeouts.first_message = when(2, 7);
  timeouts.message_assembly = when(4, 20);
  timeouts.ping_interval = when(8, 3);
  timeouts.pong = when(16, 2);
  timeouts.idle = when(32, 5);
  timeouts.close = (bits & 64) != 0 ? Duration(1) : seconds(10);
  return timeouts;
}

// `choice` 0: the defaults.
inline Limits read_limits(unsigned choice) {
  Limits limits;
  limits.output_bytes_max = std::array{limits.output_bytes_max, 1024u, 5000u, 70'000u}[choice >> 4 & 3];
  limits.pong_bytes_max = std::array{limits.pong_bytes_max, 131u, 1000u, 0xFFFF'FFFFu}[choice >> 6];
  switch (choice & 15) {
    case 0: break;
    case 1: limits.frame_payload_max = 100; break;
    case 2: limits.message_payload_max = 10; break;
    case 3: limits.message_fragments_max = 2; break;
    case 4: limits.message_fragments_empty_max = 1; break;
    case 5: limits.control_frames_per_second_max = 2; break;
    case 6: limits.headers_max = 3; break;
    case 7: limits.discard_bytes_max = 50; break;
    case 8: limits.head_bytes_max = 100; break;
    case 9: limits.refusal_body_max = 5; break;
    case 10: limits.message_fragments_empty_max = 0; break;
    default:
      limits.frame_payload_max = 300;
      limits.message_payload_max = 500;
      limits.message_fragments_max = 6;
      limits.message_fragments_empty_max = 2;
      limits.control_frames_per_second_max = 12;
  }
  return limits;
}

inline constexpr std::string_view listed_origins[] = {"https://example.com", "http://[::1]:81"};

inline Settings read_settings(Input& input) {
  Settings settings;
  const unsigned flags = input.byte();
  Config& config = settings.config;
  settings.role = (flags & 1) != 0 ? Role::client : Role::server;
  settings.endpoint = (flags & 2) != 0;
  config.auto_pong = (flags & 4) == 0;
  config.check_received_text = (flags & 8) == 0;
  config.check_sent_text = (flags & 16) != 0;
  config.lengths_lenient = (flags & 32) != 0;
  config.version_8 = (flags & 64) == 0;
  config.subprotocol_optional = (flags & 128) == 0;
  config.limits = read_limits(input.byte());
  config.timeouts = read_timeouts(input.byte());
  const unsigned more = input.byte();
  config.origin_policy =
      std::array{OriginPolicy::same_origin, OriginPolicy::any, OriginPolicy::list}[(more & 3) % 3];
  if (config.origin_policy == OriginPolicy::list) config.origins = listed_origins;
  config.secure = (more & 4) != 0;
  config.origin_scheme_any = (more & 8) != 0;
  // Blocks as small as they may be make every message cross their borders.
  const std::size_t opening = settings.endpoint ? 512u + 2048u + config.limits.head_bytes_max : 0u;
  const std::size_t least = settings.endpoint ? opening + config.limits.refusal_body_max : block_size_min;
  settings.block_size = std::array{std::size_t{16'384}, least, least + 1, std::size_t{65'536}}[more >> 4 & 3];
  if (!settings.endpoint && (more & 0x40) != 0) config.limits.head_bytes_max = 0;
  if (!settings.endpoint && settings.block_size < 16'384) config.limits.head_bytes_max = 0;
  return settings;
}

}  // namespace sansock::fuzz
