// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/option.h"
#include "engine/connection.h"
#include "ml/option_reader.h"
#include "session/feature_columns.h"
#include "session/ml_sql.h"
#include "syntax/source_map.h"

// Functions that describe rows and compare them.
namespace braid::session {

// Registers the functions that the SQL below uses:
//   braid_number_statistics(value DOUBLE, buckets DOUBLE) → BLOB: an aggregate, JSON text
//   braid_distribution_distance(metric, base, study) → DOUBLE: of two such texts
void RegisterFeatureFunctions(engine::Connection& connection);

// ml::FeatureStatistics of a category as JSON text: a scalar subquery. `rows` is what stands after
// FROM and has the name __braid_row.
std::string CategoryStatisticsSql(const FeatureColumn& feature, const std::string& rows,
                                  int64_t most);
// The same of numbers, as an aggregate over `value`, a DOUBLE; and of a list of numbers.
std::string NumberStatisticsSql(const std::string& value, int64_t buckets);
std::string ListStatisticsSql(const FeatureColumn& feature, const std::string& rows,
                              int64_t buckets);

// What stands after FROM for the rows that OverRowsSql names.
inline constexpr const char* kRows = "__braid_rows AS __braid_row";
// `query` over rows that are computed once: as kRows, and (unless `numbers` is empty) as __numbers,
// the one row that the list of aggregates `numbers` makes of them.
syntax::MappedText OverRowsSql(const GivenRows& rows, const std::string& numbers,
                               const std::string& query);

// ML.FEATURE_INFO(MODEL m): what its training rows looked like. Throws kNotSupported for a model
// that was trained when this was not kept yet.
std::string FeatureInfoSql(const BoundModel& model);

// The functions over rows alone, by their names in upper case. Throws kSyntax for another number of
// rows than the function takes, kInvalidOption for settings.
syntax::MappedText RowsFunctionSql(std::string_view function, const std::vector<GivenRows>& rows,
                                   const std::vector<Option>& settings);

// ML.DESCRIBE_DATA: one row for each column.
syntax::MappedText DescribeDataSql(const GivenRows& rows, const std::vector<Option>& settings);
// ML.VALIDATE_DATA_DRIFT: the columns that both have, and how far they are apart.
syntax::MappedText ValidateDriftSql(const GivenRows& base, const GivenRows& study,
                                    const std::vector<Option>& settings);
// ML.VALIDATE_DATA_SKEW: the columns of the training rows that `rows` has, too.
syntax::MappedText ValidateSkewSql(const BoundModel& model, const GivenRows& rows,
                                   const std::vector<Option>& settings);
std::vector<std::string> SkewSettings();

// ML.PERMUTATION_IMPORTANCE: one row for each column of `rows` that the model reads.
syntax::MappedText PermutationImportanceSql(const BoundModel& model, const GivenRows& rows,
                                            const std::vector<Option>& settings);

// A setting; throws kInvalidOption for one outside of its bounds.
int64_t IntegerBetween(const ml::OptionReader& settings, std::string_view name, int64_t least,
                       int64_t most, int64_t otherwise);

}  // namespace braid::session
