// Groups 12 and 13: permessage-deflate with various payloads and various parameters.
#include "cases/case_groups.h"
#include "cases/case_parts.h"
#include "cases/data_sets.h"

namespace conform {
namespace {

struct Size {
  std::size_t length;
  std::size_t fragment;
  double timeout;
};
constexpr Size sizes[] = {{16, 0, 60},         {64, 0, 60},         {256, 0, 120},      {1024, 0, 240},
                          {4096, 0, 480},      {8192, 0, 480},      {16384, 0, 480},    {32768, 0, 480},
                          {65536, 0, 480},     {131072, 0, 480},    {8192, 256, 480},   {16384, 256, 480},
                          {32768, 256, 480},   {65536, 256, 480},   {131072, 256, 480}, {131072, 1024, 480},
                          {131072, 4096, 480}, {131072, 32768, 480}};

// Each offer of the kit also has these two.
DeflateParameters offer(bool server_no_context_takeover, std::optional<int> server_max_window_bits) {
  DeflateParameters parameters;
  parameters.server_no_context_takeover = server_no_context_takeover;
  parameters.server_max_window_bits = server_max_window_bits;
  parameters.client_no_context_takeover = true;
  parameters.client_max_window_bits_bare = true;
  return parameters;
}

CompressionPlan mirrored(bool no_context_takeover, std::optional<int> window_bits) {
  return {{offer(no_context_takeover, window_bits)}, {{no_context_takeover, window_bits}}};
}

CompressionPlan parameters_of(int subgroup) {
  switch (subgroup) {
    case 1: return mirrored(false, {});
    case 2: return mirrored(true, {});
    case 3: return mirrored(false, 9);
    case 4: return mirrored(false, 15);
    case 5: return mirrored(true, 9);
    case 6: return mirrored(true, 15);
    default:
      return {{offer(true, 9), offer(true, {}), offer(false, {})}, {{true, 9}, {true, {}}, {false, {}}}};
  }
}

std::string describe_offers(const CompressionPlan& plan) {
  std::string text;
  for (const DeflateParameters& one : plan.offers) text += (text.empty() ? "" : ", ") + describe(one);
  return text;
}

Case compression_case(const std::string& prefix, std::size_t index,
                      const std::shared_ptr<const DataSet>& data, CompressionPlan plan, const Scale& scale) {
  const Size& size = sizes[index];
  Case one;
  one.id = prefix + std::to_string(index + 1);
  one.description = std::to_string(scale.compressed_messages) + " messages of " +
                    std::to_string(size.length) + " units out of the " + std::string(data->name()) +
                    ", each after the echo of the one before";
  if (size.fragment != 0) one.description += ", in fragments of " + std::to_string(size.fragment) + " octets";
  one.description += ". Offered: " + describe_offers(plan) + ".";
  one.expectation =
      "Each message comes back with its type and content, compressed or not; then the kit closes.";
  one.close = closed_by_kit();
  one.heavy = true;
  one.compression = std::move(plan);
  Exchange exchange;
  exchange.type = data->is_text() ? opcode::text : opcode::binary;
  exchange.count = scale.compressed_messages;
  exchange.source = std::make_shared<SlidingWindow>(data, size.length);
  exchange.compare_content = true;
  exchange.fragment = size.fragment;
  exchange.timeout = Seconds(size.timeout);
  one.exchange = std::move(exchange);
  return one;
}

}  // namespace

void add_compression_cases(std::vector<Case>& cases, const Scale& scale) {
  static constexpr DataSetKind kinds[] = {DataSetKind::json, DataSetKind::picture, DataSetKind::prose,
                                          DataSetKind::html, DataSetKind::document};
  for (std::size_t kind = 0; kind < std::size(kinds); ++kind) {
    for (std::size_t i = 0; i < std::size(sizes); ++i) {
      cases.push_back(compression_case("12." + std::to_string(kind + 1) + ".", i, data_set(kinds[kind]),
                                       mirrored(false, {}), scale));
    }
  }
  for (int subgroup = 1; subgroup <= 7; ++subgroup) {
    for (std::size_t i = 0; i < std::size(sizes); ++i) {
      cases.push_back(compression_case("13." + std::to_string(subgroup) + ".", i, data_set(DataSetKind::json),
                                       parameters_of(subgroup), scale));
    }
  }
}

}  // namespace conform
