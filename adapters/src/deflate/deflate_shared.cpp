#include "deflate_shared.h"

#include <algorithm>

namespace sansock {
namespace {

// Output larger than this is not kept when less is needed.
constexpr std::size_t output_kept_max = 256u << 10;

}  // namespace

// Under pressure, what is only kept for speed makes room for what is needed.
template <class Attempt>
auto DeflateCodec::Shared::try_twice(Attempt attempt) noexcept {
  auto result = attempt();
  if (result) return result;
  trim();
  return attempt();
}

Compressor* DeflateCodec::Shared::compressor(std::uint8_t level, std::uint8_t window_bits) noexcept {
  if (level <= IsalCompressor::level_max) {
    if (isal_ == nullptr) isal_ = try_twice([&] { return IsalCompressor::open(memory); });
    return isal_;
  }
  const std::size_t bits = std::max<std::size_t>(window_bits, zlib_bits_min);
  ZlibCompressor*& zlib = zlib_[bits - zlib_bits_min];
  if (zlib == nullptr)
    zlib = try_twice([&] { return ZlibCompressor::open(memory, static_cast<unsigned>(bits)); });
  return zlib;
}

Bytes DeflateCodec::Shared::output(std::size_t size) noexcept {
  const bool too_large = output_.size() > output_kept_max && size < output_.size() / 4;
  if (size <= output_.size() && !too_large) return output_;
  memory.release(output_.data(), output_.size());
  output_ = {};
  // Not in many small steps while messages grow; and not after trim(), which would take the compressor away.
  const std::size_t rounded = std::max<std::size_t>(size + size / 4, 16u << 10);
  std::byte* const block = memory.acquire(rounded);
  if (block != nullptr) output_ = Bytes(block, rounded);
  return output_;
}

bool DeflateCodec::Shared::take_inflater(DeflateStream& stream) noexcept {
  stream.inflater = inflaters_.take();
  if (stream.inflater == nullptr) stream.inflater = try_twice([&] { return Inflater::open(memory); });
  return stream.inflater != nullptr;
}

bool DeflateCodec::Shared::take_inflated(DeflateStream& stream) noexcept {
  stream.inflated = inflated_.take();
  if (stream.inflated == nullptr)
    stream.inflated = try_twice([&] { return memory.acquire(inflate_size_max); });
  return stream.inflated != nullptr;
}

bool DeflateCodec::Shared::remember_received(DeflateStream& stream, ConstBytes text) noexcept {
  return try_twice([&] { return stream.received.append(memory, text); });
}

void DeflateCodec::Shared::return_inflater(DeflateStream& stream) noexcept {
  if (stream.inflater == nullptr) return;
  if (!inflaters_.keep(stream.inflater)) Inflater::close(memory, stream.inflater);
  stream.inflater = nullptr;
}

void DeflateCodec::Shared::return_inflated(DeflateStream& stream) noexcept {
  if (stream.inflated == nullptr) return;
  if (!inflated_.keep(stream.inflated)) memory.release(stream.inflated, inflate_size_max);
  stream.inflated = nullptr;
}

void DeflateCodec::Shared::trim() noexcept {
  IsalCompressor::close(memory, isal_);
  isal_ = nullptr;
  for (ZlibCompressor*& zlib : zlib_) {
    ZlibCompressor::close(memory, zlib);
    zlib = nullptr;
  }
  memory.release(output_.data(), output_.size());
  output_ = {};
  while (Inflater* const inflater = inflaters_.take()) Inflater::close(memory, inflater);
  while (std::byte* const block = inflated_.take()) memory.release(block, inflate_size_max);
}

}  // namespace sansock
