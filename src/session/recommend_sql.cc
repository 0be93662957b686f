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

// What typeof says of a NULL without a type.
constexpr std::string_view kAbsent = "\"NULL\"";

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

// A column that the rows lack comes out of the union as NULL of no type: then all ids that the
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
      "(SELECT typeof(__braid_all.{0}) = {5} AS __braid_no_user, CAST(__braid_all.{0} AS VARCHAR) "
      "AS __braid_user, typeof(__braid_all.{1}) = {5} AS __braid_no_item, CAST(__braid_all.{1} AS "
      "VARCHAR) AS __braid_item FROM (SELECT NULL AS {0}, NULL AS {1} WHERE FALSE UNION ALL BY "
      "NAME "
      "SELECT * FROM ",
      user, item,
      QuoteString(fmt::format("ML.RECOMMEND was given rows without the columns {} and {}",
                              inputs[0].name, inputs[1].name)),
      KnownCall(model, 0), KnownCall(model, 1), QuoteString(kAbsent)));
  text.Append(rows);
  text.Append(" AS __braid_given) AS __braid_all)))");
  return text;
}

}  // namespace

MappedText RecommendSql(const BoundModel& model, const MappedText* rows) {
  return Around(Columns(model), rows == nullptr ? AllPairs(model) : PairsOf(model, *rows), "");
}

}  // namespace braid::session
