#include "sansock/limits.h"

#include <algorithm>
#include <iterator>

#include "opening_memory.h"
#include "sansock/negotiate.h"

namespace sansock {

namespace {

constexpr std::uint32_t output_bytes_min = 1024;
// A Pong of the largest size: header of a control frame, masking key, payload.
constexpr std::uint32_t pong_bytes_min = 2 + 4 + control_payload_max;

bool pool_fits(const BlockPool& pool, const Limits& limits) noexcept {
  if (pool.block_size() < block_size_min) return false;
  // Where no head may come there is no opening handshake: a Connection without an Endpoint.
  if (limits.head_bytes_max == 0) return true;
  return pool.block_size() >= detail::opening_object_max + limits.head_bytes_max + limits.refusal_body_max +
                                  detail::opening_answer_min;
}

bool limits_sound(const Limits& limits, bool auto_pong) noexcept {
  return limits.frame_payload_max > 0 && limits.message_payload_max > 0 && limits.message_fragments_max > 0 &&
         limits.output_bytes_max >= output_bytes_min &&
         (!auto_pong || limits.pong_bytes_max >= pong_bytes_min) &&
         limits.control_frames_per_second_max > 0 && (limits.head_bytes_max == 0 || limits.headers_max > 0);
}

// A deadline of no time at all could never be kept.
bool timeouts_sound(const Timeouts& timeouts) noexcept {
  const Duration all[] = {timeouts.opening_handshake,
                          timeouts.first_message,
                          timeouts.message_assembly,
                          timeouts.ping_interval,
                          timeouts.pong,
                          timeouts.idle,
                          timeouts.close};
  return std::all_of(std::begin(all), std::end(all), [](Duration time) { return time > Duration::zero(); });
}

bool deflate_sound(const DeflateOptions& options) noexcept {
  const auto is_window = [](std::uint8_t bits) { return bits >= window_bits_min && bits <= window_bits_max; };
  return is_window(options.server_max_window_bits) && is_window(options.client_max_window_bits_asked()) &&
         is_window(options.own_window_bits_max) && options.level >= 1 && options.level <= 9;
}

// An entry that is no origin would never match, which is surely not what its author meant.
bool origins_sound(const Config& config) noexcept {
  return std::all_of(config.origins.begin(), config.origins.end(),
                     [](std::string_view origin) { return origins_equal(origin, origin); });
}

}  // namespace

errc validate(const Config& config, Role role) noexcept {
  if (config.pool == nullptr || !pool_fits(*config.pool, config.limits)) return errc::config_invalid;
  if (!limits_sound(config.limits, config.auto_pong)) return errc::config_invalid;
  if (!timeouts_sound(config.timeouts) || config.kernels == nullptr) return errc::config_invalid;
  if (!deflate_sound(config.deflate)) return errc::config_invalid;
  if (role == Role::client && config.entropy == nullptr) return errc::config_invalid;
  if (role == Role::server && !origins_sound(config)) return errc::config_invalid;
  return errc::none;
}

}  // namespace sansock
