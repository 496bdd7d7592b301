#include "broadcast.h"

#include <algorithm>
#include <new>

#include "server_peer.h"
#include "server_routes.h"

namespace sansock {

std::shared_ptr<Broadcast> Broadcast::make(MessageType type, ConstBytes payload, std::uint16_t route,
                                           BroadcastOptions options,
                                           std::atomic<std::uint64_t>& frames_encoded) {
  options.route = {};  // a view of the caller's
  auto message = std::make_shared<Broadcast>(route, std::move(options), frames_encoded);
  message->type_ = type;
  message->plain_ = make_shared_frame(type, payload);
  if (message->plain_ == nullptr) return nullptr;
  frames_encoded.fetch_add(1, std::memory_order_relaxed);
  return message;
}

Broadcast::Broadcast(std::uint16_t route, BroadcastOptions options,
                     std::atomic<std::uint64_t>& frames_encoded)
    : route_(route), options_(std::move(options)), frames_encoded_(frames_encoded) {}

Broadcast::~Broadcast() {
  if (plain_ != nullptr) plain_->release();
  for (const Compressed& one : compressed_) {
    if (one.frame != nullptr) one.frame->release();
  }
}

bool Broadcast::reaches(ServerPeer& peer) const {
  if (route_ != RouteTable::none && peer.route_index() != route_) return false;
  if (options_.except && *options_.except == peer.id()) return false;
  return !options_.filter || options_.filter(peer);
}

// Behind the header of its frame, which is as short as it can be.
ConstBytes Broadcast::payload() const noexcept {
  const std::size_t size = plain_->bytes.size();
  const std::size_t header = size < 126 + 2 ? 2 : size <= 0xFFFF + 4 ? 4 : 10;
  return plain_->bytes.subspan(header);
}

bool Broadcast::compresses(const Config& config) const noexcept {
  if (options_.compression != Compression::automatic) return options_.compression == Compression::on;
  return payload().size() >= config.deflate.compress_threshold;
}

// A frame that refers to nothing before it is right for whoever has a window of that size, whatever was sent
// before. Their own next messages then begin anew; see MessageCodec::deflated_elsewhere().
SharedFrame& Broadcast::frame_for(const Endpoint& endpoint) {
  const std::optional<DeflateParameters> agreed = endpoint.deflate();
  const Config& config = endpoint.config();
  if (!agreed || !compresses(config)) return *plain_;
  const std::uint8_t bits = std::min(agreed->server_window_bits, config.deflate.own_window_bits_max);
  Compressed& compressed = compressed_[bits - window_bits_min];
  std::call_once(compressed.made, [&] {
    compressed.frame = make_shared_frame(type_, payload(), *config.codec, config.deflate, bits);
    if (compressed.frame != nullptr) frames_encoded_.fetch_add(1, std::memory_order_relaxed);
  });
  return compressed.frame != nullptr ? *compressed.frame : *plain_;
}

}  // namespace sansock
