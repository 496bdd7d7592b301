// What one side has sent and the other has received: the books of one direction of a connection.
//
// A message is entered when the engine has accepted it, and struck off run by run as it is delivered.
// Whatever is delivered must be what comes next.
#pragma once

#include <string>
#include <vector>

#include "payload.h"
#include "sansock/event.h"

namespace sansock::sim {

class Ledger {
 public:
  // --- the sender -------------------------------------------------------------------------------
  // A message, or the first part of one.
  void add(const Piece& piece, bool whole);
  // A further part of the newest message.
  void extend(std::size_t size, bool whole);
  // The newest message up to now: where a further part goes on.
  const Piece& newest() const noexcept { return messages_.back().piece; }
  // The content of the next Ping (`marker` 'p') or of the next Pong that answers none ('u'), made in
  // `out`: control_size_min or more bytes. Keep-alive Pings have 4.
  static constexpr std::size_t control_size_min = 5;
  static void make_control(Bytes out, char marker, std::uint32_t serial) noexcept;
  std::uint32_t next_ping() const noexcept { return pings_sent_ + 1; }
  std::uint32_t next_pong() const noexcept { return pongs_sent_ + 1; }
  void add_ping() noexcept { ++pings_sent_; }
  void add_pong() noexcept { ++pongs_sent_; }

  // --- the receiver: each gives what is wrong, or nothing -----------------------------------------
  std::string deliver(const Event& event);
  std::string deliver_ping(ConstBytes payload);
  // `pinged` is the other direction: whose Pings are answered here.
  std::string deliver_pong(ConstBytes payload, const Ledger& pinged);

  // How large messages are, in each respect for which there is a limit.
  struct Extent {
    std::size_t size = 0;
    std::size_t frame = 0;  // the largest
    std::size_t frames = 0;
    std::size_t frames_empty = 0;
  };
  // Of the newest message that was delivered whole.
  const Extent& delivered_extent() const noexcept { return messages_[delivered_ - 1].extent; }
  // The largest of all that was sent, in each respect.
  const Extent& extent_max() const noexcept { return extent_max_; }

  // --- the balance --------------------------------------------------------------------------------
  std::size_t accepted() const noexcept { return accepted_; }
  std::size_t delivered() const noexcept { return delivered_; }
  bool settled() const noexcept { return accepted_ == delivered_; }
  // The size of the message that is delivered at present, and what the newest whole one was.
  std::size_t delivered_size() const noexcept { return position_; }
  const Piece& delivered_piece() const noexcept { return messages_[delivered_ - 1].piece; }

 private:
  struct Message {
    Piece piece;
    bool whole = false;
    Extent extent = {};
  };
  void add_frame(std::size_t size);
  std::string check_control(ConstBytes payload, char marker, std::uint32_t& newest, std::uint32_t sent);

  std::vector<Message> messages_;
  Extent extent_max_;
  std::size_t accepted_ = 0;   // whole ones
  std::size_t delivered_ = 0;  // whole ones
  std::size_t position_ = 0;   // bytes delivered of the message under way
  bool begun_ = false;         // its first run was delivered
  std::uint32_t pings_sent_ = 0;
  std::uint32_t pongs_sent_ = 0;
  std::uint32_t ping_seen_ = 0;        // serial of the newest one
  std::uint32_t answer_seen_ = 0;      // serial of the newest Ping of ours that was answered
  std::uint32_t pong_seen_ = 0;        // serial of the newest Pong that answers none
  std::uint32_t keep_alive_seen_ = 0;  // number of the newest keep-alive Ping
  std::uint32_t keep_alive_answered_ = 0;
};

}  // namespace sansock::sim
