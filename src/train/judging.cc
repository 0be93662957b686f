// SPDX-License-Identifier: Apache-2.0
#include "train/judging.h"

#include "session/ml_sql.h"

namespace braid::train {

std::map<std::string, double> Judge(engine::Connection& connection,
                                    const catalog::ModelVersion& version,
                                    const session::StoredModel& stored, const std::string& rows) {
  std::map<std::string, double> metrics = stored.core->TrainingMetrics();
  if (!stored.core->can_be_judged()) return metrics;
  syntax::MappedText judged;
  judged.Append(rows);
  engine::Result result =
      connection.Query("SELECT * FROM " + session::EvaluateSql({version, stored}, judged).text());
  const std::vector<std::string> names = result.column_names();
  const std::optional<engine::Chunk> chunk = result.Next();
  for (size_t i = 0; chunk && i < names.size(); ++i) {
    const auto value = chunk->Value(i, 0);
    if (value.is_number()) metrics[names[i]] = value.get<double>();
  }
  return metrics;
}

}  // namespace braid::train
