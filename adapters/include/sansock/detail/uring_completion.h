// What an io_uring says about an operation, and the name by which it is asked for. No header of
// liburing is needed to include this.
#pragma once

#include <cstdint>

namespace sansock::detail {

// `receive` is multishot, `receive_once` is not; `readable` and `receive_large` are for connections that
// receive much at a time.
enum class UringOp : std::uint8_t {
  ignored,
  receive,
  receive_once,
  readable,
  receive_large,
  send,
  hang_up,
  accept,
  mailbox,
  install,
  shutdown
};

// 4 bits of operation, 28 of slot (or listener), 32 of serial: a late completion of a connection that
// has ended finds another serial, or none.
class UringTag {
 public:
  constexpr UringTag() = default;
  constexpr explicit UringTag(std::uint64_t word) noexcept : word_(word) {}
  constexpr UringTag(UringOp op, std::uint32_t slot, std::uint64_t serial) noexcept
      : word_(serial << 32 | std::uint64_t{slot} << 4 | static_cast<std::uint64_t>(op)) {}

  constexpr std::uint64_t word() const noexcept { return word_; }
  constexpr UringOp op() const noexcept { return static_cast<UringOp>(word_ & 0xF); }
  constexpr std::uint32_t slot() const noexcept {
    return static_cast<std::uint32_t>(word_ >> 4) & 0xFFF'FFFF;
  }
  constexpr std::uint32_t serial() const noexcept { return static_cast<std::uint32_t>(word_ >> 32); }
  // The same connection's tag for another operation.
  constexpr UringTag with(UringOp op) const noexcept {
    return UringTag((word_ & ~std::uint64_t{0xF}) | static_cast<std::uint64_t>(op));
  }

 private:
  std::uint64_t word_ = 0;
};

// As the ring has it, so that it is copied at once; ring.cpp holds it to that.
struct UringCompletion {
  UringTag tag;
  std::int32_t result = 0;  // what the system call would return; negative: an errno
  std::uint32_t flags = 0;

  static constexpr std::uint32_t flag_buffer = 1, flag_more = 2, flag_socket_filled = 4,
                                 flag_notification = 8;
  static constexpr int buffer_shift = 16;

  bool has_buffer() const noexcept { return (flags & flag_buffer) != 0; }
  std::uint16_t buffer() const noexcept { return static_cast<std::uint16_t>(flags >> buffer_shift); }
  // The operation goes on: further completions follow.
  bool more() const noexcept { return (flags & flag_more) != 0; }
  // There is still something to be read.
  bool socket_filled() const noexcept { return (flags & flag_socket_filled) != 0; }
  // Of a zero-copy send: its memory is no longer in use.
  bool notification() const noexcept { return (flags & flag_notification) != 0; }
};

}  // namespace sansock::detail
