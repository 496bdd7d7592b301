// Group 1: echo of messages of one frame.
#include "cases/case_groups.h"
#include "cases/case_parts.h"
#include "cases/payload_patterns.h"

namespace conform {
namespace {

struct Row {
  std::size_t size;
  std::size_t chop;
  double kill;
};
constexpr Row rows[] = {{0, 0, 1},   {125, 0, 1},    {126, 0, 1},    {127, 0, 1},
                        {128, 0, 1}, {65535, 0, 10}, {65536, 0, 10}, {65536, 997, 10}};

Case framing_case(unsigned type, int number, const Row& row) {
  const bool is_text = type == opcode::text;
  Case one;
  one.id = (is_text ? "1.1." : "1.2.") + std::to_string(number);
  one.description = std::string("A ") + opcode_name(type) + " message with a payload of " +
                    std::to_string(row.size) + " octets";
  if (row.chop != 0) one.description += ", written " + std::to_string(row.chop) + " octets at a time";
  one.description += ".";
  one.expectation = "The echo has the same payload and type; then the kit closes.";
  const std::string payload = repeated(is_text ? "*" : "\xFE", row.size);
  SendFrame sent = frame(type, payload);
  sent.chop = row.chop;
  one.steps = {KillAfter{Seconds(row.kill)}, sent};
  one.expected = {{Verdict::ok, {message(type, payload)}}};
  one.close = closed_by_kit();
  one.close_on_match = true;
  return one;
}

}  // namespace

void add_framing_cases(std::vector<Case>& cases) {
  for (const unsigned type : {opcode::text, opcode::binary}) {
    int number = 0;
    for (const Row& row : rows) cases.push_back(framing_case(type, ++number, row));
  }
}

}  // namespace conform
