// Connection: compressed messages in and out (permessage-deflate, RFC 7692 section 7.2).
//
// A compressed message is one with RSV1 in its first frame. Its payload goes to the codec as it comes, in
// pieces, and what the codec makes of it is handed out in runs: from the frame reader's sight it is a payload
// like any other, but that a step may make more than it takes, or less.
//
// Whatever ends a message early is told after all that came before it was handed out, by the next step. So
// the events do not depend on how the input was cut.
#include <algorithm>

#include "assert.h"
#include "frame_header.h"
#include "sansock/connection.h"

namespace sansock {

using detail::Phase;

namespace {

// What is unmasked at a time. What the codec does not take of it has to be masked again.
constexpr std::size_t piece_max = 64u << 10;

}  // namespace

// --- in -------------------------------------------------------------------------------------------

Event Connection::read_compressed() noexcept {
  if (stream_->error_ != errc::none) {
    fail(stream_->error_);
    return {};
  }
  const auto have = static_cast<std::uint64_t>(input_end_ - input_);
  const auto size = std::min({frame_.payload.remaining, have, std::uint64_t{piece_max}});
  const Bytes piece{input_, static_cast<std::size_t>(size)};
  const bool last = fin_ && size == frame_.payload.remaining;
  // A fragment that is empty, or not there yet, is none of the codec's business.
  if (piece.empty() && !last && !inflate_more_) {
    if (frame_.payload.remaining == 0) wait_ = Wait::header;
    return {};
  }
  const MessageCodec::Inflated made = inflate_piece(piece, last);
  return inflated_event(made, last && frame_.payload.remaining == 0 && !made.more);
}

MessageCodec::Inflated Connection::inflate_piece(Bytes piece, bool last) noexcept {
  const MaskKey key = frame_.payload.key;
  if (!client_) config_->kernels->mask(piece, key);
  const MessageCodec::Inflated made = config_->codec->inflate(*stream_, piece, last);
  SANSOCK_ASSERT(made.consumed <= piece.size());
  // A codec that neither takes nor makes anything would hold poll() for ever.
  SANSOCK_ASSERT(made.error != errc::none || made.consumed != 0 || !made.bytes.empty() || piece.empty());
  frame_.payload.key = client_ ? key : key.after(made.consumed);
  if (!client_) config_->kernels->mask(piece.subspan(made.consumed), frame_.payload.key);
  input_ += made.consumed;
  frame_.payload.remaining -= made.consumed;
  inflate_more_ = made.more;
  inflated_held_ = 1;
  stream_->error_ = made.error;
  return made;
}

// `end`: these are the last bytes of the message, if nothing is wrong with it.
Event Connection::inflated_event(const MessageCodec::Inflated& made, bool end) noexcept {
  Bytes run = made.bytes;
  // The limit of a message counts what it is, not only what it was sent as.
  const std::uint64_t room = config_->limits.message_payload_max - stream_->inflated_size_;
  if (run.size() > room) {
    run = run.first(static_cast<std::size_t>(room));
    stream_->error_ = errc::message_too_big;
  }
  stream_->inflated_size_ += run.size();
  if (type_ == MessageType::text && config_->check_received_text) {
    const std::size_t valid = valid_text(run);
    if (valid != run.size() || (end && stream_->error_ == errc::none && !utf8_.complete())) {
      run = run.first(valid);
      stream_->error_ = errc::utf8_invalid;
    }
  }
  const bool failed = stream_->error_ != errc::none;
  if (failed && run.empty()) {
    fail(stream_->error_);
    return {};
  }
  if (failed) {
    inflate_more_ = 1;  // the next step tells
    return data_event(run, false);
  }
  if (end || (frame_.payload.remaining == 0 && !made.more)) wait_ = Wait::header;
  if (end) in_message_ = 0;
  return run.empty() && !end ? Event{} : data_event(run, end);
}

// How much of a run goes on with the text so far. Only that counts for the state.
std::size_t Connection::valid_text(ConstBytes run) noexcept {
  const Kernels& kernels = *config_->kernels;
  Utf8State state = utf8_;
  const std::size_t bad = kernels.utf8_validate(state, run);
  if (bad != utf8_all_valid) {
    kernels.utf8_validate(utf8_, run.first(bad));
    return bad;
  }
  utf8_ = state;
  return run.size();
}

void Connection::release_inflated() noexcept {
  if (!inflated_held_) return;
  inflated_held_ = 0;
  config_->codec->release(*stream_);
}

void Connection::close_stream() noexcept {
  if (stream_ == nullptr) return;
  config_->codec->close(*stream_);
  stream_ = nullptr;
  deflate_ = inflate_more_ = inflated_held_ = send_deflated_ = 0;
}

// --- out ------------------------------------------------------------------------------------------

// Whether a message is to be compressed, from the size of it or of its first part.
bool Connection::wants_deflate(std::size_t size, Compression compression) const noexcept {
  if (compression != Compression::automatic) return compression == Compression::on;
  const DeflateOptions& options = config_->deflate;
  const bool without = client_ ? agreed_.client_no_context_takeover : agreed_.server_no_context_takeover;
  return size >= (without ? options.compress_threshold : options.compress_threshold_with_context);
}

// A whole message, for which there is room as it is; that is also how it goes out if it does not shrink.
errc Connection::send_deflated(MessageType type, ConstBytes payload, Compression compression) noexcept {
  const unsigned first_byte = fin_bit | static_cast<unsigned>(type);
  if (payload.empty() || !wants_deflate(payload.size(), compression)) return queue_frame(first_byte, payload);
  const ConstBytes made = config_->codec->deflate(*stream_, payload, true, payload.size() - 1);
  if (made.data() == nullptr) return queue_frame(first_byte, payload);
  // RFC 7692 section 6: RSV1, "Per-Message Compressed", is set "on the first frame of a message".
  if (const errc error = queue_frame(first_byte | rsv1_bit, made); error != errc::none) return error;
  config_->codec->deflated(*stream_, payload, true);
  return errc::none;
}

// A part can not be sent as it is, once the first was compressed, even if it does not shrink.
errc Connection::send_part_deflated(unsigned first_byte, ConstBytes payload, bool end) noexcept {
  const ConstBytes made = config_->codec->deflate(*stream_, payload, end, SIZE_MAX);
  if (made.data() == nullptr) return errc::codec_exhausted;
  if (const errc error = check_sendable(made.size()); error != errc::none) return error;
  if (const errc error = queue_frame(first_byte, made); error != errc::none) return error;
  config_->codec->deflated(*stream_, payload, end);
  return errc::none;
}

}  // namespace sansock
