#include "report/json.h"

#include "report/report.h"
#include "wire/hex.h"

namespace conform {
namespace {

using nlohmann::json;

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

json code_or_null(const std::optional<CloseFrame>& frame) {
  if (!frame || !frame->code) return nullptr;
  return *frame->code;
}

json reason_or_null(const std::optional<CloseFrame>& frame) {
  if (!frame) return nullptr;
  return printable(frame->reason, 125);
}

json events_json(const std::vector<Event>& events) {
  json list = json::array();
  for (const Event& event : events) list.push_back(describe(event));
  return list;
}

json expected_json(const std::vector<Expected>& expected) {
  json lists = json::object();
  for (const Expected& one : expected) lists[std::string(name_of(one.verdict))] = events_json(one.events);
  return lists;
}

json frame_json(const LogEntry& entry) {
  json frame = {{"opcode", entry.header.opcode},
                {"fin", entry.header.fin},
                {"rsv", entry.header.rsv},
                {"length", entry.header.length},
                {"masked", entry.header.masked},
                {"payloadStart", printable(entry.payload_start, WireLog::octets_max)},
                {"payloadStartHex", to_hex(entry.payload_start)}};
  if (entry.header.masked) {
    frame["maskingKey"] =
        to_hex({reinterpret_cast<const char*>(entry.header.key.data()), entry.header.key.size()});
  }
  if (!entry.wire_start.empty()) frame["wireStartHex"] = to_hex(entry.wire_start);
  if (entry.chop != 0) frame["chop"] = entry.chop;
  if (entry.sync) frame["sync"] = true;
  return frame;
}

json log_json(const WireLog& log) {
  json list = json::array();
  for (const LogEntry& entry : log.entries()) {
    json one = {{"at_us", entry.at.count()}};
    switch (entry.kind) {
      case LogEntry::Kind::sent: one["sent"] = frame_json(entry); break;
      case LogEntry::Kind::received: one["received"] = frame_json(entry); break;
      case LogEntry::Kind::note: one["note"] = entry.text; break;
    }
    list.push_back(std::move(one));
  }
  return list;
}

template <class Key>
json counts_json(const std::map<Key, std::uint64_t>& counts) {
  json object = json::object();
  for (const auto& [key, count] : counts) object[std::to_string(key)] = count;
  return object;
}

}  // namespace

json index_entry(const CaseResult& result) {
  return {{"behavior", name_of(result.verdicts.behavior)},
          {"behaviorClose", name_of(result.verdicts.behavior_close)},
          {"duration", milliseconds(result.duration)},
          {"remoteCloseCode", code_or_null(result.close_received)},
          {"reportfile", report_file_name(result.agent, result.case_id, "json")}};
}

json case_json(const CaseResult& result) {
  return {{"agent", result.agent},
          {"case", result.case_id},
          {"id", result.case_id},
          {"description", result.description},
          {"expectation", result.expectation},
          {"isServer", result.role == Role::server},
          {"started", result.started},
          {"duration", milliseconds(result.duration)},
          {"behavior", name_of(result.verdicts.behavior)},
          {"behaviorClose", name_of(result.verdicts.behavior_close)},
          {"result", result.result},
          {"resultClose", result.result_close},
          {"expected", expected_json(result.expected)},
          {"received", events_json(result.received)},
          {"expectedClose",
           {{"closedByMe", result.close_expected.by_kit},
            {"closeCode", result.close_expected.codes},
            {"requireClean", result.close_expected.clean}}},
          {"closedByMe", result.closed_by_kit},
          {"failedByMe", result.failed_by_kit},
          {"droppedByMe", result.dropped_by_kit},
          {"tlsCutOff", result.cut_off},
          {"wasClean", result.was_clean},
          {"wasNotCleanReason",
           result.not_clean_reason.empty() ? json(nullptr) : json(printable(result.not_clean_reason, 400))},
          {"localCloseCode", code_or_null(result.close_sent)},
          {"localCloseReason", reason_or_null(result.close_sent)},
          {"remoteCloseCode", code_or_null(result.close_received)},
          {"remoteCloseReason", reason_or_null(result.close_received)},
          {"httpRequest", printable(result.http_request, 65536)},
          {"httpResponse", printable(result.http_response, 65536)},
          {"txFrameStats", counts_json(result.sent.frames)},
          {"rxFrameStats", counts_json(result.got.frames)},
          {"txOctetStats", counts_json(result.sent.transfers)},
          {"rxOctetStats", counts_json(result.got.transfers)},
          {"wirelog", log_json(result.log)},
          {"wirelogLeftOut", result.log.left_out()}};
}

}  // namespace conform
