// SPDX-License-Identifier: Apache-2.0
#include "train/fitting.h"

#include <fmt/format.h>

#include "base/error.h"
#include "ml/gram.h"
#include "ml/model_kind.h"
#include "session/scoring_call.h"
#include "syntax/format.h"
#include "train/moments.h"

namespace braid::train {

bool Fitting::Classifies() const { return options_.kind->task == ml::Task::kClassification; }

bool Fitting::MomentsSuffice(const ml::TrainingRequest& request) const {
  return options_.kind->moments_suffice != nullptr && options_.kind->moments_suffice(request);
}

// All of it but the classes and the held-out rows.
ml::TrainingRequest Fitting::Request() const {
  ml::TrainingRequest request{.kind = std::string(options_.kind->name),
                              .inputs = {},
                              .label = projection_.label,
                              .classes_in_order = {},
                              .has_weight = options_.instance_weight_col.has_value(),
                              .settings = settings_,
                              .seed = options_.seed,
                              .threads = static_cast<size_t>(std::max<int64_t>(1, threads_))};
  for (const session::ProjectedInput& input : projection_.inputs)
    request.inputs.push_back(
        {input.name, input.is_category ? ml::InputKind::kCategory : ml::InputKind::kNumeric});
  return request;
}

// The labels that occur, in their type's order.
std::vector<std::string> Fitting::Classes(const TrainingRows& rows) const {
  std::vector<std::string> classes;
  for (const auto& row : connection_.Rows(fmt::format(
           "SELECT CAST(v AS VARCHAR) FROM (SELECT DISTINCT CAST({} AS {}) AS v FROM {}) WHERE v "
           "IS NOT NULL ORDER BY v LIMIT 51",
           syntax::QuoteIdentifier(projection_.label), session::LabelFamily(projection_.label_type),
           rows.TrainingQuery())))
    classes.push_back(row[0]);
  if (classes.size() > 50)
    throw Error(ErrorCode::kTrainingData,
                "The label has more than 50 classes: " + projection_.label,
                "group the labels, or train a regression");
  return classes;
}

std::string Fitting::InputList() const {
  std::string list = session::InputsSql(projection_.inputs);
  const std::string label = "__braid_row." + syntax::QuoteIdentifier(projection_.label);
  if (Classifies())
    list += fmt::format(", CAST(CAST({} AS {}) AS VARCHAR)", label,
                        session::LabelFamily(projection_.label_type));
  else if (!projection_.label.empty())
    list += fmt::format(", CAST({} AS DOUBLE)", label);
  if (options_.instance_weight_col)
    list += fmt::format(", CAST(__braid_row.{} AS DOUBLE)",
                        syntax::QuoteIdentifier(*options_.instance_weight_col));
  return list;
}

std::string Fitting::MomentsList() const {
  return InputList() + (projection_.label.empty() ? ", CAST(0 AS DOUBLE)" : "");
}

ml::TrainingRequest Fitting::RequestFor(const TrainingRows& rows) const {
  ml::TrainingRequest request = Request();
  if (Classifies()) request.classes_in_order = Classes(rows);
  return request;
}

ml::TrainedModel Fitting::Fit(const TrainingRows& rows, const ml::TrainingControl& control) {
  ml::TrainingRequest request = RequestFor(rows);
  const std::string from = rows.TrainingQuery() + " AS __braid_row";
  QueryRows source(connection_, fmt::format("SELECT {} FROM {}", InputList(), from));
  QueryRows held_out(connection_, fmt::format("SELECT {} FROM {} AS __braid_row", InputList(),
                                              rows.EvaluationQuery()));
  if (rows.is_split()) request.held_out = &held_out;
  if (!MomentsSuffice(request)) return options_.kind->train(request, source, control);
  return options_.kind->train_from_moments(
      request,
      GatherMoments(connection_, request.inputs.size(), MomentsList(), from, threads_ == 1), source,
      control);
}

}  // namespace braid::train
