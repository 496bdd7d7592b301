#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cases/catalogue.h"
#include "report/report.h"
#include "wire/hex.h"

namespace conform {
namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --line: #8884; --ok: #2e7d32; --soft: #8a6d00; --bad: #b71c1c; --mute: #666; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
code, pre, .octets { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; border: 1px solid var(--line); padding: .6rem; }
.verdict { color: #fff; border-radius: .25rem; padding: .1rem .5rem; font-size: .85rem; white-space: nowrap; text-decoration: none; }
.ok { background: var(--ok); } .soft { background: var(--soft); } .bad { background: var(--bad); } .mute { background: var(--mute); }
.sent { color: #1565c0; } .received { color: #2e7d32; } .note { color: var(--mute); font-style: italic; }
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result.push_back(c);
    }
  }
  return result;
}

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</"
      "html>\n",
      escaped(title), style, body);
}

std::string_view css_class(std::string_view verdict) {
  if (verdict == name_of(Verdict::ok)) return "ok";
  if (verdict == name_of(Verdict::unimplemented)) return "mute";
  if (verdict == name_of(Verdict::non_strict) || verdict == name_of(Verdict::informational)) return "soft";
  return "bad";
}

std::string badge(std::string_view verdict) {
  return fmt::format("<span class=\"verdict {}\">{}</span>", css_class(verdict), verdict);
}

std::string event_list(const std::vector<Event>& events) {
  if (events.empty()) return "<p>Nothing.</p>\n";
  std::string text = "<ol>\n";
  for (const Event& event : events) text += "<li><code>" + escaped(describe(event)) + "</code></li>\n";
  return text + "</ol>\n";
}

std::string close_text(const std::optional<CloseFrame>& frame) {
  if (!frame) return "none";
  if (!frame->code) return "without a code";
  std::string text = std::to_string(*frame->code);
  if (!frame->reason.empty()) text += " '" + escaped(printable(frame->reason, 125)) + "'";
  return text;
}

std::string codes_text(const CloseExpectation& close) {
  std::string text;
  for (const unsigned code : close.codes) text += (text.empty() ? "" : ", ") + std::to_string(code);
  return text + " or none";
}

std::string closing_table(const CaseResult& result) {
  const auto side = [](bool kit) { return kit ? "the kit" : "the testee"; };
  const CloseExpectation& expected = result.close_expected;
  return fmt::format(
      "<table>\n<tr><th></th><th>expected</th><th>was</th></tr>\n"
      "<tr><td>ended by</td><td>{}</td><td>{}</td></tr>\n"
      "<tr><td>complete closing handshake</td><td>{}</td><td>{}</td></tr>\n"
      "<tr><td>code of the testee</td><td>{}</td><td>{}</td></tr>\n"
      "<tr><td>code of the kit</td><td></td><td>{}</td></tr>\n"
      "<tr><td>TCP dropped by</td><td></td><td>{}</td></tr>\n</table>\n",
      side(expected.by_kit), side(result.closed_by_kit), expected.clean ? "yes" : "not demanded",
      result.was_clean
          ? "yes"
          : "no" + (result.not_clean_reason.empty() ? "" : ": " + escaped(result.not_clean_reason)),
      codes_text(expected), close_text(result.close_received), close_text(result.close_sent),
      side(result.dropped_by_kit));
}

std::string frame_text(const LogEntry& entry) {
  const FrameHeader& header = entry.header;
  std::string text = opcode_name(header.opcode);
  text += header.fin ? ", FIN" : ", no FIN";
  if (header.rsv != 0) text += ", RSV " + std::to_string(header.rsv);
  text += ", " + std::to_string(header.length) + " octets";
  if (header.masked) text += ", masked";
  if (entry.chop != 0) text += ", written " + std::to_string(entry.chop) + " at a time";
  if (entry.sync) text += ", a write of its own";
  return text;
}

std::string log_row(const LogEntry& entry) {
  const double at = static_cast<double>(entry.at.count()) / 1000;
  if (entry.kind == LogEntry::Kind::note) {
    return fmt::format("<tr><td>{:.3f}</td><td class=\"note\" colspan=\"3\">{}</td></tr>\n", at,
                       escaped(entry.text));
  }
  const bool sent = entry.kind == LogEntry::Kind::sent;
  const bool cut = entry.header.length > entry.payload_start.size();
  std::string octets =
      fmt::format("<code>{}{}</code>", escaped(printable(entry.payload_start, 120)), cut ? " ..." : "");
  octets += "<br><span class=\"octets\">" + to_hex(std::string_view(entry.payload_start).substr(0, 120)) +
            "</span>";
  if (!entry.wire_start.empty()) {
    octets += "<br><span class=\"octets note\">on the wire: " +
              to_hex(std::string_view(entry.wire_start).substr(0, 120)) + "</span>";
  }
  return fmt::format("<tr><td>{:.3f}</td><td class=\"{}\">{}</td><td>{}</td><td>{}</td></tr>\n", at,
                     sent ? "sent" : "received", sent ? "sent" : "received", frame_text(entry), octets);
}

std::string log_table(const WireLog& log) {
  std::string text = "<table>\n<tr><th>ms</th><th></th><th>frame</th><th>payload</th></tr>\n";
  for (const LogEntry& entry : log.entries()) text += log_row(entry);
  text += "</table>\n";
  if (log.left_out() != 0) text += fmt::format("<p>And {} more frames.</p>\n", log.left_out());
  return text;
}

template <class Key>
std::string counts(const std::map<Key, std::uint64_t>& of, std::string_view unit) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& [key, count] : of) {
    if (++shown > 20) return text + ", ...";
    text += fmt::format("{}{} x {}{}", text.empty() ? "" : ", ", count, key, unit);
  }
  return text.empty() ? "none" : text;
}

std::string traffic(const CaseResult& result) {
  return fmt::format(
      "<table>\n<tr><th></th><th>sent</th><th>received</th></tr>\n<tr><td>frames by "
      "opcode</td><td>{}</td><td>{}</td></tr>\n"
      "<tr><td>writes and reads by size</td><td>{}</td><td>{}</td></tr>\n</table>\n",
      counts(result.sent.frames, ""), counts(result.got.frames, ""), counts(result.sent.transfers, " B"),
      counts(result.got.transfers, " B"));
}

}  // namespace

std::string case_page(const CaseResult& result) {
  std::string body =
      fmt::format("<p><a href=\"index.html\">all cases</a></p>\n<h1>{} {} {}</h1>\n", escaped(result.agent),
                  result.case_id, badge(name_of(result.verdicts.behavior)));
  body += fmt::format("<p>Closing: {}. {} ms, {}; the kit was the {}.</p>\n",
                      badge(name_of(result.verdicts.behavior_close)), result.duration.count() / 1000,
                      result.started, result.role == Role::client ? "client" : "server");
  body += fmt::format("<h2>The case</h2>\n<p>{}</p>\n<p>Expected: {}</p>\n", escaped(result.description),
                      escaped(result.expectation));
  body += fmt::format("<h2>What came of it</h2>\n<p>{}</p>\n<p>{}</p>\n", escaped(result.result),
                      escaped(result.result_close));
  for (const Expected& expected : result.expected) {
    body += fmt::format("<h2>Events for {}</h2>\n{}", badge(name_of(expected.verdict)),
                        event_list(expected.events));
  }
  body += "<h2>Events received</h2>\n" + event_list(result.received);
  body += "<h2>Closing</h2>\n" + closing_table(result);
  body += "<h2>Opening handshake</h2>\n<pre>" + escaped(result.http_request) + "</pre>\n<pre>" +
          escaped(result.http_response) + "</pre>\n";
  body += "<h2>Frames</h2>\n" + log_table(result.log);
  body += "<h2>Traffic</h2>\n" + traffic(result);
  return page(result.agent + " " + result.case_id, body);
}

namespace {

std::string overview_cell(const nlohmann::json& index, const std::string& agent, const std::string& id) {
  const auto& cases = index.at(agent);
  const auto found = cases.find(id);
  if (found == cases.end()) return "<td></td>";
  const std::string behavior = found->value("behavior", "");
  const std::string closing = found->value("behaviorClose", "");
  std::string file = found->value("reportfile", "");
  if (file.ends_with(".json")) file.replace(file.size() - 4, 4, "html");
  std::string cell = fmt::format("<td><a class=\"verdict {}\" href=\"{}\">{}</a>", css_class(behavior),
                                 escaped(file), escaped(behavior));
  if (closing != behavior && closing != name_of(Verdict::ok)) cell += " " + badge(closing);
  return cell + fmt::format(" {} ms</td>", found->value("duration", 0));
}

std::string tally(const nlohmann::json& cases) {
  std::map<std::string, int> count;
  for (const auto& [id, entry] : cases.items()) {
    const std::string closing = entry.value("behaviorClose", "");
    const auto verdict = verdict_from(closing);
    ++count[verdict && is_failure(*verdict) ? closing : entry.value("behavior", "")];
  }
  std::string text;
  for (const auto& [name, number] : count)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number, escaped(name));
  return text;
}

}  // namespace

std::string overview_page(const nlohmann::json& index, Role role) {
  std::set<std::string, CaseOrder> ids;
  for (const auto& [agent, cases] : index.items()) {
    for (const auto& [id, entry] : cases.items()) ids.insert(id);
  }
  std::string header = "<tr><th>case</th>";
  std::string totals = "<tr><td>all</td>";
  for (const auto& [agent, cases] : index.items()) {
    header += "<th>" + escaped(agent) + "</th>";
    totals += "<td>" + tally(cases) + "</td>";
  }
  std::string body = fmt::format("<h1>WebSocket conformance of {}</h1>\n<table>\n{}</tr>\n{}</tr>\n",
                                 role == Role::client ? "servers" : "clients", header, totals);
  int group = 0;
  for (const std::string& id : ids) {
    if (const int own = std::atoi(id.c_str()); own != group) {
      group = own;
      body += fmt::format("<tr><th colspan=\"{}\">{} {}</th></tr>\n", index.size() + 1, group,
                          group_title(group));
    }
    body += "<tr><td>" + id + "</td>";
    for (const auto& [agent, cases] : index.items()) body += overview_cell(index, agent, id);
    body += "</tr>\n";
  }
  return page("WebSocket conformance", body + "</table>\n");
}

}  // namespace conform
