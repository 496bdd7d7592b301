// Groups 9 and 10: large messages, many fragments, many round trips, automatic fragments.
#include <algorithm>

#include "cases/case_groups.h"
#include "cases/case_parts.h"
#include "cases/payload_patterns.h"

namespace conform {
namespace {

constexpr std::size_t kibi = 1024;
constexpr std::size_t mebi = 1024 * 1024;

// The same message each time, made when it is wanted: all of them together would be 200 MB.
class OneMessage final : public MessageSource {
 public:
  OneMessage(std::string_view pattern, std::size_t size) : pattern_(pattern), size_(size) {}
  std::string message(unsigned /*index*/) const override { return repeated(pattern_, size_); }

 private:
  std::string_view pattern_;
  std::size_t size_;
};

std::string size_text(std::size_t size) {
  if (size >= mebi && size % mebi == 0) return std::to_string(size / mebi) + " Mi octets";
  if (size >= kibi && size % kibi == 0) return std::to_string(size / kibi) + " Ki octets";
  return std::to_string(size) + " octets";
}

struct Plan {
  unsigned type;
  std::string_view pattern;
  std::size_t size;
  double timeout;
  std::size_t fragment = 0;
  std::size_t chop = 0;
  unsigned count = 1;
};

Case exchange_case(std::string id, std::string description, const Plan& plan) {
  Case one;
  one.id = std::move(id);
  one.description = std::move(description);
  one.expectation =
      plan.count == 1 ? "A message of the same type and length comes back in time; then the kit closes."
                      : "Each message comes back with its type and length, all in time; then the kit closes.";
  one.close = closed_by_kit();
  one.heavy = true;
  Exchange exchange;
  exchange.type = plan.type;
  exchange.count = plan.count;
  exchange.source = std::make_shared<OneMessage>(plan.pattern, plan.size);
  exchange.fragment = plan.fragment;
  exchange.chop = plan.chop;
  exchange.timeout = Seconds(plan.timeout);
  one.exchange = std::move(exchange);
  return one;
}

std::string id_of(int subgroup, std::size_t index) {
  return "9." + std::to_string(subgroup) + "." + std::to_string(index + 1);
}

void add_large_frame_cases(std::vector<Case>& cases, const Scale& scale) {
  static constexpr std::size_t sizes[] = {64 * kibi, 256 * kibi, mebi, 4 * mebi, 8 * mebi, 16 * mebi};
  static constexpr double text_timeouts[] = {10, 10, 100, 100, 100, 100};
  static constexpr double binary_timeouts[] = {10, 10, 10, 10, 100, 100};
  for (const unsigned type : {opcode::text, opcode::binary}) {
    const bool is_text = type == opcode::text;
    for (std::size_t i = 0; i < std::size(sizes); ++i) {
      const std::size_t size = std::min(sizes[i], scale.message_size_max);
      cases.push_back(
          exchange_case(id_of(is_text ? 1 : 2, i),
                        "A " + opcode_name(type) + " message of " + size_text(size) + " in one frame.",
                        {type, is_text ? text_pattern : binary_pattern, size,
                         is_text ? text_timeouts[i] : binary_timeouts[i]}));
    }
  }
}

void add_fragment_cases(std::vector<Case>& cases, const Scale& scale) {
  static constexpr std::size_t fragments[] = {64,        256,        kibi, 4 * kibi, 16 * kibi,
                                              64 * kibi, 256 * kibi, mebi, 4 * mebi};
  for (const unsigned type : {opcode::text, opcode::binary}) {
    for (std::size_t i = 0; i < std::size(fragments); ++i) {
      const std::size_t size = std::min(4 * mebi, scale.message_size_max);
      const bool is_text = type == opcode::text;
      const std::string_view pattern = !is_text && i == 0 ? "\xFE" : "*";
      cases.push_back(exchange_case(id_of(is_text ? 3 : 4, i),
                                    "A " + opcode_name(type) + " message of " + size_text(size) +
                                        " in fragments of " + size_text(fragments[i]) + ".",
                                    {type, pattern, size, 100, fragments[i]}));
    }
  }
}

void add_chopped_cases(std::vector<Case>& cases, const Scale& scale) {
  for (const unsigned type : {opcode::text, opcode::binary}) {
    for (std::size_t i = 0; i < 6; ++i) {
      const std::size_t chop = std::size_t{64} << i;
      const std::size_t size = std::min(mebi, scale.message_size_max);
      const bool is_text = type == opcode::text;
      cases.push_back(exchange_case(id_of(is_text ? 5 : 6, i),
                                    "A " + opcode_name(type) + " message of " + size_text(size) +
                                        " in one frame, written " + std::to_string(chop) +
                                        " octets at a time.",
                                    {type, is_text ? text_pattern : binary_pattern, size, 1000, 0, chop}));
    }
  }
}

void add_round_trip_cases(std::vector<Case>& cases, const Scale& scale) {
  static constexpr std::size_t sizes[] = {0, 16, 64, 256, 1024, 4096};
  static constexpr double timeouts[] = {60, 60, 60, 120, 240, 480};
  const unsigned count = std::min(1000u, scale.round_trips_max);
  for (const unsigned type : {opcode::text, opcode::binary}) {
    const bool is_text = type == opcode::text;
    for (std::size_t i = 0; i < std::size(sizes); ++i) {
      cases.push_back(exchange_case(id_of(is_text ? 7 : 8, i),
                                    std::to_string(count) + " " + opcode_name(type) + " messages of " +
                                        size_text(sizes[i]) + ", each after the echo of the one before.",
                                    {type, is_text ? "*" : "\xFE", sizes[i], timeouts[i], 0, 0, count}));
    }
  }
}

}  // namespace

void add_limit_cases(std::vector<Case>& cases, const Scale& scale) {
  add_large_frame_cases(cases, scale);
  add_fragment_cases(cases, scale);
  add_chopped_cases(cases, scale);
  add_round_trip_cases(cases, scale);
}

void add_auto_fragment_cases(std::vector<Case>& cases) {
  constexpr std::size_t size = 65536;
  constexpr std::size_t fragment = 1300;
  const std::string payload = repeated("*", size);
  Case one;
  one.id = "10.1.1";
  one.description =
      "A text message of 65,536 octets in fragments of 1,300: one text frame and 50 continuations.";
  one.expectation = "The message comes back whole; then the kit closes.";
  one.steps = {KillAfter{Seconds(10)}};
  for (std::size_t from = 0; from < size; from += fragment) {
    one.steps.push_back(frame(from == 0 ? opcode::text : opcode::continuation, payload.substr(from, fragment),
                              from + fragment >= size));
  }
  one.expected = {{Verdict::ok, {text_echo(payload)}}};
  one.close = closed_by_kit();
  one.close_on_match = true;
  cases.push_back(one);
}

}  // namespace conform
