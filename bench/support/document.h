// Payloads such as real ones: what compression makes of a message depends on what is in it. The same
// kind, size and seed are the same bytes everywhere and always.
//
// Written in C++17, because the headers of one peer are not valid C++20.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sansock::bench {

// random: bytes that no codec makes shorter; json, html: ASCII, cut at the size wherever that is.
enum class Document { random, json, html };

class DocumentWriter {
 public:
  explicit DocumentWriter(std::uint64_t seed) : state_(seed * 0xD1B54A32D192ED03 + 0x5EED) {}

  std::string write(Document kind, std::size_t size) {
    text_.clear();
    text_.reserve(size + 512);  // what is begun below the size is shorter than that
    if (kind == Document::json) text_ += "[";
    while (text_.size() < size) {
      switch (kind) {
        case Document::random: text_ += static_cast<char>(next() >> 56); break;
        case Document::json: add_object(); break;
        case Document::html: add_element(); break;
      }
    }
    text_.resize(size);
    return std::move(text_);
  }

 private:
  std::uint64_t next() {  // splitmix64
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(next() % end); }

  std::string number(std::size_t end) { return std::to_string(below(end)); }

  const char* word() {
    static const char* const words[] = {
        "account", "after",   "answer", "before",  "between", "blue",    "book",    "change",
        "city",    "close",   "coffee", "common",  "cost",    "country", "current", "detail",
        "early",   "every",   "figure", "first",   "garden",  "glass",   "green",   "group",
        "harbour", "house",   "island", "journey", "kitchen", "large",   "letter",  "light",
        "little",  "machine", "market", "message", "morning", "music",   "narrow",  "number",
        "office",  "open",    "order",  "paper",   "people",  "place",   "quiet",   "report",
        "river",   "school",  "season", "second",  "simple",  "station", "street",  "summer",
        "system",  "table",   "travel", "update",  "value",   "water",   "window",  "winter"};
    return words[below(sizeof words / sizeof words[0])];
  }

  void add_words(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) text_ += ' ';
      text_ += word();
    }
  }

  // Records share their first keys, as those of one table do; which others they have varies.
  void add_object() {
    if (text_.size() > 1) text_ += ',';
    text_ += "{\"id\":" + number(10'000'000) + ",\"name\":\"";
    add_words(2);
    text_ += "\"";
    if (below(2) == 0) text_ += std::string(",\"active\":") + (below(2) == 0 ? "true" : "false");
    if (below(2) == 0) text_ += ",\"price\":" + number(10'000) + "." + number(100);
    if (below(2) == 0) text_ += ",\"position\":{\"x\":" + number(4096) + ",\"y\":" + number(4096) + "}";
    if (below(3) == 0) text_ += std::string(",\"tags\":[\"") + word() + "\",\"" + word() + "\"]";
    if (below(3) == 0) {
      text_ += ",\"comment\":\"";
      add_words(4 + below(12));
      text_ += "\"";
    }
    if (below(4) == 0) text_ += std::string(",\"") + word() + "\":null";
    text_ += ",\"updated\":\"2024-0" + std::to_string(1 + below(9)) + "-1" + number(10) + "T0" + number(10) +
             ":" + std::to_string(10 + below(50)) + ":" + std::to_string(10 + below(50)) + "Z\"}";
  }

  void add_element() {
    switch (below(4)) {
      case 0:
        text_ += std::string("<h2 id=\"") + word() + "-" + number(1000) + "\">";
        add_words(3);
        text_ += "</h2>\n";
        break;
      case 1:
        text_ += "<p class=\"text\">";
        add_words(8 + below(20));
        text_ +=
            std::string(" <a href=\"/") + word() + "/" + number(100'000) + "\">" + word() + "</a>.</p>\n";
        break;
      case 2:
        text_ += "<ul class=\"list\">\n";
        for (std::size_t i = 2 + below(3); i > 0; --i) {
          text_ += "  <li class=\"list-item\"><span>" + number(1000) + "</span> ";
          add_words(2);
          text_ += "</li>\n";
        }
        text_ += "</ul>\n";
        break;
      default:
        text_ += std::string("<div class=\"card\"><img src=\"/images/") + word() + "-" + number(1000) +
                 ".png\" alt=\"" + word() + "\"><strong>" + number(1000) + "</strong></div>\n";
        break;
    }
  }

  std::uint64_t state_;
  std::string text_;
};

inline std::string document(Document kind, std::size_t size, std::uint64_t seed) {
  return DocumentWriter(seed).write(kind, size);
}

}  // namespace sansock::bench
