#include "knobs.h"

#include <cstdio>

#include "sansock/tls.h"

namespace sansock::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Half of the features are off in a seed; those that are on, are so to different degrees.
unsigned maybe(Prng& prng, unsigned most) {
  return prng.chance(500) ? static_cast<unsigned>(prng.between(1, most)) : 0;
}

Network draw_network(Prng& prng) {
  Network network;
  network.latency_min = prng.between(Duration(microseconds(5)), milliseconds(20));
  network.latency_max = network.latency_min + prng.between(Duration(0), milliseconds(30));
  network.window = prng.pick<std::size_t>({2'000, 5'000, 20'000, 64'000, 256'000});
  network.bandwidth = prng.pick<std::uint64_t>({200'000, 2'000'000, 100'000'000});
  network.read_max = prng.pick<std::size_t>({60, 700, 1'500, 5'000, 20'000, 300'000});
  network.write_short = maybe(prng, 400);
  network.writes_late = prng.chance(300);
  network.turn_delay_max = prng.chance(500) ? Duration(0) : Duration(milliseconds(3));
  network.stall_timeout = seconds(200);
  return network;
}

Actions draw_actions(Prng& prng) {
  Actions actions;
  actions.send = maybe(prng, 20) + 1;
  actions.part = maybe(prng, 20);
  actions.borrowed = maybe(prng, 10);
  actions.broadcast = maybe(prng, 5);
  actions.ping = maybe(prng, 10);
  actions.pong = maybe(prng, 3);
  actions.pause = maybe(prng, 4);
  actions.close = prng.chance(300) ? 1 : 0;
  actions.misuse = maybe(prng, 4);
  actions.in_event = maybe(prng, 300);
  actions.pause_in_event = maybe(prng, 60);
  actions.refuse = prng.chance(300) ? 200 : 0;
  actions.defer = prng.chance(300) ? 400 : 0;
  return actions;
}

Side draw_side(Prng& prng) {
  Side side;
  side.block_size = prng.pick<std::size_t>({3'200, 4'096, 16'384});
  side.blocks_max = 100'000;
  side.message_memory_max = 64u << 20;
  side.limits.head_bytes_max = 512;
  side.limits.refusal_body_max = 64;
  side.limits.output_bytes_max = prng.pick<std::uint32_t>({20'000, 100'000, 400'000});
  side.timeouts.message_assembly = seconds(1'000);
  side.timeouts.close = seconds(120);
  if (prng.chance(500)) side.timeouts.ping_interval = seconds(prng.between(1, 5));
  side.auto_pong = prng.chance(900);
  side.check_sent_text = prng.chance(500);
  side.assemble = prng.chance(500);
  return side;
}

void draw_faults(Prng& prng, Knobs& knobs) {
  Faults& faults = knobs.faults;
  faults.reset = maybe(prng, 500);
  faults.half_open = prng.chance(300) ? 300 : 0;
  faults.vanish = prng.chance(300) ? 300 : 0;
  faults.cut = prng.chance(300) ? 300 : 0;
  faults.stall = maybe(prng, 800);
  faults.sleep = prng.chance(150) ? 300 : 0;
  faults.adversary = prng.chance(400) ? 400 : 0;
  knobs.actions.drop = prng.chance(300) ? 1 : 0;
  knobs.actions.drop_in_event = prng.chance(200) ? 10 : 0;
  knobs.actions.text_broken = prng.chance(200) ? 1 : 0;
  knobs.actions.leave_connecting = prng.chance(200) ? 200 : 0;
  if (prng.chance(300)) knobs.network.stall_timeout = prng.between(Duration(milliseconds(200)), seconds(5));
}

void draw_deadlines(Prng& prng, Timeouts& timeouts) {
  const auto draw = [&prng](Duration low, Duration high, unsigned off) {
    return prng.chance(off) ? no_timeout : prng.between(low, high);
  };
  timeouts.opening_handshake = draw(milliseconds(20), seconds(3), 0);
  timeouts.first_message = draw(milliseconds(100), seconds(5), 500);
  timeouts.message_assembly = draw(milliseconds(50), seconds(5), 200);
  timeouts.ping_interval = draw(milliseconds(20), seconds(3), 200);
  timeouts.pong = draw(milliseconds(20), seconds(3), 0);
  timeouts.idle = draw(milliseconds(500), seconds(8), 500);
  timeouts.close = draw(milliseconds(50), seconds(3), 0);
}

void draw_limits(Prng& prng, Side& side) {
  side.limits.message_payload_max = prng.pick<std::uint64_t>({100, 5'000, 100'000});
  side.limits.frame_payload_max = prng.pick<std::uint64_t>({100, 5'000, 100'000});
  side.limits.message_fragments_max = prng.pick<std::uint32_t>({1, 3, 100});
  side.limits.message_fragments_empty_max = prng.pick<std::uint16_t>({0, 1, 10});
  side.limits.output_bytes_max = prng.pick<std::uint32_t>({1'024, 3'000, 50'000});
  side.limits.pong_bytes_max = prng.pick<std::uint32_t>({131, 300, 4'000});
  side.limits.control_frames_per_second_max = prng.pick<std::uint32_t>({2, 10, 1'000});
  side.limits.discard_bytes_max = prng.pick<std::uint32_t>({0, 1'000, 64u << 20});
  side.message_memory_max = prng.pick<std::size_t>({2'000, 50'000, 1u << 20});
}

Knobs draw_calm(Prng& prng, std::uint64_t seed) {
  Knobs knobs;
  knobs.seed = seed;
  knobs.links = static_cast<unsigned>(prng.between(1, 5));
  knobs.acts = static_cast<unsigned>(prng.pick({3, 10, 30, 60}));
  knobs.duration = prng.between(Duration(milliseconds(100)), seconds(20));
  knobs.size_max = prng.pick<std::size_t>({10, 200, 2'000, 70'000, 150'000});
  knobs.network = draw_network(prng);
  knobs.actions = draw_actions(prng);
  for (Side& side : knobs.sides) side = draw_side(prng);
  knobs.closers = prng.pick({Closers::servers, Closers::clients, Closers::both});
  return knobs;
}

DeflateOptions draw_deflate_options(Prng& prng) {
  const auto flag = [&prng] { return prng.pick<std::optional<bool>>({std::nullopt, false, true}); };
  const auto bits = [&prng] { return static_cast<std::uint8_t>(prng.between(8, 15)); };
  DeflateOptions options;
  options.server_no_context_takeover = flag();
  options.client_no_context_takeover = flag();
  if (prng.chance(300)) options.server_max_window_bits = bits();
  if (prng.chance(300)) options.client_max_window_bits = bits();
  if (prng.chance(500)) options.own_window_bits_max = bits();
  if (prng.chance(100)) options.level = 6;
  if (prng.chance(500)) options.compress_threshold = options.compress_threshold_with_context = 0;
  return options;
}

// Where limits are tight, the sizes on the wire would have to be known to say what ends a connection.
void draw_deflate(Knobs& knobs) {
  // Numbers of their own, so that all else in a seed is as it is without compression.
  Prng prng(knobs.seed * 0x9E3779B97F4A7C15 + 2);
  if (knobs.limits_tight || !prng.chance(350)) return;
  knobs.deflate = true;
  for (Side& side : knobs.sides) side.deflate = draw_deflate_options(prng);
}

// One seed in four, which is the same without it but for its link's bytes.
void draw_tls(Knobs& knobs) {
  Prng prng(knobs.seed * 0x9E3779B97F4A7C15 + 3);
  knobs.tls = tls_built_in() && prng.chance(250);
}

Prng prng_for(std::uint64_t seed) { return Prng(seed * 0x9E3779B97F4A7C15 + 1); }

Knobs draw_plain_knobs(std::uint64_t seed) {
  Prng prng = prng_for(seed);
  Knobs knobs = draw_calm(prng, seed);
  if (prng.chance(250)) return knobs;  // calm

  if (prng.chance(700)) draw_faults(prng, knobs);
  knobs.deadlines_tight = prng.chance(400);
  knobs.limits_tight = prng.chance(300);
  knobs.blocks_scarce = prng.chance(300);
  for (Side& side : knobs.sides) {
    if (knobs.deadlines_tight && prng.chance(700)) draw_deadlines(prng, side.timeouts);
    if (knobs.limits_tight && prng.chance(700)) draw_limits(prng, side);
    if (!knobs.blocks_scarce) continue;
    side.blocks_max = prng.between(0, 12);
    if (prng.chance(500)) side.blocks_max = 100'000;
    side.block_refused = maybe(prng, 300);
  }
  return knobs;
}

}  // namespace

Knobs draw_calm_knobs(std::uint64_t seed) {
  Prng prng = prng_for(seed);
  return draw_calm(prng, seed);
}

Knobs draw_knobs(std::uint64_t seed) {
  Knobs knobs = draw_plain_knobs(seed);
  draw_deflate(knobs);
  draw_tls(knobs);
  return knobs;
}

bool Knobs::calm() const noexcept {
  const unsigned troubles = faults.reset + faults.half_open + faults.vanish + faults.cut + faults.stall +
                            faults.sleep + faults.adversary + actions.drop + actions.drop_in_event +
                            actions.text_broken + actions.leave_connecting;
  return troubles == 0 && !deadlines_tight && !limits_tight && !blocks_scarce &&
         network.stall_timeout >= seconds(100);
}

std::string Knobs::text() const {
  const auto ms = [](Duration time) {
    return time == no_timeout ? -1.0 : std::chrono::duration<double, std::milli>(time).count();
  };
  char line[1024];
  std::string text;
  const auto add = [&line, &text](int) { text += line; };
  add(std::snprintf(line, sizeof line, "%s links %u, acts %u, duration %.0f ms, size_max %zu, closers %u\n",
                    calm() ? "calm:" : "knobs:", links, acts, ms(duration), size_max,
                    static_cast<unsigned>(closers)));
  add(std::snprintf(
      line, sizeof line,
      "network: latency %.3f..%.3f ms, window %zu, bandwidth %llu, read_max %zu, write_short %u, "
      "writes_late %d, turn_delay %.3f ms, stall_timeout %.0f ms\n",
      ms(network.latency_min), ms(network.latency_max), network.window,
      static_cast<unsigned long long>(network.bandwidth), network.read_max, network.write_short,
      network.writes_late, ms(network.turn_delay_max), ms(network.stall_timeout)));
  add(std::snprintf(line, sizeof line,
                    "faults: reset %u, half_open %u, vanish %u, cut %u, stall %u, sleep %u, adversary %u\n",
                    faults.reset, faults.half_open, faults.vanish, faults.cut, faults.stall, faults.sleep,
                    faults.adversary));
  add(std::snprintf(
      line, sizeof line,
      "actions: send %u, part %u, borrowed %u, broadcast %u, ping %u, pong %u, pause %u, close %u, "
      "drop %u, misuse %u, text_broken %u, in_event %u, pause_in_event %u, drop_in_event %u, "
      "refuse %u, defer %u, leave_connecting %u\n",
      actions.send, actions.part, actions.borrowed, actions.broadcast, actions.ping, actions.pong,
      actions.pause, actions.close, actions.drop, actions.misuse, actions.text_broken, actions.in_event,
      actions.pause_in_event, actions.drop_in_event, actions.refuse, actions.defer,
      actions.leave_connecting));
  if (deflate) text += "deflate: both sides have a codec\n";
  if (tls) text += "tls: both sides speak it\n";
  for (const Side& side : sides) {
    add(std::snprintf(
        line, sizeof line,
        "%s: blocks %zu x %zu, refused %u, memory %zu, output %u, message %llu, frame %llu, fragments %u (%u "
        "empty), pongs %u, controls %u/s, discard %u, opening %.0f, first %.0f, assembly %.0f, ping %.0f, "
        "pong "
        "%.0f, idle %.0f, close %.0f ms, auto_pong %d, check_sent_text %d, assemble %d\n",
        &side == sides.data() ? "servers" : "clients", side.blocks_max, side.block_size, side.block_refused,
        side.message_memory_max, side.limits.output_bytes_max,
        static_cast<unsigned long long>(side.limits.message_payload_max),
        static_cast<unsigned long long>(side.limits.frame_payload_max), side.limits.message_fragments_max,
        side.limits.message_fragments_empty_max, side.limits.pong_bytes_max,
        side.limits.control_frames_per_second_max, side.limits.discard_bytes_max,
        ms(side.timeouts.opening_handshake), ms(side.timeouts.first_message),
        ms(side.timeouts.message_assembly), ms(side.timeouts.ping_interval), ms(side.timeouts.pong),
        ms(side.timeouts.idle), ms(side.timeouts.close), side.auto_pong, side.check_sent_text,
        side.assemble));
  }
  return text;
}

}  // namespace sansock::sim
