// A client and a server over TLS, each a TlsLayer with its Driver, joined by a transport on which anybody
// sits who wants to: ciphertext is cut at any place, changed, doubled, swapped, thrown away and made up,
// either direction ends or fails at any time, handlers pause and send and close, blocks can not be had.
//
// Held: what is delivered was sent, once, in order, unchanged; behind the first byte that is not the peer's
// nothing is, and the end is not clean; nor is it where the transport ends without close_notify; close_notify
// comes once, behind all else; Interest, output_size() and gather() agree; one `closed`, and nothing behind
// it; each connection ends within its deadlines; all blocks come back. Where nobody interferes, everything
// arrives and both ends are clean.
//
// BoringSSL has no instrumentation, so nothing is learned of what happens in there, and its randomness is not
// the input's: keys and ciphertext are others each time. What depends on one certain byte of ciphertext may
// take several replays to show again. A handshake takes half a millisecond, which is most of an execution.
//
// Input: flags (1 small blocks at the server, 2 at the client, 4 small limit of output, 8 the server asks for
// a certificate, 16 the client trusts somebody else, 32 the connection is open from the start), then
// operations: a byte of which the highest bit chooses the side, and arguments.
#include <deque>
#include <memory>

#include "certificates.h"
#include "check.h"
#include "harness.h"
#include "input.h"
#include "sansock/tls_layer.h"
#include "test_entropy.h"
#include "test_pool.h"

namespace {

using namespace sansock;
using namespace sansock::testing;
using std::chrono::seconds;

constexpr const char* host = "fuzz.example";
constexpr std::size_t everything = static_cast<std::size_t>(-1);
constexpr std::size_t ciphertext_max = 300'000;  // that is queued: a flight, or a handshake
constexpr int rounds_max = 10'000;

// --- TLS --------------------------------------------------------------------------------------------

// For the life of the process. Nothing is resumed, or executions would depend on each other.
struct Tls {
  Tls() {
    const test::CertificateAuthority authority("fuzz root", test::KeyKind::ed25519);
    const test::CertificateAuthority other("other root", test::KeyKind::ed25519);
    const auto issued = authority.issue({.dns_names = {host}, .key = test::KeyKind::ed25519});
    const auto own =
        authority.issue({.key = test::KeyKind::ed25519, .purpose = test::CertificatePurpose::client});
    TlsServerOptions options{.certificates = {{.chain_pem = issued.chain_pem, .key_pem = issued.key_pem}}};
    FUZZ_CHECK(!server.load(options));
    options.client_certificates = TlsClientCertificates::require;
    options.client_roots_pem = authority.roots_pem();
    FUZZ_CHECK(!asking_server.load(options));
    TlsClientOptions client_options{.roots_pem = authority.roots_pem(), .resume = false};
    client_options.certificate = TlsCertificate{.chain_pem = own.chain_pem, .key_pem = own.key_pem};
    FUZZ_CHECK(!client.load(client_options));
    client_options.roots_pem = other.roots_pem();
    FUZZ_CHECK(!misled_client.load(client_options));
  }
  TlsServer server, asking_server;
  TlsClient client, misled_client;
};

// Lets another engine do the work, and takes note of where close_notify ends.
class WatchedEngine final : public TlsEngine {
 public:
  explicit WatchedEngine(std::unique_ptr<TlsEngine> engine) : engine_(std::move(engine)) {
    FUZZ_CHECK(engine_ != nullptr);
  }
  void start() noexcept override { engine_->start(); }
  void feed(Bytes ciphertext) noexcept override { engine_->feed(ciphertext); }
  Bytes next() noexcept override { return engine_->next(); }
  bool established() const noexcept override { return engine_->established(); }
  bool peer_closed() const noexcept override { return engine_->peer_closed(); }
  errc failure() const noexcept override { return engine_->failure(); }
  TlsStatus status() const override { return engine_->status(); }
  std::size_t seal(std::span<const IoSlice> plaintext) noexcept override {
    const std::size_t sealed = engine_->seal(plaintext);
    FUZZ_CHECK(sealed == 0 || notify_end == 0);
    return sealed;
  }
  void close() noexcept override {
    const std::size_t before = queued();
    engine_->close();
    if (queued() == before) return;
    FUZZ_CHECK(notify_end == 0);
    notify_end = queued();
  }
  std::size_t output_size() const noexcept override { return engine_->output_size(); }
  std::size_t gather(std::span<IoSlice> slices) noexcept override { return engine_->gather(slices); }
  void consume(std::size_t written) noexcept override {
    engine_->consume(written);
    consumed_ += written;
  }

  std::size_t notify_end = 0;  // in all ciphertext; 0: there is none

 private:
  std::size_t queued() const { return consumed_ + engine_->output_size(); }

  std::unique_ptr<TlsEngine> engine_;
  std::size_t consumed_ = 0;
};

// --- one side ---------------------------------------------------------------------------------------

struct Record {
  EventRules rules;
  std::vector<Data> messages;  // the last of them may be incomplete
  bool in_message = false;
  bool opened = false;
  bool pause_next = false;
  bool drop_next = false;
  bool send_next = false;
};

class Application {
 public:
  explicit Application(Record& record) : record_(&record) {}

  Verdict on_event(Endpoint& endpoint, const Event& event) {
    const std::string broken = record_->rules.check(event, endpoint.state(), endpoint.transport_action());
    FUZZ_CHECK(broken.empty(), broken);
    if (event.kind == EventKind::request && event.error == errc::none) static_cast<void>(endpoint.accept());
    if (event.kind == EventKind::open) record_->opened = true;
    if (event.kind != EventKind::data) return Verdict::keep;
    if (event.begin) record_->messages.emplace_back();
    record_->messages.back() = record_->messages.back() + bytes_of(event.bytes);
    record_->in_message = !event.end;
    std::fill(event.bytes.begin(), event.bytes.end(), std::byte{0xEE});
    if (std::exchange(record_->send_next, false))
      static_cast<void>(endpoint.ping(as_bytes(std::string_view("in"))));
    if (std::exchange(record_->drop_next, false)) return Verdict::drop;
    return std::exchange(record_->pause_next, false) ? Verdict::pause_reading : Verdict::keep;
  }

 private:
  Record* record_;
};

struct Peer {
  Peer(Role role, std::size_t block_size, bool limited, const Instant& time,
       const std::function<std::unique_ptr<TlsEngine>(BlockPool&)>& make_engine)
      : now(time), pool(block_size), entropy(role == Role::server ? 1 : 2) {
    config.pool = &pool;
    config.entropy = &entropy;
    config.limits.head_bytes_max = 512;  // or it would not fit into a small block
    config.limits.refusal_body_max = 64;
    if (limited) config.limits.output_bytes_max = 3000;
    driver.emplace(role, config, record);
    auto watched = std::make_unique<WatchedEngine>(make_engine(pool));
    engine = watched.get();
    layer.emplace(std::move(watched));
    if (role == Role::client) FUZZ_CHECK(!driver->endpoint().connect({.host = host}));
    follow(layer->resume(*driver, now));
  }

  Endpoint& endpoint() { return driver->endpoint(); }
  bool closed() { return endpoint().state() == ReadyState::closed; }
  bool released() const { return interest.close; }

  // What each call must leave behind.
  void follow(const Interest& next) {
    interest = next;
    FUZZ_CHECK(closed() == record.rules.closed());
    FUZZ_CHECK(!interest.close || closed());
    FUZZ_CHECK(driver->detach_input().empty());
    if (interest.close) return;
    const bool queued = endpoint().output_size() != 0;
    FUZZ_CHECK(!interest.write || queued || layer->output_size() != 0);
    FUZZ_CHECK(interest.write || layer->output_size() == 0);
    FUZZ_CHECK(!interest.shutdown_write || !interest.write);
    FUZZ_CHECK(!shut || !interest.write);
    FUZZ_CHECK(!interest.read || !endpoint().input_paused());
    FUZZ_CHECK(interest.deadline > now || endpoint().input_paused());
    FUZZ_CHECK(layer->output_size() <= ciphertext_max);
    if (closed()) FUZZ_CHECK(interest.deadline <= now + seconds(2));
    if (interest.shutdown_write) {
      FUZZ_CHECK(engine->notify_end != 0 || engine->failure() != errc::none || !engine->established());
      shut = true;
    }
  }
  void give(const Data& bytes) {
    if (bytes.empty() || released()) return;
    const std::unique_ptr<std::byte[]> memory(new std::byte[bytes.size()]);
    std::memcpy(memory.get(), bytes.data(), bytes.size());
    follow(layer->on_bytes(*driver, Bytes(memory.get(), bytes.size()), now));
    std::memset(memory.get(), 0xDD, bytes.size());
  }
  // What the transport takes of the output: at most so much.
  Data take(std::size_t size, std::size_t slice_count) {
    if (!interest.write || released()) return {};
    std::vector<IoSlice> slices(slice_count);
    slices.resize(layer->gather(*driver, slices));
    if (slices.empty()) {  // there was no memory to encrypt with
      FUZZ_CHECK(layer->output_size() == 0);
      follow(layer->resume(*driver, now));
      return {};
    }
    Data offered;
    for (const IoSlice& slice : slices)
      offered = offered + bytes_of({static_cast<std::byte*>(slice.base), slice.size});
    FUZZ_CHECK(offered.size() <= layer->output_size());
    if (slices.size() < slice_count) FUZZ_CHECK(offered.size() == layer->output_size());
    offered.resize(std::min(size, offered.size()));
    follow(layer->on_written(*driver, offered.size(), now));
    return offered;
  }
  void resume_reading() {
    if (released()) return;
    driver->resume_reading();
    follow(layer->resume(*driver, now));
  }

  const Instant& now;
  TestPool pool;
  SeededEntropy entropy;
  Config config;
  Record record;
  std::optional<Driver<Application>> driver;
  std::optional<TlsLayer> layer;
  WatchedEngine* engine = nullptr;
  Interest interest;
  std::vector<Data> sent;
  bool shut = false;
};

// --- what lies between them -------------------------------------------------------------------------

// One direction: what was sent, and what becomes of it.
struct Pipe {
  Data flight;                 // not delivered yet
  Data sent;                   // all that ever was
  std::size_t delivered = 0;   // that was as it was sent
  bool tampered = false;       // something else was delivered
  bool tampered_late = false;  // when all of it was authenticated
  bool ended = false;          // the sender's end has been delivered, or made up
  bool cut_off = false;        // without close_notify before it
};

class Between {
 public:
  explicit Between(unsigned flags)
      : server_(Role::server, block_size(flags & 1), (flags & 4) != 0, now_,
                [flags](BlockPool& pool) {
                  return ((flags & 8) != 0 ? tls().asking_server : tls().server).make_engine(pool);
                }),
        client_(Role::client, block_size(flags & 2), (flags & 4) != 0, now_, [flags](BlockPool& pool) {
          return ((flags & 16) != 0 ? tls().misled_client : tls().client).make_engine(pool, host, 443);
        }) {
    if ((flags & 16) != 0) interfered_ = true;
    if ((flags & 32) != 0) flow();
  }

  // Somebody on the line does something to what is under way.
  void interfere(unsigned what, Pipe& out, fuzz::Input& input) {
    if (what == 3) {
      interfered_ = true;
      return change_records(out, input.byte());
    }
    const std::size_t number = input.number(2);
    if (what == 0) {  // a byte is changed
      const std::uint8_t change = input.byte();
      if (!out.flight.empty()) out.flight[number % out.flight.size()] ^= change;
      return;
    }
    const std::size_t at = number % (out.flight.size() + 1);
    const auto begin = out.flight.begin() + static_cast<std::ptrdiff_t>(at);
    if (what == 1) {  // some come between
      const Data more = input.run();
      out.flight.insert(begin, more.begin(), more.end());
      return;
    }
    interfered_ = true;  // some are lost, at the end perhaps
    const std::size_t count = std::min<std::size_t>(input.number(2), out.flight.size() - at);
    out.flight.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  }

  void step(fuzz::Input& input) {
    const unsigned operation = input.byte();
    const unsigned side = operation >> 7;
    Peer& own = peer(side);
    Pipe& out = pipes_[side];
    switch ((operation & 0x7F) % 22) {
      case 0:
      case 1: return send(side, input);
      case 2:
        if (!own.released() && own.endpoint().state() == ReadyState::open) {
          static_cast<void>(own.endpoint().ping(view_of(input.take(input.byte() % 126u))));
          own.follow(own.layer->resume(*own.driver, now_));
        }
        return;
      case 3: {  // the transport takes some
        const std::size_t size = input.number(2);
        return take(side, size, 1 + input.byte() % 5u);
      }
      case 4: return take(side, everything, 64);
      case 5: return deliver(side, input.number(2));
      case 6: return deliver(side, everything);
      case 7: return flow();
      case 8:
      case 9:
      case 10:
      case 11: return interfere((operation & 0x7F) % 22 - 8, out, input);
      case 12: return end(side);
      case 13:  // the transport fails
        if (input.byte() % 4 != 0 || own.released()) return;
        interfered_ = true;
        note_cut(1 - side);
        own.follow(own.layer->on_failure(*own.driver, errc::transport_error, now_));
        FUZZ_CHECK(own.released());
        return;
      case 14: return close(side, input.byte());
      case 15:
        if (!own.released() && own.endpoint().state() == ReadyState::open) own.endpoint().pause_input(true);
        return;
      case 16: return own.resume_reading();
      case 17: {
        const unsigned what = input.byte();
        own.record.pause_next = (what & 1) != 0;
        own.record.send_next = (what & 2) != 0;
        if (what % 16 == 15) own.record.drop_next = interfered_ = true;
        return;
      }
      case 18: return wait(side, input.byte());
      case 19: {  // blocks can not be had
        interfered_ = true;
        const unsigned which = input.byte();
        if ((which & 0x80) != 0) return own.pool.fail_from(1 + (which & 0x7F) % 8);
        return own.pool.fail_at(1 + which % 32);
      }
      case 20: return own.pool.fail_never();
      default: return make_up(out, input);
    }
  }

  void finish() {
    for (unsigned side = 0; side < 2; ++side) peer(side).pool.fail_never();
    for (unsigned side = 0; side < 2; ++side)
      peer(side).record.pause_next = peer(side).record.drop_next = false;
    for (unsigned side = 0; side < 2; ++side) peer(side).resume_reading();
    flow();
    const bool open =
        server_.endpoint().state() == ReadyState::open && client_.endpoint().state() == ReadyState::open;
    const bool healthy = !interfered_ && !pipes_[0].tampered && !pipes_[1].tampered;
    if (healthy && !closed_) {
      FUZZ_CHECK(open, std::string(name(server_.endpoint().close_status().cause)) + " " +
                           std::string(name(client_.endpoint().close_status().cause)));
      for (unsigned side = 0; side < 2; ++side) {
        FUZZ_CHECK(peer(1 - side).record.messages == peer(side).sent);
        FUZZ_CHECK(peer(side).pool.live() == 0);
      }
    }
    if (open) close(1, 0);
    flow();
    if (healthy && server_.record.opened && client_.record.opened) {
      for (unsigned side = 0; side < 2; ++side)
        FUZZ_CHECK(peer(side).released() && peer(side).endpoint().close_status().clean);
    }
    let_end();
    for (unsigned side = 0; side < 2; ++side) check(side);
  }

 private:
  static Tls& tls() {
    static Tls all;
    return all;
  }
  static std::size_t block_size(unsigned small) { return small != 0 ? 3'200 : 16'384; }
  Peer& peer(unsigned side) { return side == 0 ? server_ : client_; }

  // --- what the applications do ---------------------------------------------------------------------
  void send(unsigned side, fuzz::Input& input) {
    const unsigned size = input.byte();
    const unsigned filler = input.byte();
    Peer& own = peer(side);
    if (own.released() || sent_ > 500'000) return;
    const Data message =
        noise(size < 200 ? size : (size - 199) * (size - 199) * 20u, filler + 256u * serial_++);
    sent_ += message.size();
    if (!own.endpoint().send(MessageType::binary, view_of(message))) own.sent.push_back(message);
    own.follow(own.layer->resume(*own.driver, now_));
  }
  void close(unsigned side, unsigned what) {
    Peer& own = peer(side);
    if (own.released() || what % 4 != 0) return;
    closed_ = true;
    if (own.endpoint().state() == ReadyState::connecting) interfered_ = true;
    static_cast<void>(own.endpoint().close(CloseCode::going_away, "done"));
    own.follow(own.layer->resume(*own.driver, now_));
  }
  // Lets time pass, up to the next deadline at most.
  void wait(unsigned side, unsigned quarters) {
    interfered_ = true;
    Instant until = now_ + quarters * std::chrono::milliseconds(250);
    for (unsigned each = 0; each < 2; ++each) {
      if (!peer(each).released()) until = std::min(until, std::max(now_, peer(each).interest.deadline));
    }
    now_ = until;
    if (!peer(side).released()) timeout(side);
  }
  void timeout(unsigned side) {
    Peer& own = peer(side);
    const bool before = own.closed();
    own.follow(own.layer->on_timeout(*own.driver, now_));
    if (!before && own.closed()) timed_out_[side] = true;
  }

  // --- what the transport does ----------------------------------------------------------------------
  void take(unsigned side, std::size_t size, std::size_t slices) {
    const Data taken = peer(side).take(size, slices);
    pipes_[side].flight = pipes_[side].flight + taken;
    pipes_[side].sent = pipes_[side].sent + taken;
  }
  void deliver(unsigned from, std::size_t size) {
    Pipe& pipe = pipes_[from];
    Peer& to = peer(1 - from);
    if (pipe.ended || !to.interest.read || to.released()) return;
    const std::size_t count = std::min(size, pipe.flight.size());
    const auto middle = pipe.flight.begin() + static_cast<std::ptrdiff_t>(count);
    const Data part(pipe.flight.begin(), middle);
    pipe.flight.erase(pipe.flight.begin(), middle);
    const bool authenticated = to.engine->established() && !to.engine->peer_closed() &&
                               to.engine->failure() == errc::none && !to.closed();
    for (const std::uint8_t byte : part) {
      if (pipe.tampered) break;
      if (pipe.delivered < pipe.sent.size() && pipe.sent[pipe.delivered] == byte) {
        ++pipe.delivered;
      } else {
        pipe.tampered = true;
        const std::size_t notify_end = peer(from).engine->notify_end;
        pipe.tampered_late = authenticated && (notify_end == 0 || pipe.delivered < notify_end);
      }
    }
    to.give(part);
  }
  // Nothing more comes from this side: its end, or somebody who cuts the line.
  void end(unsigned from) {
    Pipe& pipe = pipes_[from];
    Peer& to = peer(1 - from);
    if (pipe.ended || to.released()) return;
    if ((!peer(from).shut && !peer(from).released()) || !pipe.flight.empty()) interfered_ = true;
    note_cut(from);
    pipe.ended = true;
    to.follow(to.layer->on_eof(*to.driver, now_));
    FUZZ_CHECK(!to.interest.read);
  }
  void note_cut(unsigned from) {
    Pipe& pipe = pipes_[from];
    const std::size_t notify_end = peer(from).engine->notify_end;
    const bool notified = notify_end != 0 && pipe.delivered >= notify_end;
    if (!notified && !peer(1 - from).closed()) pipe.cut_off = true;
  }
  // Both ways, until nothing moves.
  void flow() {
    int rounds = 0;
    for (bool moved = true; moved;) {
      FUZZ_CHECK(++rounds < rounds_max);
      moved = false;
      for (unsigned side = 0; side < 2; ++side) {
        const std::size_t before = pipes_[side].flight.size();
        take(side, everything, 64);
        moved = moved || pipes_[side].flight.size() != before;
        const std::size_t waiting = pipes_[side].flight.size();
        deliver(side, everything);
        moved = moved || pipes_[side].flight.size() != waiting;
        const Peer& own = peer(side);
        if ((own.shut || own.released()) && !own.interest.write && pipes_[side].flight.empty() &&
            !pipes_[side].ended && !peer(1 - side).released()) {
          end(side);
          moved = true;
        }
      }
    }
  }

  // The record layer as somebody on the line sees it.
  static std::size_t record_size(const Data& flight, std::size_t at) {
    if (flight.size() < at + 5) return flight.size() - at;
    return std::min<std::size_t>(flight.size() - at, 5u + flight[at + 3] * 256u + flight[at + 4]);
  }
  static void change_records(Pipe& pipe, unsigned what) {
    Data& flight = pipe.flight;
    const std::size_t first = record_size(flight, 0);
    const std::size_t second = record_size(flight, first);
    const auto begin = flight.begin();
    const auto middle = begin + static_cast<std::ptrdiff_t>(first);
    switch (what % 4) {
      case 0: {  // twice
        const Data record(begin, middle);
        flight.insert(middle, record.begin(), record.end());
        return;
      }
      case 1: std::rotate(begin, middle, middle + static_cast<std::ptrdiff_t>(second)); return;
      case 2: flight.erase(begin, middle); return;
      default:  // once more what was sent long ago
        if (pipe.sent.size() < 8) return;
        flight.insert(flight.begin(), pipe.sent.begin(),
                      pipe.sent.begin() + static_cast<std::ptrdiff_t>(record_size(pipe.sent, 0)));
    }
  }
  // What was never sent, behind what was.
  static void make_up(Pipe& pipe, fuzz::Input& input) {
    static const std::string known[] = {"GET / HTTP/1.1\r\nHost: fuzz.example\r\n\r\n",
                                        std::string("\x15\3\3\0\2\1\0", 7),  // close_notify in plain
                                        std::string("\x15\3\3\0\2\2\x28", 7),
                                        std::string("\x14\3\3\0\1\1", 6),  // change_cipher_spec
                                        std::string("\x16\3\1\x40\0\1", 6),
                                        std::string("\x80\x2e\1\3\1\0\x15", 7),  // SSL 2
                                        "HTTP/1.1 400 Bad Request\r\n\r\n"};
    const unsigned which = input.byte() % (std::size(known) + 2);
    if (which < std::size(known)) {
      pipe.flight.insert(pipe.flight.end(), known[which].begin(), known[which].end());
      return;
    }
    const Data body = input.run();
    if (which > std::size(known)) {  // a record of any type
      const auto size = static_cast<std::uint8_t>(body.size());
      pipe.flight = pipe.flight + Data{static_cast<std::uint8_t>(0x14 + input.byte() % 5u), 3, 3, 0, size};
    }
    pipe.flight = pipe.flight + body;
  }

  // --- the end --------------------------------------------------------------------------------------
  // Whatever was done to them, the deadlines end both.
  void let_end() {
    for (int rounds = 0; !server_.released() || !client_.released(); ++rounds) {
      FUZZ_CHECK(rounds < rounds_max, "a connection does not end");
      Instant next = never;
      for (unsigned side = 0; side < 2; ++side) {
        if (!peer(side).released()) next = std::min(next, peer(side).interest.deadline);
      }
      FUZZ_CHECK(next != never, "a connection waits for nothing");
      now_ = std::max(now_, next);
      for (unsigned side = 0; side < 2; ++side) {
        if (!peer(side).released() && peer(side).interest.deadline <= now_) timeout(side);
        if (!peer(side).released() && peer(side).endpoint().input_paused()) peer(side).resume_reading();
      }
      flow();
      // Nobody keeps a connection for ever that both could go on with.
      if (rounds == 100) {
        end(0);
        end(1);
      }
    }
  }
  void check(unsigned side) {
    Peer& own = peer(side);
    const Pipe& in = pipes_[1 - side];
    const std::vector<Data>& got = own.record.messages;
    const std::vector<Data>& sent = peer(1 - side).sent;
    FUZZ_CHECK(own.record.rules.closed());
    FUZZ_CHECK(got.size() <= sent.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const bool part = i + 1 == got.size() && own.record.in_message;
      FUZZ_CHECK(part ? got[i].size() <= sent[i].size() : got[i].size() == sent[i].size());
      FUZZ_CHECK(std::equal(got[i].begin(), got[i].end(), sent[i].begin()));
    }
    const bool clean = own.endpoint().close_status().clean;
    FUZZ_CHECK(!clean || !in.cut_off, "a truncated end is clean");
    FUZZ_CHECK(!clean || !in.tampered_late || timed_out_[side], "an end is clean behind a changed byte");
    own.layer.reset();
    own.driver.reset();
    FUZZ_CHECK(own.pool.live() == 0);
  }

  Instant now_ = harness_start;
  Peer server_;
  Peer client_;
  Pipe pipes_[2];                       // by the side that sends
  bool timed_out_[2] = {false, false};  // a deadline ended it
  bool interfered_ = false;             // something may be lost
  bool closed_ = false;
  std::size_t sent_ = 0;
  unsigned serial_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Between between(input.byte());
  for (int steps = 0; !input.empty() && steps < 300; ++steps) between.step(input);
  between.finish();
  return 0;
}
