// The payloads of groups 12 and 13: five files of our own making, of the sizes, the kinds and about the
// compressibility of those that the original testsuite uses. The same octets in every run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cases/case.h"

namespace conform {

enum class DataSetKind { json, picture, prose, html, document };

class DataSet {
 public:
  explicit DataSet(DataSetKind kind);

  const std::string& octets() const { return octets_; }
  bool is_text() const { return is_text_; }
  // Code points of a text, octets of anything else.
  std::size_t units() const { return starts_.empty() ? octets_.size() : starts_.size(); }
  // `length` units from unit `from` on; behind the last comes the first again. `length` <= units().
  std::string window(std::size_t from, std::size_t length) const;
  std::string_view name() const { return name_; }

 private:
  std::size_t octet_of(std::size_t unit) const { return starts_.empty() ? unit : starts_[unit]; }

  std::string octets_;
  std::string_view name_;
  bool is_text_;
  std::vector<std::uint32_t> starts_;  // where each code point begins, if not all have one octet
};

// Made at the first call, then shared.
std::shared_ptr<const DataSet> data_set(DataSetKind kind);

// Message i is the window that begins where message i - 1 ended.
class SlidingWindow final : public MessageSource {
 public:
  SlidingWindow(std::shared_ptr<const DataSet> data, std::size_t length)
      : data_(std::move(data)), length_(length) {}
  std::string message(unsigned index) const override;

 private:
  std::shared_ptr<const DataSet> data_;
  std::size_t length_;
};

}  // namespace conform
