// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "session/feature_sql.h"

namespace braid::session {

std::string FeatureInfoSql(const BoundModel& model) {
  if (model.stored.features.empty())
    throw Error(ErrorCode::kNotSupported,
                "The statistics of the model's training rows were not kept: " + model.version.model,
                "it was imported, or trained by an older Braid: CREATE OR REPLACE MODEL trains it "
                "again");
  ml::Table table{.columns = {{"input", "VARCHAR"},
                              {"min", "DOUBLE"},
                              {"max", "DOUBLE"},
                              {"mean", "DOUBLE"},
                              {"median", "DOUBLE"},
                              {"stddev", "DOUBLE"},
                              {"category_count", "BIGINT"},
                              {"null_count", "BIGINT"},
                              {"dimension", "BIGINT"}},
                  .rows = {}};
  for (const ml::FeatureStatistics& feature : model.stored.features) {
    if (const auto* numbers = std::get_if<ml::NumberStatistics>(&feature.values)) {
      table.rows.push_back({feature.name, ml::OrNull(numbers->minimum),
                            ml::OrNull(numbers->maximum), ml::OrNull(numbers->mean),
                            ml::OrNull(numbers->median), ml::OrNull(numbers->standard_deviation),
                            nullptr, numbers->nulls, ml::OrNull(feature.dimension)});
    } else {
      const auto& categories = std::get<ml::CategoryStatistics>(feature.values);
      table.rows.push_back({feature.name, nullptr, nullptr, nullptr, nullptr, nullptr,
                            categories.categories, categories.nulls, nullptr});
    }
  }
  return TableSql(table);
}

}  // namespace braid::session
