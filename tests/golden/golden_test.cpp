// Replays the transcripts *.txt beside this file: each whole and byte by byte. Their form:
//
//   # a comment; also behind hexadecimal bytes
//   role: server | client             subject: connection (default) | endpoint
//   limit: NAME VALUE                 timeout: NAME SECONDS
//   > 81 85 ...                       input; lines that follow each other are one read
//   >> GET / HTTP/1.1                 input, a line of text with CRLF behind it
//   ! COMMAND                         accept, respond STATUS BODY, connect TARGET, send TEXT,
//                                     part TEXT, end TEXT, ping TEXT, pong TEXT, close CODE REASON,
//                                     wait SECONDS, eof, pause, resume, abort
//   = text "hello"                    an event since the last check (see support/transcript.h)
//   < pong "x"                        a frame that was sent since then (see support/frames.h)
//   << HTTP/1.1 101 ...               a line of the head that was sent since then
//
// All events and all frames have to be there, in order; of a head the named lines.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench.h"

namespace sansock::testing {
namespace {

struct Line {
  std::string mark;
  std::string text;
};

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

Line parse(const std::string& line) {
  const std::size_t blank = line.find(' ');
  const std::string mark = line.substr(0, blank);
  std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
  if (mark == ">") rest = rest.substr(0, rest.find('#'));
  return {mark, mark == ">>" ? rest : trimmed(rest)};
}

std::vector<Line> read_file(const std::filesystem::path& path) {
  std::vector<Line> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(parse(line));
  }
  return lines;
}

void set_limit(Config& config, const std::string& name, std::uint64_t value) {
  Limits& limits = config.limits;
  if (name == "frame_payload_max")
    limits.frame_payload_max = value;
  else if (name == "message_payload_max")
    limits.message_payload_max = value;
  else if (name == "message_fragments_max")
    limits.message_fragments_max = static_cast<std::uint32_t>(value);
  else if (name == "message_fragments_empty_max")
    limits.message_fragments_empty_max = static_cast<std::uint16_t>(value);
  else if (name == "control_frames_per_second_max")
    limits.control_frames_per_second_max = static_cast<std::uint32_t>(value);
  else if (name == "head_bytes_max")
    limits.head_bytes_max = static_cast<std::uint16_t>(value);
  else if (name == "headers_max")
    limits.headers_max = static_cast<std::uint16_t>(value);
  else
    ADD_FAILURE() << "no such limit: " << name;
}

void set_timeout(Config& config, const std::string& name, Duration value) {
  Timeouts& timeouts = config.timeouts;
  if (name == "opening_handshake")
    timeouts.opening_handshake = value;
  else if (name == "first_message")
    timeouts.first_message = value;
  else if (name == "message_assembly")
    timeouts.message_assembly = value;
  else if (name == "ping_interval")
    timeouts.ping_interval = value;
  else if (name == "pong")
    timeouts.pong = value;
  else if (name == "idle")
    timeouts.idle = value;
  else if (name == "close")
    timeouts.close = value;
  else
    ADD_FAILURE() << "no such timeout: " << name;
}

Config config_of(const std::vector<Line>& lines, Role& role, bool& endpoint) {
  Config config;
  config.timeouts = no_timeouts();
  for (const Line& line : lines) {
    std::istringstream words(line.text);
    std::string name;
    std::uint64_t value = 0;
    words >> name >> value;
    if (line.mark == "role:") role = name == "client" ? Role::client : Role::server;
    if (line.mark == "subject:") endpoint = name == "endpoint";
    if (line.mark == "limit:") set_limit(config, name, value);
    if (line.mark == "timeout:") set_timeout(config, name, std::chrono::seconds(value));
  }
  return config;
}

template <class Subject>
class Replay {
 public:
  Replay(Harness<Subject>& harness, bool bytewise) : h_(harness), bytewise_(bytewise) {}

  void line(const Line& line) {
    if (line.mark == ">") return input(from_hex(line.text));
    if (line.mark == ">>") return input(bytes_of(line.text + "\r\n"));
    if (line.mark == "=") return events_.push_back(line.text);
    if (line.mark == "<" || line.mark == "<<") return output_.push_back(line);
    if (line.mark == "!") {
      begin_step();
      return command(line.text);
    }
    EXPECT_EQ(line.mark.back(), ':') << "unknown line: " << line.mark << " " << line.text;
  }
  void finish() { begin_step(); }

 private:
  // Expectations end with the next input or command: check them, start anew.
  void begin_step() {
    flush_input();
    check();
  }
  void input(const Data& bytes) {
    if (!events_.empty() || !output_.empty()) begin_step();
    input_ = input_ + bytes;
  }
  void flush_input() {
    if (bytewise_) {
      h_.feed_bytewise(input_);
    } else {
      h_.feed(input_);
    }
    input_.clear();
  }
  void check() {
    EXPECT_EQ(h_.events.lines(), events_);
    h_.events = Transcript();
    events_.clear();
    const Data sent(h_.output.begin() + static_cast<std::ptrdiff_t>(checked_), h_.output.end());
    checked_ = h_.output.size();
    if (!output_.empty() && output_.front().mark == "<<") return check_head(string_of(sent));
    std::vector<std::string> expected, got;
    for (const Line& line : output_) expected.push_back(line.text);
    for (const Frame& frame : decode(sent).frames) got.push_back(describe(frame));
    EXPECT_EQ(got, expected);
    EXPECT_EQ(to_hex(decode(sent).rest), "");
    output_.clear();
  }
  void check_head(const std::string& head) {
    for (const Line& line : output_) {
      EXPECT_NE(("\r\n" + head).find("\r\n" + line.text + "\r\n"), std::string::npos)
          << "no line " << line.text << " in\n"
          << head;
    }
    EXPECT_EQ(head.substr(0, output_.front().text.size()), output_.front().text);
    output_.clear();
  }
  void command(const std::string& text) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string verb = text.substr(0, blank);
    const std::string rest = trimmed(text.substr(blank));
    std::error_code error;
    Subject& subject = h_.subject;
    if (verb == "send")
      error = subject.send(rest);
    else if (verb == "part")
      error = subject.send_part(MessageType::text, as_bytes(rest), false);
    else if (verb == "end")
      error = subject.send_part(MessageType::text, as_bytes(rest), true);
    else if (verb == "ping")
      error = subject.ping(as_bytes(rest));
    else if (verb == "pong")
      error = subject.pong(as_bytes(rest));
    else if (verb == "close")
      error = subject.close(static_cast<CloseCode>(std::stoi(rest)), trimmed(rest.substr(4)));
    else if (verb == "wait")
      h_.advance(std::chrono::seconds(std::stoi(rest)));
    else if (verb == "eof")
      return h_.eof();
    else if (verb == "abort")
      return h_.abort(errc::transport_error);
    else if (verb == "pause")
      subject.pause_input(true);
    else if (verb == "resume")
      return h_.resume();
    else
      handshake_command(verb, rest, error);
    EXPECT_FALSE(error) << text << ": " << error.message();
    h_.settle();
  }
  void handshake_command(const std::string& verb, const std::string& rest, std::error_code& error) {
    if constexpr (std::is_same_v<Subject, Endpoint>) {
      if (verb == "connect") {
        error = h_.subject.connect({.host = "example.com", .target = rest});
        return;
      }
      if (verb == "accept") {
        error = h_.subject.accept({.subprotocol = rest});
        return h_.resume();
      }
      if (verb == "respond") {
        const std::string body = trimmed(rest.substr(3));
        error = h_.subject.respond(
            {.status = static_cast<std::uint16_t>(std::stoi(rest)), .body = as_bytes(body)});
        return;
      }
    }
    ADD_FAILURE() << "unknown command: " << verb;
  }

  Harness<Subject>& h_;
  bool bytewise_;
  Data input_;
  std::vector<std::string> events_;
  std::vector<Line> output_;
  std::size_t checked_ = 0;
};

template <class Subject>
void replay(const std::vector<Line>& lines, Role role, Config config, bool bytewise) {
  TestPool pool(16'384);
  ConstantEntropy entropy(0x37FA213D);
  config.pool = &pool;
  config.entropy = &entropy;
  Subject subject(role, config);
  Harness<Subject> harness(subject);
  Replay<Subject> replay(harness, bytewise);
  for (const Line& line : lines) replay.line(line);
  replay.finish();
}

class Golden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Golden, Transcript) {
  const std::vector<Line> lines = read_file(GetParam());
  ASSERT_GT(lines.size(), 2u);
  Role role = Role::server;
  bool endpoint = false;
  const Config config = config_of(lines, role, endpoint);
  for (const bool bytewise : {false, true}) {
    SCOPED_TRACE(GetParam().filename().string() + (bytewise ? ", byte by byte" : ", whole"));
    if (endpoint) {
      replay<Endpoint>(lines, role, config, bytewise);
    } else {
      replay<Connection>(lines, role, config, bytewise);
    }
  }
}

std::vector<std::filesystem::path> transcripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(GOLDEN_DIRECTORY)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, ::testing::ValuesIn(transcripts()),
                         [](const auto& path) { return path.param.stem().string(); });

TEST(GoldenFiles, AreThere) { EXPECT_GE(transcripts().size(), 40u); }

}  // namespace
}  // namespace sansock::testing
