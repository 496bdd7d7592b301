#include "cases/data_sets.h"

#include <array>
#include <stdexcept>
#include <string_view>

namespace conform {
namespace {

constexpr std::size_t json_size = 194056;
constexpr std::size_t picture_side = 512;
constexpr std::size_t picture_size = 263222;
constexpr std::size_t prose_size = 222218;
constexpr std::size_t html_size = 263647;
constexpr std::size_t html_wide_characters = 27;
constexpr std::size_t document_size = 1042328;

// splitmix64 (Steele, Lea, Flood 2014): the same on every machine, unlike the standard distributions.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

void fit(std::string& octets, std::size_t size, std::string_view padding) {
  while (octets.size() < size) octets.append(padding.substr(0, size - octets.size()));
  octets.resize(size);
}

// A report as this program writes it, case by case.
std::string make_json() {
  Random random(1);
  std::string text = "{\n  \"agent\": {\n";
  while (text.size() < json_size - 220) {
    const std::string id = std::to_string(1 + random.below(13)) + "." + std::to_string(1 + random.below(20)) +
                           "." + std::to_string(1 + random.below(30));
    text += "    \"" + id + "\": {\n      \"behavior\": \"OK\",\n      \"behaviorClose\": \"OK\",\n";
    text +=
        "      \"duration\": " + std::to_string(random.below(6)) + ",\n      \"remoteCloseCode\": 1000,\n";
    text += "      \"reportfile\": \"agent_case_" + id + ".json\"\n    },\n";
  }
  fit(text, json_size - 4, " ");
  return text + "}\n}\n";
}

void append_little_endian(std::string& octets, std::uint32_t value, int size) {
  for (int i = 0; i < size; ++i) octets.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

// A grey bitmap: slow waves under noise, so that it compresses as a photograph does, hardly.
std::string make_picture() {
  std::string octets = "BM";
  append_little_endian(octets, picture_size, 4);
  append_little_endian(octets, 0, 4);
  append_little_endian(octets, 1078, 4);  // the pixels begin behind the headers and the palette
  append_little_endian(octets, 40, 4);
  append_little_endian(octets, picture_side, 4);
  append_little_endian(octets, picture_side, 4);
  append_little_endian(octets, 1, 2);
  append_little_endian(octets, 8, 2);
  for (int i = 0; i < 6; ++i) append_little_endian(octets, 0, 4);
  for (std::uint32_t grey = 0; grey < 256; ++grey) append_little_endian(octets, grey * 0x010101u, 4);
  Random random(2);
  for (std::size_t y = 0; y < picture_side; ++y) {
    for (std::size_t x = 0; x < picture_side; ++x) {
      const std::size_t wave = (x + 2 * y) / 16 % 96;
      octets.push_back(static_cast<char>(wave + (wave * x / 512) % 32 + random.below(78)));
    }
  }
  return octets;
}

constexpr std::array<std::string_view, 96> words = {
    "der",       "die",      "und",     "das",      "nicht",    "ich",      "ein",     "zu",     "es",
    "sie",       "mit",      "sich",    "auf",      "für",      "ist",      "im",      "dem",    "von",
    "den",       "so",       "wie",     "auch",     "aber",     "noch",     "nach",    "über",   "hätte",
    "würde",     "können",   "Straße",  "Bücher",   "Mühle",    "Wasser",   "Ruder",   "Brücke", "Fähre",
    "Ufer",      "Strömung", "Nebel",   "Laterne",  "Seil",     "Anker",    "Glocke",  "Hafen",  "Wind",
    "Regen",     "Abend",    "Morgen",  "Schiffer", "Kinder",   "Händler",  "Fischer", "Bäcker", "Lehrer",
    "Nachbar",   "Mädchen",  "Hund",    "Vögel",    "Äpfel",    "Brot",     "Käse",    "Fässer", "Körbe",
    "Netze",     "langsam",  "schnell", "leise",    "müde",     "fröhlich", "dunkel",  "hell",   "groß",
    "klein",     "grün",     "schön",   "früh",     "spät",     "weit",     "nah",     "tief",   "fährt",
    "steht",     "kommt",    "geht",    "hört",     "sieht",    "läuft",    "trägt",   "wartet", "fragt",
    "antwortet", "schweigt", "lacht",   "öffnet",   "schließt", "zählt"};

// Sentences by chance out of German words, with umlauts: the first words of the list far more often.
std::string make_prose() {
  Random random(3);
  std::string text;
  while (text.size() < prose_size) {
    const std::size_t length = 4 + random.below(12);
    for (std::size_t i = 0; i < length; ++i) {
      const std::size_t reach = random.below(3) == 0 ? words.size() : 48;
      text.append(words[random.below(1 + random.below(reach))]);
      // A word of its own now and then, as names and rare words are.
      if (random.below(4) == 0) {
        text.push_back(' ');
        for (std::size_t letters = 3 + random.below(6); letters > 0; --letters) {
          text.push_back("enisratdhulcgmobwfkzv"[random.below(21)]);
        }
      }
      text += i + 1 == length ? (random.below(5) == 0 ? "!\n" : ".\n") : random.below(9) == 0 ? ", " : " ";
    }
  }
  // The last character may not be cut in two.
  text.resize(prose_size - 1);
  while ((static_cast<unsigned char>(text.back()) & 0xC0u) == 0x80 ||
         static_cast<unsigned char>(text.back()) >= 0xC0) {
    text.pop_back();
  }
  fit(text, prose_size, "\n");
  return text;
}

// A table of results, with a few letters of two octets.
std::string make_html() {
  Random random(4);
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"de\">\n<head><meta "
      "charset=\"utf-8\"><title>Bericht</title></head>\n<body>\n<table>\n";
  std::size_t wide = 0;
  while (text.size() < html_size - 400) {
    text += "  <tr class=\"result\"><td class=\"case\"><a href=\"#case_" + std::to_string(random.below(517)) +
            "\">Case " + std::to_string(1 + random.below(13)) + "." + std::to_string(1 + random.below(20)) +
            "</a></td><td class=\"ok\">Pass</td><td class=\"time\">" + std::to_string(random.below(200)) +
            " ms</td>";
    text += wide < html_wide_characters ? "<td>f\u00fcr</td>" : "<td>von</td>";
    wide += wide < html_wide_characters ? 1 : 0;
    text += "</tr>\n";
  }
  fit(text, html_size - 24, " ");
  return text + "\n</table></body></html>\n";
}

// Objects with streams that are compressed already, and the readable dictionaries between them.
std::string make_document() {
  Random random(5);
  std::string octets = "%PDF-1.5\n";
  for (int number = 1; octets.size() < document_size; ++number) {
    octets += std::to_string(number) +
              " 0 obj\n<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] /Filter /FlateDecode /Length "
              "3072 >>\nstream\n";
    for (int i = 0; i < 3072; ++i) octets.push_back(static_cast<char>(random.next() & 0xFF));
    octets += "\nendstream\nendobj\n";
    for (int i = 0; i < 24; ++i) {
      octets += "00000" + std::to_string(10000 + random.below(90000)) + " 00000 n \n" + "/F" +
                std::to_string(i) + " 12 Tf 72 720 Td\n";
    }
  }
  octets.resize(document_size - 6);
  return octets + "%%EOF\n";
}

std::string make(DataSetKind kind) {
  switch (kind) {
    case DataSetKind::json: return make_json();
    case DataSetKind::picture: return make_picture();
    case DataSetKind::prose: return make_prose();
    case DataSetKind::html: return make_html();
    case DataSetKind::document: return make_document();
  }
  throw std::logic_error("there is no such data set");
}

constexpr std::string_view names[] = {"JSON report", "grey picture", "German prose", "HTML report",
                                      "PDF document"};

}  // namespace

DataSet::DataSet(DataSetKind kind)
    : octets_(make(kind)),
      name_(names[static_cast<std::size_t>(kind)]),
      is_text_(kind == DataSetKind::json || kind == DataSetKind::html) {
  if (!is_text_) return;
  for (std::size_t i = 0; i < octets_.size(); ++i) {
    if ((static_cast<unsigned char>(octets_[i]) & 0xC0u) != 0x80)
      starts_.push_back(static_cast<std::uint32_t>(i));
  }
  if (starts_.size() == octets_.size()) starts_ = {};
}

std::string DataSet::window(std::size_t from, std::size_t length) const {
  const std::size_t first = octet_of(from);
  if (from + length < units()) return octets_.substr(first, octet_of(from + length) - first);
  return octets_.substr(first) + octets_.substr(0, octet_of(from + length - units()));
}

std::shared_ptr<const DataSet> data_set(DataSetKind kind) {
  static std::array<std::shared_ptr<const DataSet>, 5> made;
  auto& slot = made[static_cast<std::size_t>(kind)];
  if (!slot) slot = std::make_shared<DataSet>(kind);
  return slot;
}

std::string SlidingWindow::message(unsigned index) const {
  return data_->window(static_cast<std::size_t>(index) * length_ % data_->units(), length_);
}

}  // namespace conform
