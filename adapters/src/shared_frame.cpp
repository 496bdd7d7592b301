#include "sansock/shared_frame.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "sansock/frame_format.h"

namespace sansock {

namespace {

constexpr std::byte rsv1{0x40};

// One allocation: the frame's bytes lie behind its SharedFrame.
SharedFrame* make_frame(MessageType type, ConstBytes payload, bool compressed) noexcept {
  std::byte header[frame_header_max];
  const std::size_t header_size = format_frame_header(header, type, payload.size());
  if (compressed) header[0] |= rsv1;
  void* const memory = std::malloc(sizeof(SharedFrame) + header_size + payload.size());
  if (memory == nullptr) return nullptr;
  auto* const frame = new (memory) SharedFrame;
  auto* const bytes = reinterpret_cast<std::byte*>(frame + 1);
  std::memcpy(bytes, header, header_size);
  if (!payload.empty()) std::memcpy(bytes + header_size, payload.data(), payload.size());
  frame->bytes = {bytes, header_size + payload.size()};
  frame->destroy = [](SharedFrame* last) noexcept {
    last->~SharedFrame();
    std::free(last);
  };
  return frame;
}

}  // namespace

SharedFrame* make_shared_frame(MessageType type, ConstBytes payload) noexcept {
  return make_frame(type, payload, false);
}

SharedFrame* make_shared_frame(MessageType type, ConstBytes payload, MessageCodec& codec,
                               const DeflateOptions& options, std::uint8_t window_bits) noexcept {
  if (payload.empty()) return nullptr;
  const DeflateParameters alone{.server_no_context_takeover = true, .server_window_bits = window_bits};
  CodecStream* const stream = codec.open(Role::server, alone, options);
  if (stream == nullptr) return nullptr;
  const ConstBytes made = codec.deflate(*stream, payload, true, payload.size() - 1);
  SharedFrame* const frame = made.data() == nullptr ? nullptr : make_frame(type, made, true);
  if (frame != nullptr) frame->deflate_window_bits = window_bits;
  codec.close(*stream);
  return frame;
}

}  // namespace sansock
