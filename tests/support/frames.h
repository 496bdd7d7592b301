// An independent encoder and decoder of WebSocket frames for tests: a byte at a time, on vectors, and
// able to write every illegal form too. It shares no code with the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sansock/types.h"

namespace sansock::testing {

using Data = std::vector<std::uint8_t>;

inline constexpr unsigned op_continuation = 0;
inline constexpr unsigned op_text = 1;
inline constexpr unsigned op_binary = 2;
inline constexpr unsigned op_close = 8;
inline constexpr unsigned op_ping = 9;
inline constexpr unsigned op_pong = 10;

enum class LengthForm : std::uint8_t { minimal, bits7, bits16, bits64 };

struct Frame {
  bool fin = true;
  unsigned rsv = 0;  // 4: RSV1, 2: RSV2, 1: RSV3
  unsigned opcode = op_text;
  std::optional<std::uint32_t> key;  // most significant byte first on the wire
  Data payload;
  LengthForm form = LengthForm::minimal;
  std::optional<std::uint64_t> announced;  // if the header is to lie about the length
};

Data encode(const Frame& frame);

struct Decoded {
  std::vector<Frame> frames;  // payloads unmasked
  Data rest;                  // an incomplete last frame
};
Decoded decode(const Data& stream);

// One readable line: `text "hello"`, `continuation-nofin "x"`, `close 1000 "bye"`.
std::string describe(const Frame& frame);

// Payloads as text: printable characters as they are, \xHH otherwise, long ones by size and hash.
std::string quote(const Data& bytes);
std::string quote(std::string_view text);

Data bytes_of(std::string_view text);
Data bytes_of(ConstBytes bytes);
std::string string_of(const Data& bytes);
ConstBytes view_of(const Data& bytes);
Data operator+(Data left, const Data& right);
// "81 05 48" -> bytes. Anything but hexadecimal digits and blanks ends the program.
Data from_hex(std::string_view text);
std::string to_hex(const Data& bytes);
// `size` bytes that look like nothing in particular, the same for the same seed.
Data noise(std::size_t size, std::uint32_t seed);
Data close_payload(unsigned code, std::string_view reason = {});

// Writes the frames that a well-behaved peer of `receiver` sends: masked with a new key each for a
// server, unmasked for a client.
class Peer {
 public:
  explicit Peer(Role receiver) : receiver_(receiver) {}

  Data frame(unsigned opcode, const Data& payload, bool fin = true);
  Data frame(Frame frame);  // sets only the key
  Data text(std::string_view payload, bool fin = true) { return frame(op_text, bytes_of(payload), fin); }
  Data binary(const Data& payload, bool fin = true) { return frame(op_binary, payload, fin); }
  Data continuation(std::string_view payload, bool fin = true) {
    return frame(op_continuation, bytes_of(payload), fin);
  }
  Data ping(std::string_view payload = {}) { return frame(op_ping, bytes_of(payload)); }
  Data pong(std::string_view payload = {}) { return frame(op_pong, bytes_of(payload)); }
  Data close(unsigned code, std::string_view reason = {}) {
    return frame(op_close, close_payload(code, reason));
  }
  Data close_empty() { return frame(op_close, {}); }

  std::uint32_t next_key();

 private:
  Role receiver_;
  std::uint32_t keys_ = 0;
};

inline constexpr Role both_roles[] = {Role::server, Role::client};
inline const char* role_name(Role role) { return role == Role::server ? "server" : "client"; }

}  // namespace sansock::testing
