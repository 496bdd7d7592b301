// An EpollLoop over real sockets, under system calls that fail and a clock that stands still: what the
// peers send, what the handlers do and which calls fail is the input's. Held: each connection has
// exactly one closed and is then gone; no descriptor and no block is kept; the loop never turns
// without a reason; when all peers have left, so have the connections.
//
// Input: flags (1 small socket buffers, 2 the loop is destroyed with connections open, 4 room for two
// connections only), then operations: a byte that chooses, a byte that names a peer, arguments.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <memory>

#include "check.h"
#include "faults.h"
#include "harness.h"
#include "sansock/epoll_loop.h"
#include "stream.h"
#include "test_entropy.h"
#include "test_pool.h"
#include "virtual_clock.h"

namespace {

using namespace sansock;
using namespace sansock::testing;
using faults::Call;
using faults::Fault;
using sansock::fuzz::Input;

constexpr std::string_view good_request =
    "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view good_response =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: 7Ubo2JRe6fIuZAdGHq7kDA4XEQ0=\r\n\r\n";

// What one connection's handler does, and what happened to it.
struct Record {
  unsigned habits = 0;
  EventRules rules;
  bool gone = false;
};
enum Habit : unsigned {
  echoes = 1,
  pauses = 2,
  sends_much = 4,
  closes = 8,
  drops = 16,
  defers = 32,
  rejects = 64,
};

class FuzzedHandler {
 public:
  explicit FuzzedHandler(Record* record) : record_(record) {}

  Verdict on_event(Endpoint& endpoint, const Event& event) {
    const std::string broken = record_->rules.check(event, endpoint.state(), endpoint.transport_action());
    FUZZ_CHECK(broken.empty() && !record_->gone, broken);
    switch (event.kind) {
      case EventKind::request: answer(endpoint, event); break;
      case EventKind::open:
        if (has(sends_much)) endpoint.send(MessageType::binary, view_of(Data(150'000, 7)));
        break;
      case EventKind::data: return on_data(endpoint, event);
      default: break;
    }
    return Verdict::keep;
  }
  void on_gone(ConnectionId) {
    FUZZ_CHECK(record_->rules.closed() && !record_->gone);
    record_->gone = true;
  }

 private:
  bool has(Habit habit) const { return (record_->habits & habit) != 0; }
  void answer(Endpoint& endpoint, const Event& event) {
    if (event.error != errc::none || has(defers)) return;
    const std::error_code error = has(rejects) ? endpoint.respond({.status = 404}) : endpoint.accept();
    FUZZ_CHECK(!error || error == errc::blocks_exhausted, error.message());
  }
  Verdict on_data(Endpoint& endpoint, const Event& event) {
    if (has(echoes)) endpoint.send_part(event.type, event.bytes, event.end);
    if (has(closes)) endpoint.close(CloseCode::going_away, "bye");
    if (has(drops)) return Verdict::drop;
    return has(pauses) ? Verdict::pause_reading : Verdict::keep;
  }

  Record* record_;
};

// The other end of a connection.
struct Other {
  Other(int descriptor, Role receiver) : socket(descriptor), role(receiver), frames(receiver) {}

  void send(const Data& data) {
    // Not send(2): that is the loops'.
    if (socket.valid())
      sendto(socket.fd(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
  }
  Socket socket;
  Role role;  // of the connection in the loop
  fuzz::FrameStream frames;
};

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 100; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

class World {
 public:
  explicit World(unsigned flags)
      : small_buffers_((flags & 1) != 0),
        loop_(std::make_unique<EpollLoop<FuzzedHandler>>(
            LoopOptions{.receive_buffer_size = 4096,
                        .connections_max = (flags & 4) != 0 ? 2u : 10u,
                        .tcp_nodelay = false})) {
    config_.pool = &pool_;
    config_.entropy = &entropy_;
    FUZZ_CHECK(!loop_->open());
    listen();
  }

  void step(Input& input);
  void finish(bool at_once);

 private:
  static constexpr std::size_t others_max = 5;

  // An abstract address that the system chooses.
  void listen() {
    Socket listener(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    address_.sun_family = AF_UNIX;
    FUZZ_CHECK(bind(listener.fd(), address(), sizeof(sa_family_t)) == 0 && ::listen(listener.fd(), 8) == 0);
    address_size_ = sizeof address_;
    FUZZ_CHECK(getsockname(listener.fd(), address(), &address_size_) == 0);
    FUZZ_CHECK(!loop_->listen(listener.release(), [this](int fd) { add(fd, Role::server); }));
  }
  sockaddr* address() { return reinterpret_cast<sockaddr*>(&address_); }

  void add(int fd, Role role) {
    const int size = 2048;
    if (small_buffers_) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    records_.push_back(std::make_unique<Record>());
    records_.back()->habits = habits_;
    const auto id = loop_->add(fd, role, config_, records_.back().get());
    if (!id) {
      records_.pop_back();
      return;
    }
    if (role == Role::client) {
      const std::error_code error = loop_->find(*id)->endpoint().connect({.host = "example.com"});
      FUZZ_CHECK(!error || error == errc::blocks_exhausted);
      loop_->touch(*id);
    }
  }
  void connect_peer() {
    if (others_.size() >= others_max) return;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    others_.push_back(std::make_unique<Other>(fd, Role::server));
    if (::connect(fd, address(), address_size_) != 0) others_.back()->socket.reset();  // not accepting
  }
  void add_pair(Role role) {
    if (others_.size() >= others_max) return;
    int pair[2];
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    others_.push_back(std::make_unique<Other>(pair[1], role));
    add(pair[0], role);
  }
  void read(Other& other, std::size_t size) {
    Data buffer(std::max<std::size_t>(size, 1));
    if (other.socket.valid()) [[maybe_unused]]
      const ssize_t ignored = ::read(other.socket.fd(), buffer.data(), buffer.size());
  }
  void add_fault(Input& input) {
    constexpr std::array errors = {EINTR, EAGAIN, ECONNRESET, EPIPE, EMFILE, ECONNABORTED, ENOBUFS, 0};
    constexpr std::array calls = {Call::recv, Call::sendmsg, Call::accept4, Call::epoll_wait};
    const Call call = calls[input.byte() % calls.size()];
    const int error = errors[input.byte() % errors.size()];
    Fault fault{.error = error};
    if (call == Call::epoll_wait) fault.error = EINTR;
    if (error == 0) fault.size_max = input.byte() + 1u;
    plan_.emplace_back(call, fault);
  }
  Fault next_fault(Call call) {
    Fault fault{.no_wait = true};
    if (in_turn_ && !plan_.empty() && plan_.front().first == call) {
      fault = plan_.front().second;
      fault.no_wait = true;
      plan_.pop_front();
    }
    return fault;
  }
  void turn(Duration wait_max = Duration::zero()) {
    in_turn_ = true;
    loop_->turn(wait_max);
    in_turn_ = false;
  }
  // Turns until the loop would sleep without end. Where it would sleep for a while, that time passes.
  // A turn that neither waits nor has anything to do is one too many; a few follow each other where
  // commands were given.
  void rest() {
    int idle_turns = 0;
    for (int turns = 0; turns < 5000; ++turns) {
      turn(no_timeout);
      const faults::Wait wait = injection_.last_wait();
      if (wait.ready > 0) {
        idle_turns = 0;
      } else if (wait.timeout < 0) {
        // What nobody will ever take must not be kept: there is a deadline for that.
        loop_->for_each([](ConnectionId, Driver<FuzzedHandler>& driver) {
          FUZZ_CHECK(driver.endpoint().output_size() == 0, "output without a deadline");
        });
        return;
      } else {
        clock_.advance(std::chrono::milliseconds(wait.timeout));
        idle_turns = wait.timeout == 0 ? idle_turns + 1 : 0;
        FUZZ_CHECK(idle_turns < 30, "the loop turns without a reason");
      }
    }
    FUZZ_CHECK(false, "the loop does not come to rest");
  }
  void resume_all() {
    loop_->for_each([this](ConnectionId id, Driver<FuzzedHandler>& driver) {
      driver.resume_reading();
      loop_->touch(id);
    });
  }
  void command_all(unsigned what) {
    loop_->for_each([this, what](ConnectionId id, Driver<FuzzedHandler>& driver) {
      Endpoint& endpoint = driver.endpoint();
      switch (what % 4) {
        case 0: endpoint.send("from outside"); break;
        case 1: endpoint.close(); break;
        case 2: endpoint.ping(); break;
        default:
          if (endpoint.accept()) endpoint.send(MessageType::binary, view_of(Data(20'000, 1)));
      }
      loop_->touch(id);
    });
  }

  fuzz::VirtualClock clock_;
  TestPool pool_{16'384, 40};
  ConstantEntropy entropy_{0x37FA213D};
  Config config_;
  bool small_buffers_;
  unsigned habits_ = 0;
  std::vector<std::unique_ptr<Record>> records_;
  std::vector<std::unique_ptr<Other>> others_;
  std::deque<std::pair<Call, Fault>> plan_;
  bool in_turn_ = false;
  faults::Injection injection_{[this](Call call, unsigned) { return next_fault(call); }};
  sockaddr_un address_{};
  socklen_t address_size_ = 0;
  std::unique_ptr<EpollLoop<FuzzedHandler>> loop_;
};

void World::step(Input& input) {
  const unsigned operation = input.byte() % 18;
  const unsigned which = input.byte();
  if (operation < 3) {
    habits_ = which;
    return operation == 0 ? connect_peer() : add_pair(operation == 1 ? Role::server : Role::client);
  }
  if (others_.empty()) return turn();
  Other& other = *others_[which % others_.size()];
  switch (operation) {
    case 3: return other.send(bytes_of(other.role == Role::server ? good_request : good_response));
    case 4: return other.send(other.frames.next(input));
    case 5: return other.send(input.run());
    case 6: return read(other, input.number(2));
    case 7:
      if (other.socket.valid()) shutdown(other.socket.fd(), SHUT_WR);
      return;
    case 8: return other.socket.reset();
    case 9:
    case 10: return turn();
    case 11: clock_.advance(std::chrono::milliseconds(input.number(2))); return turn();
    case 12:
    case 13: return add_fault(input);
    case 14: return resume_all();
    case 15: return command_all(which);
    case 16: FUZZ_CHECK(loop_->post([this] { resume_all(); })); return;
    default:
      if (which % 8 == 0) loop_->stop_accepting();
  }
}

void World::finish(bool at_once) {
  if (!at_once) {
    turn();
    plan_.clear();
    rest();
    for (const auto& other : others_) other->socket.reset();
    for (const auto& record : records_) record->habits &= ~unsigned{pauses};
    resume_all();
    rest();
    FUZZ_CHECK(loop_->connections() == 0, "a connection outlives its peer");
    const auto& counters = loop_->counters();
    FUZZ_CHECK(counters.closed == records_.size(), "closed is counted wrongly");
  }
  loop_.reset();
  for (const auto& record : records_) FUZZ_CHECK(record->rules.closed() && record->gone);
  FUZZ_CHECK(pool_.live() == 0, "blocks were kept");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const int descriptors = open_descriptors();
  {
    const unsigned flags = input.byte();
    World world(flags);
    for (int steps = 0; !input.empty() && steps < 200; ++steps) world.step(input);
    world.finish((flags & 2) != 0);
  }
  FUZZ_CHECK(open_descriptors() == descriptors, "descriptors were kept");
  return 0;
}
