// What one connection needs between its messages, and while one is under way.
#pragma once

#include "inflater.h"
#include "sansock/codec.h"
#include "text_window.h"

namespace sansock {

struct DeflateStream final : CodecStream {
  DeflateStream(std::size_t sent_max, std::size_t received_max) noexcept
      : sent(sent_max), received(received_max) {}

  // The most that both windows take.
  std::size_t windows_max() const noexcept { return sent.size_max() + received.size_max(); }

  TextWindow sent;
  TextWindow received;
  Inflater* inflater = nullptr;   // while a message arrives
  std::byte* inflated = nullptr;  // what was made last, until release()
  std::uint8_t level = 1;
  std::uint8_t window_bits_agreed = window_bits_max;  // of what is sent
  std::uint8_t window_bits_own = window_bits_max;     // of it, so many are used
  bool sent_takeover = true;
  bool sending = false;  // the message's first part was sent, its last was not
};

}  // namespace sansock
