#include "frames.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace sansock::testing {

namespace {

std::uint8_t low_byte(std::uint64_t value) { return static_cast<std::uint8_t>(value & 0xFF); }

LengthForm minimal_form(std::uint64_t length) {
  if (length <= 125) return LengthForm::bits7;
  return length <= 0xFFFF ? LengthForm::bits16 : LengthForm::bits64;
}

std::uint8_t key_byte(std::uint32_t key, std::size_t position) {
  return low_byte(key >> (24 - 8 * (position % 4)));
}

// Takes one frame off `stream` from `at` on; false if it is not all there.
bool take_frame(const Data& stream, std::size_t& at, Frame& frame) {
  std::size_t i = at;
  const auto left = [&] { return stream.size() - i; };
  if (left() < 2) return false;
  const std::uint8_t first = stream[i++];
  const std::uint8_t second = stream[i++];
  frame.fin = (first & 0x80) != 0;
  frame.rsv = (first >> 4) & 7u;
  frame.opcode = first & 15u;
  std::uint64_t length = second & 127u;
  const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
  frame.form = extra == 0 ? LengthForm::bits7 : extra == 2 ? LengthForm::bits16 : LengthForm::bits64;
  if (left() < extra) return false;
  if (extra != 0) length = 0;
  for (std::size_t n = 0; n < extra; ++n) length = length << 8 | stream[i++];
  frame.key.reset();
  if ((second & 0x80) != 0) {
    if (left() < 4) return false;
    std::uint32_t key = 0;
    for (int n = 0; n < 4; ++n) key = key << 8 | stream[i++];
    frame.key = key;
  }
  if (left() < length) return false;
  frame.payload.clear();
  for (std::uint64_t n = 0; n < length; ++n) {
    frame.payload.push_back(
        static_cast<std::uint8_t>(stream[i++] ^ (frame.key ? key_byte(*frame.key, n) : 0)));
  }
  at = i;
  return true;
}

}  // namespace

Data encode(const Frame& frame) {
  Data out;
  out.push_back(low_byte((frame.fin ? 0x80u : 0u) | frame.rsv << 4 | frame.opcode));
  const std::uint64_t length = frame.announced.value_or(frame.payload.size());
  const LengthForm form = frame.form == LengthForm::minimal ? minimal_form(length) : frame.form;
  const unsigned mask_bit = frame.key ? 0x80 : 0;
  if (form == LengthForm::bits7) {
    out.push_back(low_byte(mask_bit | (length & 127)));
  } else if (form == LengthForm::bits16) {
    out.push_back(low_byte(mask_bit | 126));
    for (int shift = 8; shift >= 0; shift -= 8) out.push_back(low_byte(length >> shift));
  } else {
    out.push_back(low_byte(mask_bit | 127));
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(low_byte(length >> shift));
  }
  if (frame.key) {
    for (std::size_t i = 0; i < 4; ++i) out.push_back(key_byte(*frame.key, i));
  }
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    out.push_back(static_cast<std::uint8_t>(frame.payload[i] ^ (frame.key ? key_byte(*frame.key, i) : 0)));
  }
  return out;
}

Decoded decode(const Data& stream) {
  Decoded decoded;
  std::size_t at = 0;
  for (Frame frame; take_frame(stream, at, frame);) decoded.frames.push_back(frame);
  decoded.rest.assign(stream.begin() + static_cast<std::ptrdiff_t>(at), stream.end());
  return decoded;
}

std::string describe(const Frame& frame) {
  std::string line;
  switch (frame.opcode) {
    case op_continuation: line = "continuation"; break;
    case op_text: line = "text"; break;
    case op_binary: line = "binary"; break;
    case op_close: line = "close"; break;
    case op_ping: line = "ping"; break;
    case op_pong: line = "pong"; break;
    default: line = "opcode-" + std::to_string(frame.opcode); break;
  }
  if (frame.rsv != 0) line += "-rsv" + std::to_string(frame.rsv);
  if (!frame.fin) line += "-nofin";
  if (frame.opcode == op_close && frame.payload.size() >= 2) {
    line += " " + std::to_string(frame.payload[0] << 8 | frame.payload[1]);
    if (frame.payload.size() > 2) line += " " + quote(Data(frame.payload.begin() + 2, frame.payload.end()));
    return line;
  }
  if (frame.opcode == op_close && frame.payload.empty()) return line;
  return line + " " + quote(frame.payload);
}

std::string quote(const Data& bytes) {
  if (bytes.size() > 150) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
    char text[64];
    std::snprintf(text, sizeof text, "<%zu bytes #%016llx>", bytes.size(),
                  static_cast<unsigned long long>(hash));
    return text;
  }
  std::string text = "\"";
  for (const std::uint8_t byte : bytes) {
    if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') {
      text += static_cast<char>(byte);
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02X", byte);
      text += escape;
    }
  }
  return text + "\"";
}

std::string quote(std::string_view text) { return quote(bytes_of(text)); }

Data bytes_of(std::string_view text) { return Data(text.begin(), text.end()); }

Data bytes_of(ConstBytes bytes) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return Data(begin, begin + bytes.size());
}

std::string string_of(const Data& bytes) { return std::string(bytes.begin(), bytes.end()); }

ConstBytes view_of(const Data& bytes) { return std::as_bytes(std::span<const std::uint8_t>(bytes)); }

Data operator+(Data left, const Data& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Data from_hex(std::string_view text) {
  Data data;
  int high = -1;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) {
      std::fprintf(stderr, "not hexadecimal: %.*s\n", static_cast<int>(text.size()), text.data());
      std::abort();
    }
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      data.push_back(static_cast<std::uint8_t>(high * 16 + digit));
      high = -1;
    }
  }
  return data;
}

std::string to_hex(const Data& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    char two[4];
    std::snprintf(two, sizeof two, text.empty() ? "%02x" : " %02x", byte);
    text += two;
  }
  return text;
}

Data noise(std::size_t size, std::uint32_t seed) {
  Data data(size);
  std::uint32_t state = seed * 2654435761u + 1;
  for (std::uint8_t& byte : data) {
    state = state * 1664525u + 1013904223u;
    byte = low_byte(state >> 24);
  }
  return data;
}

Data close_payload(unsigned code, std::string_view reason) {
  Data payload{low_byte(code >> 8), low_byte(code)};
  return payload + bytes_of(reason);
}

Data Peer::frame(unsigned opcode, const Data& payload, bool fin) {
  Frame whole;
  whole.opcode = opcode;
  whole.payload = payload;
  whole.fin = fin;
  return frame(whole);
}

Data Peer::frame(Frame frame) {
  if (receiver_ == Role::server) {
    frame.key = next_key();
  } else {
    frame.key.reset();
  }
  return encode(frame);
}

// Every byte of every key differs from that of the key before, so a stale or shifted key shows.
std::uint32_t Peer::next_key() { return ++keys_ * 0x3D21FA37u; }

}  // namespace sansock::testing
