// Writes the head of an HTTP message into memory of a fixed size.
#pragma once

#include <cstring>

#include "sansock/handshake.h"

namespace sansock::detail {

class TextWriter {
 public:
  explicit TextWriter(Bytes out) noexcept : out_(out) {}

  void text(std::string_view text) noexcept {
    if (text.size() > out_.size() - size_) full_ = true;
    if (full_ || text.empty()) return;
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void number(std::uint64_t value) noexcept {
    char digits[20];
    char* begin = digits + sizeof(digits);
    do {
      *--begin = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    text({begin, static_cast<std::size_t>(digits + sizeof(digits) - begin)});
  }
  void header(std::string_view name, std::string_view value) noexcept {
    text(name);
    text(": ");
    text(value);
    text("\r\n");
  }
  // Something did not fit; nothing was written since.
  bool full() const noexcept { return full_; }
  std::size_t size() const noexcept { return size_; }

 private:
  Bytes out_;
  std::size_t size_ = 0;
  bool full_ = false;
};

// Whether an application may have this header sent: well-formed (no CR, LF, NUL: nobody injects a
// header or a body), and not one of those that the handshake writes itself or that would contradict
// them.
inline bool is_sendable(const Header& header) noexcept {
  constexpr std::string_view prefix = "Sec-WebSocket-";
  if (!is_token(header.name) || !is_header_value(header.value)) return false;
  for (const std::string_view reserved : {"Connection", "Upgrade", "Content-Length", "Transfer-Encoding"}) {
    if (equal_ignoring_case(header.name, reserved)) return false;
  }
  return header.name.size() < prefix.size() ||
         !equal_ignoring_case({header.name.data(), prefix.size()}, prefix);
}

}  // namespace sansock::detail
