#include "sansock/deflate_codec.h"

#include <algorithm>
#include <cassert>

#include "deflate_shared.h"

namespace sansock {
namespace {

constexpr std::size_t sync_tail_size = 4;  // 00 00 FF FF
constexpr std::byte empty_block_head{0};

DeflateStream& own(CodecStream& stream) noexcept { return static_cast<DeflateStream&>(stream); }

std::size_t window_size(unsigned bits) noexcept { return std::size_t{1} << bits; }

// What does not get shorter is mostly stored, in blocks with 5 bytes each; but from a small window zlib can
// not store, and the worst that it makes then is what deflateBound() says.
std::size_t deflated_size_max(std::size_t size) noexcept { return size + size / 8 + size / 64 + 64; }

}  // namespace

DeflateCodec::DeflateCodec(std::size_t memory_max) : shared_(std::make_unique<Shared>(memory_max)) {}

DeflateCodec::~DeflateCodec() { assert(shared_->streams == 0); }

CodecStream* DeflateCodec::open(Role role, const DeflateParameters& parameters,
                                const DeflateOptions& options) noexcept {
  const bool server = role == Role::server;
  const unsigned bits_sent = server ? parameters.server_window_bits : parameters.client_window_bits;
  const unsigned bits_received = server ? parameters.client_window_bits : parameters.server_window_bits;
  const bool received_takeover =
      !(server ? parameters.client_no_context_takeover : parameters.server_no_context_takeover);
  const unsigned bits_own = std::min<unsigned>(bits_sent, options.own_window_bits_max);
  auto* const stream = shared_->memory.make<DeflateStream>(
      window_size(bits_own), received_takeover ? window_size(bits_received) : 0);
  if (stream == nullptr) return nullptr;
  if (!shared_->promise_windows(stream->windows_max())) {
    shared_->memory.destroy(stream);
    return nullptr;
  }
  stream->level = std::clamp<std::uint8_t>(options.level, 1, 9);
  stream->window_bits_agreed = static_cast<std::uint8_t>(bits_sent);
  stream->window_bits_own = static_cast<std::uint8_t>(bits_own);
  stream->sent_takeover =
      !(server ? parameters.server_no_context_takeover : parameters.client_no_context_takeover);
  ++shared_->streams;
  return stream;
}

void DeflateCodec::close(CodecStream& stream) noexcept {
  DeflateStream& it = own(stream);
  shared_->return_inflater(it);
  shared_->return_inflated(it);
  it.sent.clear(shared_->memory);
  it.received.clear(shared_->memory);
  shared_->release_windows(it.windows_max());
  shared_->memory.destroy(&it);
  --shared_->streams;
}

ConstBytes DeflateCodec::deflate(CodecStream& stream, ConstBytes payload, bool end,
                                 std::size_t size_max) noexcept {
  const DeflateStream& it = own(stream);
  if (payload.empty()) {
    // The head of an empty stored block, the rest of which is what is left out (RFC 7692 section 7.2.3.6).
    const std::size_t size = end ? 1 : 0;
    return size <= size_max ? ConstBytes(&empty_block_head, size) : ConstBytes{};
  }
  if (payload.size() > Compressor::text_max) return {};
  Compressor* const compressor = shared_->compressor(it.level, it.window_bits_own);
  if (compressor == nullptr) return {};
  // One byte is left free, or there may be more.
  const std::size_t tail = end ? sync_tail_size : 0;
  const std::size_t wanted = deflated_size_max(payload.size());
  const std::size_t room = std::min(wanted, std::min(size_max, wanted) + tail + 1);
  const Bytes output = shared_->output(room);
  if (output.empty()) return {};
  const std::size_t size = compressor->run(
      {.level = it.level, .window_bits = it.window_bits_own, .history = &it.sent, .text = payload},
      output.first(room));
  if (size == 0) return {};
  // RFC 7692 section 7.2.1.
  return output.first(size - tail);
}

void DeflateCodec::deflated(CodecStream& stream, ConstBytes payload, bool end) noexcept {
  DeflateStream& it = own(stream);
  it.sending = !end;
  if (it.sent_takeover || !end)
    it.sent.append_or_shorten(shared_->memory, payload);
  else
    it.sent.clear(shared_->memory);
}

bool DeflateCodec::deflated_elsewhere(CodecStream& stream, std::uint8_t window_bits) noexcept {
  DeflateStream& it = own(stream);
  if (it.sending || window_bits > it.window_bits_agreed) return false;
  it.sent.clear(shared_->memory);
  return true;
}

MessageCodec::Inflated DeflateCodec::inflate(CodecStream& stream, ConstBytes input, bool end) noexcept {
  DeflateStream& it = own(stream);
  if (it.inflated == nullptr && !shared_->take_inflated(it)) return {.error = errc::codec_exhausted};
  if (it.inflater == nullptr) {
    if (!shared_->take_inflater(it)) return {.error = errc::codec_exhausted};
    it.inflater->begin(it.received.segments());
  }
  const Inflater::Step step = it.inflater->run(input, end, Bytes(it.inflated, inflate_size_max));
  Inflated result{.bytes = Bytes(it.inflated, step.made),
                  .consumed = step.consumed,
                  .more = step.more,
                  .error = step.error};
  if (result.error == errc::none && !shared_->remember_received(it, result.bytes)) {
    result.error = errc::codec_exhausted;
    result.more = false;
  }
  if (result.error != errc::none || (end && !result.more)) shared_->return_inflater(it);
  return result;
}

void DeflateCodec::release(CodecStream& stream) noexcept { shared_->return_inflated(own(stream)); }

void DeflateCodec::trim() noexcept { shared_->trim(); }

std::size_t DeflateCodec::memory_used() const noexcept { return shared_->memory.used(); }

std::size_t DeflateCodec::streams() const noexcept { return shared_->streams; }

}  // namespace sansock
