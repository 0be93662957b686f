// SPDX-License-Identifier: Apache-2.0
// Which ML.<function>(rows, …) there are, and what they take.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "session/feature_sql.h"

namespace braid::session {

namespace {

using syntax::MappedText;

struct Function {
  std::string_view name;
  size_t rows;
  std::vector<std::string> settings;
  MappedText (*make)(const std::vector<GivenRows>& rows, const std::vector<Option>& settings);
};

std::vector<std::string> DriftSettings() {
  std::vector<std::string> names = SkewSettings();
  for (const char* name : {"num_histogram_buckets", "num_quantiles_histogram_buckets",
                           "num_values_histogram_buckets", "num_rank_histogram_buckets"})
    names.emplace_back(name);
  return names;
}

const std::vector<Function>& Functions() {
  static const std::vector<Function> functions = {
      {"DESCRIBE_DATA",
       1,
       {"num_quantiles", "num_array_length_quantiles", "top_k"},
       [](const auto& rows, const auto& settings) { return DescribeDataSql(rows[0], settings); }},
      {"VALIDATE_DATA_DRIFT", 2, DriftSettings(),
       [](const auto& rows, const auto& settings) {
         return ValidateDriftSql(rows[0], rows[1], settings);
       }},
  };
  return functions;
}

}  // namespace

MappedText RowsFunctionSql(std::string_view function, const std::vector<GivenRows>& rows,
                           const std::vector<Option>& settings) {
  const auto& functions = Functions();
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [&](const Function& known) { return known.name == function; });
  BRAID_CHECK(found != functions.end());
  if (rows.size() != found->rows)
    throw Error(ErrorCode::kSyntax, fmt::format("Wrong number of tables of ML.{}", function),
                found->rows == 1
                    ? fmt::format("write ML.{}(TABLE t) or ML.{}((SELECT …))", function, function)
                    : fmt::format("write ML.{}(TABLE base, TABLE study)", function));
  CheckSettings(settings, found->settings);
  return found->make(rows, settings);
}

int64_t IntegerBetween(const ml::OptionReader& settings, std::string_view name, int64_t least,
                       int64_t most, int64_t otherwise) {
  const int64_t value = settings.Integer(name, least, otherwise);
  if (value > most)
    ml::OptionReader::Refuse(*settings.Find(name),
                             fmt::format("a whole number from {} to {}", least, most));
  return value;
}

}  // namespace braid::session
