#include "transcript.h"

namespace sansock::testing {

namespace {

std::string data_line(MessageType type, bool begin, bool end, const Data& run) {
  std::string line = type == MessageType::text ? "text " : "binary ";
  if (!begin) line += "...";
  line += quote(run);
  if (!end) line += "...";
  return line;
}

}  // namespace

void Transcript::add(const Event& event) {
  ++counts_[static_cast<std::size_t>(event.kind)];
  const Data bytes = bytes_of(event.bytes);
  const std::string error = event.error == errc::none ? "" : " " + std::string(name(event.error));
  switch (event.kind) {
    case EventKind::none: break;
    case EventKind::request: line("request" + error); break;
    case EventKind::open: line("open"); break;
    case EventKind::data: data(event.type, event.begin, event.end, bytes); break;
    case EventKind::ping:
    case EventKind::pong: control(event.kind, bytes); break;
    case EventKind::peer_close: peer_close(static_cast<unsigned>(event.code), bytes); break;
    case EventKind::sent: line("sent " + std::to_string(event.token) + error); break;
    case EventKind::closed: closed(event.end, static_cast<unsigned>(event.code), event.error); break;
  }
}

void Transcript::data(MessageType type, bool begin, bool end, const Data& bytes) {
  if (begin) message_.clear();
  message_ = std::move(message_) + bytes;
  if (end) messages_.push_back(message_);
  if (!open_ || begin) {
    settle();
    open_ = true;
    begin_ = begin;
    type_ = type;
  }
  run_ = std::move(run_) + bytes;
  end_ = end;
  if (end) settle();
}

void Transcript::control(EventKind kind, const Data& payload) {
  line((kind == EventKind::ping ? "ping " : "pong ") + quote(payload));
}

void Transcript::peer_close(unsigned code, const Data& reason) {
  line("peer_close " + std::to_string(code) + (reason.empty() ? "" : " " + quote(reason)));
}

void Transcript::closed(bool clean, unsigned code, errc cause) {
  line(std::string("closed ") + (clean ? "clean " : "unclean ") + std::to_string(code) +
       (cause == errc::none ? "" : " " + std::string(name(cause))));
}

void Transcript::line(const std::string& text) {
  settle();
  lines_.push_back(text);
}

void Transcript::settle() {
  if (!open_) return;
  lines_.push_back(data_line(type_, begin_, end_, run_));
  open_ = false;
  run_.clear();
}

std::vector<std::string> Transcript::lines() const {
  std::vector<std::string> lines = lines_;
  if (open_) lines.push_back(data_line(type_, begin_, end_, run_));
  return lines;
}

std::string Transcript::text() const {
  std::string text;
  for (const std::string& line : lines()) text += line + "\n";
  return text;
}

}  // namespace sansock::testing
