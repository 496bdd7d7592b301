// The conformance kit: 517 cases, against any WebSocket server or client. See README.md beside this file.
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "cases/catalogue.h"
#include "report/report.h"
#include "report/summary.h"
#include "run/client_run.h"
#include "run/options.h"
#include "run/server_run.h"
#include "verdict/verdict_file.h"
#include "wire/tls_channel.h"

namespace conform {
namespace {

// Set by the signal handler; looked at between turns of the event loop.
volatile bool stop_asked = false;

void on_signal(int /*number*/) { stop_asked = true; }

struct Run {
  const Options& options;
  std::vector<const Case*> cases;
  const VerdictFile* pinned = nullptr;
  std::unique_ptr<TlsContext> tls;  // null: plain TCP
};

// Prints what is not as it should be. False if there is something.
bool tell_outcome(const Run& run, const AgentResults& results) {
  const Outcome outcome = outcome_of(results, run.pinned);
  for (const std::string& line : outcome.lines) fmt::print("{}\n", line);
  if (run.pinned != nullptr) {
    fmt::print("{} of {} verdicts are as pinned in {}\n", results.size() - outcome.lines.size(),
               results.size(), run.options.expect);
  }
  return outcome.good();
}

bool tell_results(const Run& run, const std::string& agent, const AgentResults& results) {
  fmt::print("{}\n{}", agent, summary_table(results));
  if (!run.options.out.empty()) fmt::print("reports: {}/index.html\n", run.options.out);
  return tell_outcome(run, results);
}

int run_against_server(Run& run, const Target& target) {
  ServerPlan plan{target,           run.tls.get(),        run.options.agent, run.cases,
                  run.options.jobs, run.options.patience, &stop_asked};
  std::string problem;
  const AgentResults results = test_server(plan, problem);
  if (!results.empty()) {
    if (!run.options.out.empty())
      write_reports(run.options.out, {{run.options.agent, results}}, Role::client);
    if (!tell_results(run, run.options.agent, results) && problem.empty()) return exit_failed;
  }
  if (problem.empty() && results.size() != run.cases.size()) problem = "stopped";
  if (problem.empty()) return exit_good;
  complain(fmt::format("{}; {} of {} cases were run", problem, results.size(), run.cases.size()));
  return exit_failed;
}

ClientPlan client_plan(const Run& run) {
  ClientPlan plan;
  plan.host = run.options.host;
  plan.port = run.options.listen;
  plan.tls = run.tls.get();
  plan.cases = run.cases;
  plan.patience = run.options.patience;
  plan.once = run.options.once;
  plan.stop = &stop_asked;
  plan.update_reports = [&run](const std::map<std::string, AgentResults>& results) -> std::string {
    if (run.options.out.empty()) return {};
    try {
      write_reports(run.options.out, results, Role::server);
    } catch (const std::runtime_error& error) {
      complain(error.what());
      return error.what();
    }
    return {};
  };
  plan.ready = [&run](int port) {
    const bool six = run.options.host.find(':') != std::string::npos;
    fmt::print("listening on {}://{}{}{}:{}/\n", run.tls ? "wss" : "ws", six ? "[" : "", run.options.host,
               six ? "]" : "", port);
    std::fflush(stdout);
  };
  return plan;
}

int run_against_clients(Run& run) {
  std::string problem;
  const auto results = test_clients(client_plan(run), problem);
  if (!problem.empty()) {
    complain(problem);
    return exit_failed;
  }
  bool good = true;
  for (const auto& [agent, cases] : results) {
    good = tell_results(run, agent, cases) && good;
    if (cases.size() == run.cases.size()) continue;
    complain(fmt::format("{} ran {} of {} cases", agent, cases.size(), run.cases.size()));
    good = false;
  }
  if (results.empty()) complain("no client came");
  return good && !results.empty() ? exit_good : exit_failed;
}

// Verdicts of another program, in the shape of the original testsuite.
int check_index(const Run& run) {
  std::ifstream stream(run.options.check, std::ios::binary);
  const nlohmann::json index = nlohmann::json::parse(stream, nullptr, false);
  if (!index.is_object() || index.empty()) {
    complain(run.options.check + " can not be read as an index.json");
    return exit_failed;
  }
  bool good = true;
  for (const auto& [agent, cases] : index.items()) {
    AgentResults results;
    for (const auto& [id, entry] : cases.items()) {
      const auto behavior = verdict_from(entry.value("behavior", ""));
      const auto closing = verdict_from(entry.value("behaviorClose", ""));
      results[id].verdicts = {behavior.value_or(Verdict::failed), closing.value_or(Verdict::failed)};
    }
    fmt::print("{}\n", agent);
    good = tell_outcome(run, results) && good;
  }
  return good ? exit_good : exit_failed;
}

int list_cases(const Run& run) {
  for (const Case* one : run.cases) fmt::print("{}\t{}\n", one->id, one->description);
  return exit_good;
}

int refuse(const std::string& problem) {
  complain(problem);
  return exit_usage;
}

int run_server_role(Run& run) {
  std::string problem;
  if (!run.options.tls_cert.empty()) {
    run.tls = tls_server(run.options.tls_cert, run.options.tls_key, problem);
    if (!run.tls) return refuse(problem);
  }
  return run_against_clients(run);
}

int run_client_role(Run& run) {
  std::string problem;
  const auto target = parse_target(run.options.server, problem);
  if (!target) return refuse(problem);
  if (target->tls) {
    run.tls = tls_client({target->bare_host(), run.options.ca, run.options.insecure}, problem);
    if (!run.tls) return refuse(problem);
  } else if (run.options.insecure || !run.options.ca.empty()) {
    return refuse("--ca and --insecure are about certificates: give a wss:// URL");
  }
  return run_against_server(run, *target);
}

int run_all(const Options& options) {
  std::optional<VerdictFile> pinned;
  std::string problem;
  if (!options.expect.empty()) {
    pinned = VerdictFile::read(options.expect, problem);
    if (!pinned) return refuse(options.expect + ": " + problem);
  }
  const std::vector<Case> cases = catalogue(options.quick ? quick_scale : full_scale);
  const CaseFilter filter(options.cases, options.exclude);
  if (const std::string pattern = filter.useless_pattern(cases); !pattern.empty())
    return refuse("there is no case '" + pattern + "'; --list prints them all");
  Run run{options, {}, pinned ? &*pinned : nullptr, nullptr};
  for (const Case& one : cases) {
    if (filter.selects(one.id)) run.cases.push_back(&one);
  }
  if (options.list) return list_cases(run);
  if (!options.check.empty()) return check_index(run);
  return options.listen >= 0 ? run_server_role(run) : run_client_role(run);
}

}  // namespace
}  // namespace conform

int main(int argc, char** argv) {
  conform::Options options;
  if (const auto code = conform::parse_options(argc, argv, options)) return *code;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, conform::on_signal);
  std::signal(SIGTERM, conform::on_signal);
  try {
    return conform::run_all(options);
  } catch (const std::exception& error) {
    conform::complain(error.what());
    return conform::exit_failed;
  }
}
