#include "run/server_run.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>

#include "report/summary.h"
#include "run/connection.h"

namespace conform {
namespace {

// So many connections refused in a row, and the server is taken for gone.
constexpr unsigned refusals_max = 5;
constexpr unsigned heavy_jobs_max = 2;
constexpr Seconds handshake_limit{5};  // of TLS, before the first case

struct AddressList {
  addrinfo* first = nullptr;
  ~AddressList() {
    if (first != nullptr) freeaddrinfo(first);
  }
};

class ServerRun {
 public:
  explicit ServerRun(const ServerPlan& plan)
      : plan_(plan), random_(std::random_device{}()), progress_(plan.cases.size()) {
    environment_.patience = plan.patience;
    environment_.random = &random_;
    environment_.tls = plan.tls;
    for (const Case* one : plan.cases) (one->heavy ? heavy_ : light_).push_back(one);
  }

  AgentResults run(std::string& problem) {
    if (!find_address(problem)) return {};
    // The heavy ones alone, so that they take no time from those with short limits.
    run_queue(light_, plan_.jobs);
    run_queue(heavy_, std::min(plan_.jobs, heavy_jobs_max));
    progress_.end();
    problem = problem_;
    return std::move(results_);
  }

 private:
  bool find_address(std::string& problem);
  bool reachable(std::string& problem);
  std::string shake_hands(Descriptor socket) const;
  Descriptor connect_to(const addrinfo& address) const;
  void run_queue(std::deque<const Case*>& queue, unsigned jobs);
  void begin(const Case& test);
  void take(CaseResult&& result);
  bool stopped() const { return !problem_.empty() || (plan_.stop != nullptr && *plan_.stop); }

  const ServerPlan& plan_;
  std::mt19937_64 random_;
  Environment environment_;
  AddressList addresses_;
  const addrinfo* address_ = nullptr;
  EventLoop loop_;
  std::deque<const Case*> light_;
  std::deque<const Case*> heavy_;
  unsigned active_ = 0;
  unsigned refusals_ = 0;
  AgentResults results_;
  Progress progress_;
  std::string problem_;
};

bool ServerRun::find_address(std::string& problem) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const Target& target = plan_.target;
  const int error = getaddrinfo(target.bare_host().c_str(), target.port.c_str(), &hints, &addresses_.first);
  if (error != 0) {
    problem = "can not find " + target.host + ": " + gai_strerror(error);
    return false;
  }
  return reachable(problem);
}

// Takes the first address that answers, before any case is counted as failed.
bool ServerRun::reachable(std::string& problem) {
  for (const addrinfo* one = addresses_.first; one != nullptr; one = one->ai_next) {
    Descriptor socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const bool connected = ::connect(socket.number(), one->ai_addr, one->ai_addrlen) == 0;
    std::string why = connected ? shake_hands(std::move(socket)) : std::strerror(errno);
    if (why.empty()) {
      address_ = one;
      problem.clear();
      return true;
    }
    problem = "can not connect to " + plan_.target.authority() + ": " + why;
  }
  return false;
}

// The TLS handshake, if there is one: awaited, and all that is said. Why it failed; empty if it did not.
std::string ServerRun::shake_hands(Descriptor socket) const {
  if (plan_.tls == nullptr) return {};
  fcntl(socket.number(), F_SETFL, O_NONBLOCK);
  Stream stream(std::move(socket), plan_.tls->channel());
  const Instant until = std::chrono::steady_clock::now() +
                        std::chrono::duration_cast<Duration>(handshake_limit * plan_.patience);
  while (!stream.open()) {
    stream.flush();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd descriptor{stream.descriptor(), static_cast<short>(stream.blocked() ? POLLIN | POLLOUT : POLLIN),
                      0};
    if (left.count() <= 0) return "the TLS handshake was not done in time";
    if (poll(&descriptor, 1, static_cast<int>(left.count())) < 0 && errno == EINTR && stopped())
      return "stopped";
    const Stream::Input input = stream.receive([](std::string_view /*octets*/) {});
    if (input == Stream::Input::broken || input == Stream::Input::ended) {
      stream.end();  // what is wrong is told to the server too
      return "the server " + stream.how();
    }
  }
  stream.end();
  return {};
}

Descriptor ServerRun::connect_to(const addrinfo& address) const {
  Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.number() < 0) return socket;
  if (::connect(socket.number(), address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS)
    return Descriptor();
  return socket;
}

void ServerRun::begin(const Case& test) {
  Descriptor socket = connect_to(*address_);
  if (socket.number() < 0) {
    problem_ = "can not connect to " + plan_.target.authority() + ": " + std::strerror(errno);
    return;
  }
  ++active_;
  loop_.add(std::make_unique<ClientConnection>(std::move(socket), environment_, plan_.target, test,
                                               plan_.agent,
                                               [this](CaseResult&& result) { take(std::move(result)); }));
}

void ServerRun::take(CaseResult&& result) {
  --active_;
  const bool silent = !result.handshake_done && result.http_response.empty();
  refusals_ = silent ? refusals_ + 1 : 0;
  progress_.finished(result);
  const std::string id = result.case_id;
  if (refusals_ == refusals_max) {
    problem_ = "the server no longer answers (at case " + id + "): " + std::string(result.result);
  }
  results_[id] = std::move(result);
}

void ServerRun::run_queue(std::deque<const Case*>& queue, unsigned jobs) {
  while (active_ != 0 || (!queue.empty() && !stopped())) {
    while (!queue.empty() && active_ < jobs && !stopped()) {
      begin(*queue.front());
      queue.pop_front();
    }
    if (stopped() && plan_.stop != nullptr && *plan_.stop) return;
    loop_.run_turn(never);
  }
}

}  // namespace

std::optional<Target> parse_target(const std::string& url, std::string& problem) {
  Target target;
  target.tls = url.starts_with("wss://");
  const std::string scheme = target.tls ? "wss://" : "ws://";
  problem = "'" + url + "' is not a URL like ws://host:port/path or wss://host:port/path";
  if (!url.starts_with(scheme)) return std::nullopt;
  const std::size_t slash = std::min(url.find('/', scheme.size()), url.size());
  const std::string authority = url.substr(scheme.size(), slash - scheme.size());
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  target.host = has_port ? authority.substr(0, colon) : authority;
  target.port = has_port ? authority.substr(colon + 1) : target.tls ? "443" : "80";
  target.resource = slash == url.size() ? "/" : url.substr(slash);
  const bool digits = !target.port.empty() && std::all_of(target.port.begin(), target.port.end(),
                                                          [](char c) { return c >= '0' && c <= '9'; });
  if (target.host.empty() || !digits || target.resource.find_first_of(" #\r\n") != std::string::npos)
    return std::nullopt;
  problem.clear();
  return target;
}

AgentResults test_server(const ServerPlan& plan, std::string& problem) {
  ServerRun run(plan);
  return run.run(problem);
}

}  // namespace conform
