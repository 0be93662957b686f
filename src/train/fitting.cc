// SPDX-License-Identifier: Apache-2.0
#include "train/fitting.h"

#include <fmt/format.h>

#include "base/error.h"
#include "ml/global_explanation.h"
#include "ml/model_kind.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

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
  if (warm_start_ != nullptr) request.warm_start = warm_start_->core.get();
  for (const session::ProjectedInput& input : projection_.inputs)
    request.inputs.push_back(
        {input.name, input.is_category ? ml::InputKind::kCategory : ml::InputKind::kNumeric});
  return request;
}

// The labels that occur, in their type's order.
std::vector<std::string> Fitting::Classes(const std::string& rows) const {
  std::vector<std::string> classes;
  for (const auto& row : connection_.Rows(fmt::format(
           "SELECT CAST(v AS VARCHAR) FROM (SELECT DISTINCT CAST({} AS {}) AS v FROM {}) WHERE v "
           "IS NOT NULL ORDER BY v LIMIT 51",
           syntax::QuoteIdentifier(projection_.label), session::LabelFamily(projection_.label_type),
           rows)))
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

ml::TrainingRequest Fitting::RequestFor(const TrainingRows& rows) const {
  ml::TrainingRequest request = Request();
  if (Classifies()) request.classes_in_order = Classes(rows.TrainingQuery());
  return request;
}

std::string Fitting::MomentList() const {
  return InputList() + (projection_.label.empty() ? ", CAST(0 AS DOUBLE)" : "");
}

Fitting::Material::Material(SharedConnection& shared, const Fitting& fitting, const RowParts& parts,
                            bool holds)
    : classes(fitting.Classifies() ? fitting.Classes(parts.training) : std::vector<std::string>{}),
      training(shared,
               fmt::format("SELECT {} FROM {} AS __braid_row", fitting.InputList(), parts.training),
               holds),
      evaluation(
          shared,
          fmt::format("SELECT {} FROM {} AS __braid_row", fitting.InputList(), parts.evaluation),
          holds),
      moments(shared, fitting.projection_.inputs.size(), fitting.MomentList(),
              parts.training + " AS __braid_row", fitting.threads_ == 1),
      is_split(parts.is_split) {}

ml::TrainedModel Fitting::Fit(Material& material, const std::vector<Option>& settings,
                              const ml::TrainingControl& control) const {
  ml::TrainingRequest request = Request();
  request.settings = settings;
  request.classes_in_order = material.classes;
  if (material.is_split) request.held_out = &material.evaluation;
  ml::TrainedModel trained = MomentsSuffice(request)
                                 ? options_.kind->train_from_moments(
                                       request, material.moments.Get(), material.training, control)
                                 : options_.kind->train(request, material.training, control);
  if (options_.enable_global_explain)
    trained.global_explanation =
        ml::GlobalExplanation(*trained.model, material.evaluation, control.stop);
  return trained;
}

ml::TrainedModel Fitting::Fit(const TrainingRows& rows, const ml::TrainingControl& control) {
  SharedConnection shared{connection_, {}};
  Material material(shared, *this, rows.parts(), false);
  ml::TrainedModel trained = Fit(material, settings_, control);
  numbers_ = material.moments.Numbers();
  return trained;
}

}  // namespace braid::train
