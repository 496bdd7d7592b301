#include "report/report.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "report/html.h"
#include "report/json.h"

namespace conform {
namespace {

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.flush();
  if (!stream) throw std::runtime_error("can not write " + path.string());
}

// An agent may call itself anything, so octets that are not UTF-8 are replaced.
std::string as_text(const nlohmann::json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// What earlier runs left in the directory; nothing, if it can not be read as an index.
nlohmann::json former_index(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return nlohmann::json::object();
  nlohmann::json index = nlohmann::json::parse(stream, nullptr, false);
  return index.is_object() ? index : nlohmann::json::object();
}

}  // namespace

std::string report_file_name(std::string_view agent, std::string_view case_id, std::string_view extension) {
  std::string name;
  for (const char c : agent) {
    const auto octet = static_cast<unsigned char>(c);
    name.push_back(std::isalnum(octet) != 0 && octet < 128 ? static_cast<char>(std::tolower(octet)) : '_');
  }
  name += "_case_";
  for (const char c : case_id) name.push_back(c == '.' ? '_' : c);
  return name.append(".").append(extension);
}

void write_reports(const std::string& directory, const std::map<std::string, AgentResults>& results,
                   Role role) {
  const std::filesystem::path root(directory);
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) throw std::runtime_error("can not make " + directory + ": " + error.message());
  nlohmann::json index = former_index(root / "index.json");
  for (const auto& [agent, cases] : results) {
    nlohmann::json entries = nlohmann::json::object();
    for (const auto& [id, result] : cases) {
      entries[id] = index_entry(result);
      write_file(root / report_file_name(agent, id, "json"), as_text(case_json(result)));
      write_file(root / report_file_name(agent, id, "html"), case_page(result));
    }
    index[agent] = std::move(entries);
  }
  write_file(root / "index.json", as_text(index));
  write_file(root / "index.html", overview_page(index, role));
}

}  // namespace conform
