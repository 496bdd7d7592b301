#include "boring_engine.h"

#include <openssl/err.h>
#include <openssl/mem.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "peer_certificate.h"
#include "session_cache.h"
#include "tls_cause.h"

namespace sansock {
namespace {

constexpr std::size_t plaintext_max = SSL3_RT_MAX_PLAIN_LENGTH;  // of a record: 16 KiB
constexpr std::size_t record_header = SSL3_RT_HEADER_LENGTH;
constexpr std::size_t record_overhead =
    record_header + 64;  // and what is queued with the first one, such as a key update
// What is encrypted at a time: most often all there is, for one send; little for a peer that does not take
// all of it, or the ciphertext would lie here beside the plaintext.
constexpr std::size_t flight_max = 16 * plaintext_max;
constexpr std::size_t flight_max_when_slow = 4 * plaintext_max;
// A slice of this size is worth a record of its own; smaller ones are put together.
constexpr std::size_t slice_alone_min = plaintext_max / 2;
constexpr std::uint8_t messages_max = 64;
constexpr std::size_t data_per_message = 4096;

using Record = std::array<std::byte, plaintext_max>;
// One of each a thread: nothing stays in them.
thread_local Record read_memory;
thread_local Record write_memory;

}  // namespace

struct BoringEngine::Callbacks {
  static int read(BIO* bio, char* into, int size) {
    Bytes& input = static_cast<BoringEngine*>(BIO_get_data(bio))->input_;
    BIO_clear_retry_flags(bio);
    if (input.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t taken = std::min(input.size(), static_cast<std::size_t>(size));
    std::memcpy(into, input.data(), taken);
    input = input.subspan(taken);
    return static_cast<int>(taken);
  }

  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    const auto bytes = std::as_bytes(std::span(from, static_cast<std::size_t>(size)));
    return static_cast<BoringEngine*>(BIO_get_data(bio))->output_.append(bytes) ? size : -1;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static void on_message(int is_write, int, int type, const void*, size_t, SSL* ssl, void*) {
    BoringEngine& engine = of(ssl);
    if (is_write != 0 || type != SSL3_RT_HANDSHAKE || !engine.established_) return;
    if (engine.messages_left_ == 0) {
      engine.flooded_ = true;
    } else {
      --engine.messages_left_;
    }
  }

  static int on_session(SSL* ssl, SSL_SESSION* session) {
    BoringEngine& engine = of(ssl);
    if (engine.sessions_ == nullptr) return 0;
    engine.sessions_->put(*engine.session_key_, boringssl::Session(session));
    return 1;
  }
};

namespace {

BIO_METHOD* make_bio_method(int (*read)(BIO*, char*, int), int (*write)(BIO*, const char*, int),
                            long (*control)(BIO*, int, long, void*)) noexcept {
  BIO_METHOD* const method = BIO_meth_new(BIO_TYPE_MEM, "sansock");
  if (method == nullptr) return nullptr;
  BIO_meth_set_read(method, read);
  BIO_meth_set_write(method, write);
  BIO_meth_set_ctrl(method, control);
  return method;
}

}  // namespace

BoringEngine::BoringEngine(boringssl::Ssl ssl, bool server, BlockPool& pool,
                           std::shared_ptr<const void> owner) noexcept
    : ssl_(std::move(ssl)),
      output_(pool),
      owner_(std::move(owner)),
      messages_left_(messages_max),
      server_(server) {}

bool BoringEngine::open() noexcept {
  // For the life of the process; connections of any thread share it.
  static BIO_METHOD* const method = make_bio_method(Callbacks::read, Callbacks::write, Callbacks::control);
  if (ssl_ == nullptr || method == nullptr) return false;
  BIO* const bio = BIO_new(method);
  if (bio == nullptr) return false;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  // What only the handshake needs goes when that is over; there is no second one.
  SSL_set_shed_handshake_config(ssl_.get(), 1);
  if (server_) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
  return true;
}

void BoringEngine::resume(std::shared_ptr<TlsSessionCache> cache, std::string key) noexcept {
  session_key_.reset(new (std::nothrow) std::string(std::move(key)));
  if (session_key_ == nullptr) return;
  sessions_ = std::move(cache);
  if (const boringssl::Session session = sessions_->take(*session_key_)) {
    SSL_set_session(ssl_.get(), session.get());
  }
}

BoringEngine& BoringEngine::of(const SSL* ssl) noexcept {
  return *static_cast<BoringEngine*>(SSL_get_app_data(ssl));
}

void BoringEngine::prepare(SSL_CTX* context) noexcept {
  SSL_CTX_set_msg_callback(context, Callbacks::on_message);
  SSL_CTX_sess_set_new_cb(context, Callbacks::on_session);
}

// --- input ----------------------------------------------------------------------------------------

void BoringEngine::start() noexcept {
  if (!server_) handshake();
}

void BoringEngine::feed(Bytes ciphertext) noexcept {
  if (failure_ != errc::none || peer_closed_ || ciphertext.empty()) return;
  if (!std::exchange(begun_, true) && !first_byte_fits(ciphertext.front())) return;
  input_ = ciphertext;
}

// RFC 8446 section 5.1: a peer begins with a record of the type handshake, or, if it is the server, alert.
// Everything else is somebody who does not speak TLS, and does not want to be answered in it.
bool BoringEngine::first_byte_fits(std::byte first) noexcept {
  const auto type = std::to_integer<int>(first);
  if (type == SSL3_RT_HANDSHAKE || (!server_ && type == SSL3_RT_ALERT)) return true;
  failure_ = errc::tls_not_spoken;
  if (server_ && type >= 'A' && type <= 'Z') answer_plain_http();
  return false;
}

void BoringEngine::answer_plain_http() noexcept {
  failure_ = errc::tls_plain_http;
  const std::string_view body = describe(errc::tls_plain_http);
  output_.append(
      as_bytes(std::string_view("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                                "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ")));
  const std::size_t size = body.size() + 1;
  const std::array<char, 3> digits{static_cast<char>('0' + size / 100),
                                   static_cast<char>('0' + size / 10 % 10),
                                   static_cast<char>('0' + size % 10)};
  output_.append(std::as_bytes(std::span(digits).subspan(size < 100 ? 1 : 0)));
  output_.append(as_bytes(std::string_view("\r\n\r\n")));
  output_.append(as_bytes(body));
  output_.append(as_bytes(std::string_view("\n")));
}

bool BoringEngine::readable() noexcept {
  if (failure_ == errc::none && !peer_closed_ && !established_) handshake();
  if (established_ && failure_ == errc::none && !peer_closed_) return true;
  if (failure_ != errc::none || peer_closed_) input_ = {};
  return false;
}

Bytes BoringEngine::next() noexcept {
  if (!readable()) return {};
  if (const Bytes records = read_whole_records(); !records.empty()) return records;
  // A record that is cut, or whatever is left of one.
  const std::size_t size = read(read_memory.data(), read_memory.size());
  return Bytes(read_memory).first(size);
}

// The plaintext of a record is shorter than the record, so it fits where that was. What is read at a time is
// bounded by the first record: one that BoringSSL keeps to itself, such as a ticket, may come before data.
Bytes BoringEngine::read_whole_records() noexcept {
  std::byte* const begin = input_.data();
  std::size_t size = 0;
  while (failure_ == errc::none && input_.size() >= record_header && SSL_has_pending(ssl_.get()) == 0) {
    const std::size_t record = record_header + (std::to_integer<std::size_t>(input_[3]) << 8) +
                               std::to_integer<std::size_t>(input_[4]);
    if (record > input_.size()) break;
    const auto room = static_cast<std::size_t>(input_.data() - (begin + size)) + record;
    const std::size_t got = read(begin + size, std::min(room, plaintext_max));
    size += got;
    if (got == 0) break;
  }
  return {begin, size};
}

// 0: there is no more, or it has failed.
std::size_t BoringEngine::read(std::byte* into, std::size_t capacity) noexcept {
  const int result = SSL_read(ssl_.get(), into, static_cast<int>(capacity));
  if (flooded_ && failure_ == errc::none) {
    failure_ = errc::tls_flood;
    SSL_send_fatal_alert(ssl_.get(), SSL_AD_UNEXPECTED_MESSAGE);
  }
  if (result <= 0) {
    if (failure_ == errc::none) fail(result);
    return 0;
  }
  const auto size = static_cast<std::size_t>(result);
  const std::size_t earned = size / data_per_message;
  messages_left_ = static_cast<std::uint8_t>(std::min<std::size_t>(messages_max, messages_left_ + earned));
  return size;
}

void BoringEngine::handshake() noexcept {
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    established_ = true;
  } else {
    fail(result);
  }
}

void BoringEngine::fail(int result) noexcept {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return;
    case SSL_ERROR_ZERO_RETURN: peer_closed_ = true; break;
    case SSL_ERROR_SSL:
      failure_ = verification_ != errc::none ? verification_ : tls_cause_of_error();
      // TLS 1.2 has no alert of its own for it (RFC 5246 section 7.4.6).
      if (certificate_missing_ && failure_ == errc::tls_parameters_unsupported) {
        failure_ = errc::tls_certificate_refused;
      }
      break;
    default: failure_ = errc::memory_exhausted;  // only our own BIO can have failed, for want of memory
  }
  ERR_clear_error();
  input_ = {};
}

// --- output ---------------------------------------------------------------------------------------

// The next `size` bytes of the slices from `offset` in the first of them, which all have so many. What is
// worth a record of its own stays where it is; smaller pieces are put together.
ConstBytes BoringEngine::next_chunk(std::span<const IoSlice> slices, std::size_t offset,
                                    std::size_t size) noexcept {
  const auto* const base = static_cast<const std::byte*>(slices[0].base) + offset;
  const std::size_t here = std::min(slices[0].size - offset, size);
  if (here == size || here >= slice_alone_min) return {base, here};
  std::size_t gathered = 0;
  for (const IoSlice& slice : slices) {
    const std::size_t part = std::min(slice.size - offset, size - gathered);
    std::memcpy(write_memory.data() + gathered, static_cast<const std::byte*>(slice.base) + offset, part);
    gathered += part;
    offset = 0;
    if (gathered == size) break;
  }
  return ConstBytes(write_memory).first(gathered);
}

std::size_t BoringEngine::seal(std::span<const IoSlice> plaintext) noexcept {
  if (!established_ || closed_ || failure_ != errc::none) return 0;
  std::size_t left = 0;
  for (const IoSlice& slice : plaintext) left += slice.size;
  left = std::min(left, slow_ ? flight_max_when_slow : flight_max);
  std::size_t sealed = 0;
  std::size_t offset = 0;  // in the first slice
  while (sealed < left) {
    while (offset >= plaintext[0].size) {
      offset -= plaintext[0].size;
      plaintext = plaintext.subspan(1);
    }
    const std::size_t record = reserve_record(std::min(left - sealed, plaintext_max));
    if (record == 0) break;
    const ConstBytes chunk = next_chunk(plaintext, offset, record);
    const std::size_t written = write(chunk);
    if (chunk.data() == write_memory.data()) OPENSSL_cleanse(write_memory.data(), chunk.size());
    if (written == 0) break;
    sealed += written;
    offset += written;
  }
  if (output_.size() == 0) output_.clear();
  return sealed;
}

// Takes memory for a record of so much plaintext, or of less where the pool has too little. Where it has
// nothing, the first record of a flight lies on the heap, as large as a block holds: the pool may be full of
// what waits to be encrypted, and then nobody else would ever give a block back.
std::size_t BoringEngine::reserve_record(std::size_t size) noexcept {
  const std::size_t room = output_.reserve(size + record_overhead);
  if (room > record_overhead) return std::min(size, room - record_overhead);
  if (output_.size() != 0) return 0;
  return std::min(size, output_.block_capacity() - record_overhead);
}

std::size_t BoringEngine::write(ConstBytes plaintext) noexcept {
  const int result = SSL_write(ssl_.get(), plaintext.data(), static_cast<int>(plaintext.size()));
  if (result > 0) return static_cast<std::size_t>(result);
  fail(result);
  return 0;
}

void BoringEngine::close() noexcept {
  if (!established_ || failure_ != errc::none || std::exchange(closed_, true)) return;
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

// --- state ----------------------------------------------------------------------------------------

TlsStatus BoringEngine::status() const {
  TlsStatus status;
  status.established = established_;
  if (!established_) return status;
  SSL* const ssl = ssl_.get();
  status.version = SSL_version(ssl) >= TLS1_3_VERSION ? TlsVersion::tls_1_3 : TlsVersion::tls_1_2;
  if (const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl)) {
    status.cipher_suite = SSL_CIPHER_standard_name(cipher);
  }
  const std::uint8_t* protocol = nullptr;
  unsigned protocol_size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &protocol_size);
  status.application_protocol.assign(protocol, protocol + protocol_size);
  if (const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) status.server_name = name;
  status.resumed = SSL_session_reused(ssl) == 1;
  if (SSL_get_verify_result(ssl) == X509_V_OK) {
    const boringssl::Certificate certificate(SSL_get_peer_certificate(ssl));
    if (certificate != nullptr) status.peer = describe_certificate(*certificate);
  }
  return status;
}

}  // namespace sansock
