#include "run/client_run.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "report/summary.h"
#include "run/connection.h"

namespace conform {
namespace {

constexpr std::string_view usage =
    "This is a WebSocket fuzzing server. Connect with a WebSocket client under test to /getCaseCount,\n"
    "/runCase?case=N&agent=NAME, /getCaseInfo?case=N, /getCaseStatus?case=N&agent=NAME or "
    "/updateReports?agent=NAME.\n";

// A connection that only says something, and closes.
std::shared_ptr<const Case> answer_case(std::string text) {
  auto one = std::make_shared<Case>();
  if (!text.empty()) one->steps.push_back(SendFrame{.opcode = opcode::text, .payload = std::move(text)});
  one->steps.push_back(
      SendFrame{.opcode = opcode::close, .payload = close_payload(1000), .counts_as_close = true});
  one->informational = true;
  return one;
}

class ClientRun;

class Listener final : public EventHandler {
 public:
  Listener(Descriptor socket, ClientRun& run) : socket_(std::move(socket)), run_(run) {}
  int descriptor() const override { return socket_.number(); }
  bool wants_read() const override { return true; }
  bool wants_write() const override { return false; }
  void on_readable(Instant now) override;
  void on_turn(Instant /*now*/) override {}
  Instant deadline() const override { return never; }
  bool finished() const override { return false; }

 private:
  Descriptor socket_;
  ClientRun& run_;
};

class ClientRun {
 public:
  explicit ClientRun(const ClientPlan& plan)
      : plan_(plan), random_(std::random_device{}()), progress_(plan.cases.size()) {
    environment_.patience = plan.patience;
    environment_.random = &random_;
    environment_.tls = plan.tls;
  }

  std::map<std::string, AgentResults> run(std::string& problem);
  void accept(Descriptor socket) {
    loop_.add(std::make_unique<ServerConnection>(std::move(socket), environment_,
                                                 [this](const Request& request) { return assign(request); }));
  }

 private:
  Descriptor listen(std::string& problem);
  Assignment assign(const Request& request);
  Assignment assign_case(const Request& request);
  Assignment answer(std::string text, Connection::Finished finished = nullptr);
  const Case* find_case(const Request& request) const;
  std::string status_of(const Case& test, const std::string& agent) const;

  const ClientPlan& plan_;
  std::mt19937_64 random_;
  Environment environment_;
  EventLoop loop_;
  std::map<std::string, AgentResults> results_;
  Progress progress_;
  bool over_ = false;
};

void Listener::on_readable(Instant /*now*/) {
  for (;;) {
    Descriptor socket(accept4(socket_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.number() < 0) return;
    run_.accept(std::move(socket));
  }
}

std::string parameter(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

Assignment refusal(int status, std::string text) {
  Assignment assignment;
  assignment.refusal_status = status;
  assignment.refusal = std::move(text);
  return assignment;
}

Assignment ClientRun::answer(std::string text, Connection::Finished finished) {
  Assignment assignment;
  assignment.owned = answer_case(std::move(text));
  assignment.test = assignment.owned.get();
  assignment.finished = std::move(finished);
  return assignment;
}

const Case* ClientRun::find_case(const Request& request) const {
  if (const std::string id = parameter(request, "casetuple"); !id.empty()) {
    const auto found = std::find_if(plan_.cases.begin(), plan_.cases.end(),
                                    [&id](const Case* one) { return one->id == id; });
    return found == plan_.cases.end() ? nullptr : *found;
  }
  const std::string text = parameter(request, "case");
  std::size_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return nullptr;
  return number >= 1 && number <= plan_.cases.size() ? plan_.cases[number - 1] : nullptr;
}

std::string ClientRun::status_of(const Case& test, const std::string& agent) const {
  const auto results = results_.find(agent);
  nlohmann::json status = nlohmann::json::object();
  if (results != results_.end()) {
    if (const auto found = results->second.find(test.id); found != results->second.end()) {
      status["behavior"] = name_of(found->second.verdicts.behavior);
      status["behaviorClose"] = name_of(found->second.verdicts.behavior_close);
    }
  }
  return status.dump();
}

Assignment ClientRun::assign_case(const Request& request) {
  const Case* const test = find_case(request);
  if (test == nullptr) {
    return refusal(404, "There is no such case: give case=1 to case=" + std::to_string(plan_.cases.size()) +
                            ", or casetuple=ID.\n");
  }
  const std::string agent = parameter(request, "agent");
  if (request.path == "/getCaseInfo")
    return answer(nlohmann::json{{"id", test->id}, {"description", test->description}}.dump());
  if (request.path == "/getCaseStatus") return answer(status_of(*test, agent));
  if (agent.empty()) return refusal(400, "Say who is tested: agent=NAME.\n");
  Assignment assignment;
  assignment.test = test;
  assignment.agent = agent;
  assignment.finished = [this](CaseResult&& result) {
    progress_.finished(result);
    const std::string name = result.agent;
    const std::string id = result.case_id;
    results_[name][id] = std::move(result);
  };
  return assignment;
}

Assignment ClientRun::assign(const Request& request) {
  const std::string& path = request.path;
  if (path == "/runCase" || path == "/getCaseInfo" || path == "/getCaseStatus") return assign_case(request);
  // Other connections are answered even if their handshake is wrong: the answer says so.
  if (path == "/getCaseCount") return answer(std::to_string(plan_.cases.size()));
  if (path == "/stopServer") return answer({}, [this](CaseResult&&) { over_ = true; });
  if (path == "/updateReports") {
    const bool last = plan_.once || parameter(request, "shutdownOnComplete") == "true";
    const std::string told = plan_.update_reports ? plan_.update_reports(results_) : std::string();
    return answer(told, [this, last](CaseResult&&) { over_ = over_ || last; });
  }
  return refusal(404, std::string(usage));
}

Descriptor ClientRun::listen(std::string& problem) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(plan_.host.c_str(), std::to_string(plan_.port).c_str(), &hints, &found);
  if (error != 0) {
    problem = "can not listen on " + plan_.host + ": " + gai_strerror(error);
    return Descriptor();
  }
  Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound =
      bind(socket.number(), found->ai_addr, found->ai_addrlen) == 0 && ::listen(socket.number(), 512) == 0;
  freeaddrinfo(found);
  if (bound) return socket;
  problem =
      "can not listen on " + plan_.host + " port " + std::to_string(plan_.port) + ": " + std::strerror(errno);
  return Descriptor();
}

int port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  char port[NI_MAXSERV] = "0";
  getnameinfo(reinterpret_cast<sockaddr*>(&address), size, nullptr, 0, port, sizeof port, NI_NUMERICSERV);
  return std::atoi(port);
}

std::map<std::string, AgentResults> ClientRun::run(std::string& problem) {
  Descriptor socket = listen(problem);
  if (socket.number() < 0) return {};
  const int port = port_of(socket.number());
  loop_.add(std::make_unique<Listener>(std::move(socket), *this));
  if (plan_.ready) plan_.ready(port);
  while (!over_ && (plan_.stop == nullptr || !*plan_.stop)) loop_.run_turn(never);
  progress_.end();
  return std::move(results_);
}

}  // namespace

std::map<std::string, AgentResults> test_clients(const ClientPlan& plan, std::string& problem) {
  ClientRun run(plan);
  return run.run(problem);
}

}  // namespace conform
