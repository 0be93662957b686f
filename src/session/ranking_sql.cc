// SPDX-License-Identifier: Apache-2.0
// ML.EVALUATE of models that rank items: what a user took to, gathered, against the ranking of all
// items for that user. One user's scores are held at a time by each thread, never all pairs.
#include <fmt/format.h>

#include "session/ml_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

using syntax::MappedText;

MappedText EvaluateRankingSql(const BoundModel& model, const MappedText& rows) {
  const std::string label = "__braid_row." + syntax::QuoteIdentifier(model.stored.projection.label);
  MappedText text;
  text.Append(
      "(SELECT avg(__r.average_precision) AS mean_average_precision, avg(__r.squared_error) AS "
      "mean_squared_error, avg(__r.normalized_gain) AS normalized_discounted_cumulative_gain, "
      "sum(__r.rank_sum) / sum(__r.gain_sum) AS average_rank FROM (SELECT ");
  text.Append(
      fmt::format("braid_score_ranking({}, __user, __items) AS __r FROM (SELECT __k.\"user\" "
                  "AS __user, braid_taken_items(CAST(__k.item AS DOUBLE), __y) AS __items "
                  "FROM ",
                  syntax::QuoteString(model.version.artefact_sha256)));
  text.Append(Around(
      fmt::format("{} AS __k, CAST({} AS DOUBLE) AS __y", ScoringCall(model, "places"), label),
      rows, fmt::format(" WHERE {} IS NOT NULL", label)));
  text.Append(
      " AS __placed WHERE __k IS NOT NULL GROUP BY __k.\"user\") AS __taken WHERE octet_length("
      "__items) > 0) AS __rankings)");
  return text;
}

}  // namespace braid::session
