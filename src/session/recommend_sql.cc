// SPDX-License-Identifier: Apache-2.0
// ML.RECOMMEND as SQL around the scoring functions.
#include <fmt/format.h>

#include "session/ml_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

// The type of what stands for a column that the rows do not have.
constexpr std::string_view kAbsent = "STRUCT(__braid_absent BOOLEAN)";

std::string KnownCall(const BoundModel& model, size_t input) {
  return fmt::format("braid_score_known({}, '{}')", QuoteString(model.version.artefact_sha256),
                     input);
}

// The ids in the type that they had in training, and their scores.
std::string Columns(const BoundModel& model) {
  std::string columns;
  std::string arguments;
  for (const ProjectedInput& input : model.stored.projection.inputs) {
    const std::string name = QuoteIdentifier(input.name);
    columns += input.type.empty()
                   ? fmt::format("__braid_row.{}, ", name)
                   : fmt::format("CAST(__braid_row.{0} AS {1}) AS {0}, ", name, input.type);
    arguments += fmt::format(", __braid_row.{}", name);
  }
  return fmt::format("{}braid_score_value({}{}) AS {}", columns,
                     QuoteString(model.version.artefact_sha256), arguments,
                     QuoteIdentifier(model.stored.core->score_names().at(0)));
}

MappedText AllPairs(const BoundModel& model) {
  const auto& inputs = model.stored.projection.inputs;
  MappedText text;
  text.Append(
      fmt::format("(SELECT * FROM (SELECT unnest({}) AS {}) CROSS JOIN (SELECT unnest({}) "
                  "AS {}))",
                  KnownCall(model, 0), QuoteIdentifier(inputs[0].name), KnownCall(model, 1),
                  QuoteIdentifier(inputs[1].name)));
  return text;
}

// A name that the rows lack is that of the outer query, whose type tells so: then all ids that the
// model knows take its place.
MappedText PairsOf(const BoundModel& model, const MappedText& rows) {
  const auto& inputs = model.stored.projection.inputs;
  const std::string user = QuoteIdentifier(inputs[0].name);
  const std::string item = QuoteIdentifier(inputs[1].name);
  MappedText text;
  text.Append(fmt::format(
      "(SELECT {0}, unnest(__braid_items) AS {1} FROM (SELECT unnest(CASE WHEN __braid_no_user AND "
      "__braid_no_item THEN error({2}) WHEN __braid_no_user THEN {3} ELSE [__braid_user] END) AS "
      "{0}, CASE WHEN __braid_no_item THEN {4} ELSE [__braid_item] END AS __braid_items FROM "
      "(SELECT * FROM (SELECT CAST(NULL AS {5}) AS {0}, CAST(NULL AS {5}) AS {1}), LATERAL (SELECT "
      "typeof({0}) = '{5}' AS __braid_no_user, CAST({0} AS VARCHAR) AS __braid_user, typeof({1}) = "
      "'{5}' AS __braid_no_item, CAST({1} AS VARCHAR) AS __braid_item FROM ",
      user, item,
      QuoteString(fmt::format("ML.RECOMMEND was given rows without the columns {} and {}",
                              inputs[0].name, inputs[1].name)),
      KnownCall(model, 0), KnownCall(model, 1), kAbsent));
  text.Append(rows);
  text.Append(" AS __braid_given))))");
  return text;
}

}  // namespace

MappedText RecommendSql(const BoundModel& model, const MappedText* rows) {
  return Around(Columns(model), rows == nullptr ? AllPairs(model) : PairsOf(model, *rows), "");
}

}  // namespace braid::session
