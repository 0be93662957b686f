// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_kind.h"

#include "ml/glm/glm_trainer.h"

namespace braid::ml {

namespace {

template <GlmType type>
GlmRequest Requested(const TrainingRequest& request) {
  GlmRequest glm{request, type, ParseGlmOptions(type, request.settings)};
  return glm;
}

TrainedModel Wrap(TrainedGlm trained) {
  return {std::make_unique<GlmModel>(std::move(trained.model)), std::move(trained.notices)};
}

template <GlmType type>
ModelKind MakeKind() {
  return {
      .name = GlmTypeName(type),
      .task = type == GlmType::kLinearReg ? Task::kRegression : Task::kClassification,
      .option_names = GlmOptionNames(type),
      .hyperparameters =
          {{.option = "l1_reg", .log_scale = true, .searched = std::pair(0.0, 10.0), .standard = 0},
           {.option = "l2_reg",
            .log_scale = true,
            .searched = std::pair(0.0, 10.0),
            .standard = 0}},
      .takes_weights = true,
      .warm_starts = true,
      .check_options = [](const std::vector<Option>& options) { ParseGlmOptions(type, options); },
      .train =
          [](const TrainingRequest& request, RowSource& rows, const TrainingControl& control) {
            return Wrap(TrainGlm(Requested<type>(request), rows, control));
          },
      .moments_suffice =
          [](const TrainingRequest& request) { return GramSuffices(Requested<type>(request)); },
      .train_from_moments =
          [](const TrainingRequest& request, const GramAccumulator& moments, RowSource& rows,
             const TrainingControl& control) {
            return Wrap(TrainLinearFromGram(Requested<type>(request), moments, &rows, control));
          },
      .load = [](std::string_view artefact) -> std::unique_ptr<Model> {
        return std::make_unique<GlmModel>(GlmModel::FromArtefact(artefact));
      }};
}

}  // namespace

const ModelKind& LinearRegKind() {
  static const ModelKind kind = MakeKind<GlmType::kLinearReg>();
  return kind;
}

const ModelKind& LogisticRegKind() {
  static const ModelKind kind = MakeKind<GlmType::kLogisticReg>();
  return kind;
}

}  // namespace braid::ml
