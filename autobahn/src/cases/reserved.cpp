// Groups 3 and 4: reserved bits and reserved opcodes, with no extension agreed.
#include "cases/case_groups.h"
#include "cases/case_parts.h"

namespace conform {
namespace {

constexpr std::string_view binary_bits("\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF", 8);

SendFrame with_rsv(SendFrame sent, unsigned rsv) {
  sent.rsv = rsv;
  return sent;
}

Case opcode_case(int half, int number, unsigned code) {
  static constexpr std::string_view payload = "reserved opcode payload";
  const std::string id = "4." + std::to_string(half) + "." + std::to_string(number);
  const std::string name = "opcode " + std::to_string(code);
  switch (number) {
    case 1: return failing_case(id, "A frame with the reserved " + name + " and no payload.", {frame(code)});
    case 2:
      return failing_case(id, "A frame with the reserved " + name + " and a payload.",
                          {frame(code, payload)});
    case 3:
      return failing_after_echo(
          id, "A text message, then a frame with the reserved " + name + " and no payload, then a ping.",
          {text(hello), frame(code), ping()}, hello);
    case 4:
      return failing_after_echo(
          id, "A text message, then a frame with the reserved " + name + " and a payload, then a ping.",
          {text(hello), frame(code, hello), ping()}, hello);
    default:
      return failing_after_echo(id,
                                "A text message, then a frame with the reserved " + name +
                                    " and a payload, then a ping, all an octet at a time.",
                                in_manner({text(hello), frame(code, hello), ping()}, Manner::octet_by_octet),
                                hello);
  }
}

}  // namespace

void add_reserved_bit_cases(std::vector<Case>& cases) {
  cases.push_back(failing_case("3.1", "A text message with RSV 1 (RSV3).", {text(hello, 1)}));
  cases.push_back(failing_after_echo("3.2", "A text message, one with RSV 2 (RSV2), a ping, in one go.",
                                     {text(hello), text(hello, 2), ping()}, hello));
  cases.push_back(failing_after_echo("3.3",
                                     "A text message, one with RSV 3 (RSV2 and RSV3), a ping, a write each.",
                                     in_manner({text(hello), text(hello, 3), ping()}, Manner::sync), hello));
  cases.push_back(
      failing_after_echo("3.4", "A text message, one with RSV 4 (RSV1), a ping, an octet at a time.",
                         in_manner({text(hello), text(hello, 4), ping()}, Manner::octet_by_octet), hello));
  cases.push_back(failing_case("3.5", "A binary message with RSV 5 (RSV1 and RSV3).",
                               {with_rsv(frame(opcode::binary, binary_bits), 5)}));
  cases.push_back(failing_case("3.6", "A binary message with RSV 6 (RSV1 and RSV2).",
                               {with_rsv(frame(opcode::binary, hello), 6)}));
  cases.push_back(
      failing_case("3.7", "A Close frame with RSV 7 (all three).", {with_rsv(frame(opcode::close), 7)}));
}

void add_reserved_opcode_cases(std::vector<Case>& cases) {
  for (int number = 1; number <= 5; ++number)
    cases.push_back(opcode_case(1, number, 2 + static_cast<unsigned>(number)));
  for (int number = 1; number <= 5; ++number)
    cases.push_back(opcode_case(2, number, 10 + static_cast<unsigned>(number)));
}

}  // namespace conform
