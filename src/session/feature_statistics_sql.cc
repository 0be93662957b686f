// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "session/feature_sql.h"

namespace braid::session {

namespace {

// Bytes; longer ones would be no categories, and swell what a model keeps.
constexpr int64_t kLongestText = 1000;

}  // namespace

std::string CategoryStatisticsSql(const FeatureColumn& feature, const std::string& rows,
                                  int64_t most) {
  return fmt::format(
      "(WITH __v AS MATERIALIZED (SELECT {} AS v, count(*) AS n FROM {} GROUP BY 1) SELECT "
      "CAST(to_json({{'rows': CAST(coalesce(sum(n), 0) AS BIGINT), 'nulls': CAST(coalesce(sum(n) "
      "FILTER (v IS NULL), 0) AS BIGINT), 'categories': count(v), 'most': (SELECT "
      "coalesce(list(json_array(v, n) ORDER BY n DESC, v), []) FROM (SELECT v, n FROM __v WHERE "
      "strlen(v) <= {} ORDER BY n DESC, v LIMIT {}))}}) AS VARCHAR) FROM __v)",
      feature.kind == FeatureKind::kCategories ? "v" : feature.value,
      feature.kind == FeatureKind::kCategories
          ? fmt::format("(SELECT {} AS v FROM {})", feature.value, rows)
          : rows,
      kLongestText, most);
}

std::string NumberStatisticsSql(const std::string& value, int64_t buckets) {
  return fmt::format("decode(braid_number_statistics({}, CAST({} AS DOUBLE)))", value, buckets);
}

std::string ListStatisticsSql(const FeatureColumn& feature, const std::string& rows,
                              int64_t buckets) {
  return fmt::format("(SELECT {} FROM (SELECT {} AS v FROM {}))", NumberStatisticsSql("v", buckets),
                     feature.value, rows);
}

syntax::MappedText OverRowsSql(const GivenRows& rows, const std::string& numbers,
                               const std::string& query) {
  syntax::MappedText text;
  text.Append(fmt::format("(WITH __braid_rows AS {}MATERIALIZED (SELECT * FROM ",
                          rows.is_table ? "NOT " : ""));
  text.Append(rows.sql);
  text.Append(")");
  if (!numbers.empty())
    text.Append(fmt::format(", __numbers AS MATERIALIZED (SELECT {} FROM {})", numbers, kRows));
  text.Append(" " + query + ")");
  return text;
}

}  // namespace braid::session
