// One message on its way to the peers of all threads: the frames that it was encoded as. The last thread
// lets go of it.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "sansock/server.h"

namespace sansock {

class Broadcast {
 public:
  // Counts in `frames_encoded` what is encoded, now and later. nullptr: no memory.
  static std::shared_ptr<Broadcast> make(MessageType type, ConstBytes payload, std::uint16_t route,
                                         BroadcastOptions options,
                                         std::atomic<std::uint64_t>& frames_encoded);
  Broadcast(std::uint16_t route, BroadcastOptions options, std::atomic<std::uint64_t>& frames_encoded);
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;
  ~Broadcast();

  bool reaches(ServerPeer& peer) const;
  // The frame for a connection of the calling thread: compressed where that was agreed on and is worth while.
  SharedFrame& frame_for(const Endpoint& endpoint);

 private:
  ConstBytes payload() const noexcept;
  bool compresses(const Config& config) const noexcept;

  MessageType type_ = MessageType::binary;
  std::uint16_t route_;
  BroadcastOptions options_;
  std::atomic<std::uint64_t>& frames_encoded_;
  SharedFrame* plain_ = nullptr;
  // By the bits of their window, from 8 on; made by the first thread that has a peer for it. nullptr where it
  // does not shrink.
  struct Compressed {
    std::once_flag made;
    SharedFrame* frame = nullptr;
  };
  std::array<Compressed, window_bits_max - window_bits_min + 1> compressed_;
};

}  // namespace sansock
