#include "runner.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <new>
#include <vector>

namespace sansock::sim {

namespace {

constexpr unsigned seconds_per_seed_max = 60;  // of real time: an endless loop inside the engine

// The seed at hand, for the handlers of signals.
const World* current_world = nullptr;
std::uint64_t current_seed = 0;

std::string report_of(std::uint64_t seed, const Knobs& knobs, const Trace& trace, const std::string& what) {
  const std::string number = std::to_string(seed);
  return "seed=" + number + " " + what + "\n" + knobs.text() + "the last part of the trace:\n" +
         trace.tail() + "seed=" + number + " " + what + "\nreplay with: build/tests/sim/sim --seed " +
         number + " --trace\n";
}

void print_error(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

// An assertion of the engine has failed, or memory was misused. The handler may do what it does only
// because the process is at its end in any case.
void on_signal(int number) {
  signal(number, SIG_DFL);
  const char* const what =
      number == SIGALRM ? "livelock: no end after 60 s" : "crash: an assertion or a bad access";
  if (current_world != nullptr) {
    print_error(report_of(current_seed, draw_knobs(current_seed), current_world->trace(), what));
  }
  _exit(1);
}

void catch_signals() {
  for (const int number : {SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGALRM}) {
    struct sigaction before {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler == SIG_DFL) signal(number, on_signal);  // a sanitizer has its own
  }
}

// What the processes share.
struct Board {
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stopped{false};
  std::atomic<std::uint64_t> hash{0};
  std::atomic<std::uint64_t> seeds{0}, messages{0}, bytes{0}, connections{0}, faults{0}, turns{0}, clean{0},
      compressed{0}, full{0}, simulated{0};

  void add(const SeedResult& result) {
    const Stats& stats = result.stats;
    hash += result.hash;
    seeds += stats.seeds;
    messages += stats.messages;
    bytes += stats.bytes;
    connections += stats.connections;
    faults += stats.faults;
    turns += stats.turns;
    clean += stats.clean;
    compressed += stats.compressed;
    full += stats.full;
    simulated += stats.simulated;
  }
  Stats stats() const {
    return {.seeds = seeds,
            .messages = messages,
            .bytes = bytes,
            .connections = connections,
            .faults = faults,
            .turns = turns,
            .clean = clean,
            .compressed = compressed,
            .full = full,
            .simulated = simulated};
  }
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int work(Board& board, const RunOptions& options, double end) {
  catch_signals();
  while (!board.stopped) {
    const std::uint64_t index = board.next++;
    if (options.seeds != 0 && index >= options.seeds) return 0;
    if (options.seconds > 0 && now_seconds() >= end) return 0;
    const SeedResult result = run_seed(options.from + index);
    board.add(result);
    if (result.checker.empty()) continue;
    if (!board.stopped.exchange(true)) print_error(result.report);
    return 1;
  }
  return 0;
}

void show_progress(const Board& board, double began) {
  const double seconds = now_seconds() - began;
  std::fprintf(stderr, "\r%" PRIu64 " seeds, %.0f per second, %" PRIu64 " messages ", board.seeds.load(),
               static_cast<double>(board.seeds) / seconds, board.messages.load());
}

}  // namespace

SeedResult run_seed(const Knobs& knobs, bool trace) {
  World world(knobs);
  if (trace) world.trace().print_to(stdout);
  current_world = &world;
  current_seed = knobs.seed;
  alarm(seconds_per_seed_max);
  world.run();
  alarm(0);
  current_world = nullptr;
  SeedResult result{.stats = world.stats(), .hash = world.trace().hash(), .checker = {}, .report = {}};
  if (world.checks().failed()) {
    result.checker = world.checks().checker();
    result.report =
        report_of(knobs.seed, knobs, world.trace(), result.checker + ": " + world.checks().text());
  }
  return result;
}

SeedResult run_seed(std::uint64_t seed, bool trace) { return run_seed(draw_knobs(seed), trace); }

RunResult run_seeds(const RunOptions& options) {
  void* const memory =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    return {.failed = true};
  }
  Board& board = *new (memory) Board;
  const double began = now_seconds();
  std::vector<pid_t> workers;
  bool failed = false;
  for (unsigned i = 0; i < options.jobs; ++i) {
    std::fflush(nullptr);
    const pid_t worker = fork();
    if (worker == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      _exit(work(board, options, began + options.seconds));
    }
    if (worker < 0) failed = true;
    if (worker > 0) workers.push_back(worker);
  }
  for (std::size_t left = workers.size(); left != 0;) {
    int status = 0;
    const pid_t done = waitpid(-1, &status, options.progress ? WNOHANG : 0);
    if (done > 0) {
      --left;
      if (status != 0) failed = board.stopped = true;
    } else if (done == 0) {
      show_progress(board, began);
      usleep(200'000);
    }
  }
  if (options.progress) std::fprintf(stderr, "\r\033[K");
  const RunResult result{board.stats(), board.hash, failed};
  munmap(memory, sizeof(Board));
  return result;
}

std::string summary(const RunResult& result) {
  const Stats& stats = result.stats;
  char line[300];
  std::snprintf(line, sizeof line,
                "%" PRIu64 " seeds, %" PRIu64 " messages delivered, %" PRIu64 " connections, %" PRIu64
                " faults injected, %" PRIu64 " frames compressed, %.1f h simulated, hash %016" PRIx64,
                stats.seeds, stats.messages, stats.connections, stats.faults, stats.compressed,
                static_cast<double>(stats.simulated) / 3.6e12, result.hash);
  return line;
}

}  // namespace sansock::sim
