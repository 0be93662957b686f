// SPDX-License-Identifier: Apache-2.0
#include "ml/factorization/factorization_kind.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "base/error.h"
#include "ml/factorization/alternating_squares.h"
#include "ml/factorization/factorization_model.h"

namespace braid::ml {

namespace {

void RefuseIfNotFinite(double objective) {
  if (std::isfinite(objective)) return;
  throw Error(ErrorCode::kTrainingData, "The ratings are too large: their squares overflow",
              "divide them by a constant");
}

// Until the objective falls by less than MIN_REL_PROGRESS of itself.
std::vector<TrainingInfoRow> Iterate(AlternatingSquares& squares,
                                     const FactorizationOptions& options,
                                     const std::vector<Rating>& held_out,
                                     const TrainingControl& control) {
  std::vector<TrainingInfoRow> info;
  double previous = 0;
  for (int64_t iteration = 0; iteration < options.max_iterations; ++iteration) {
    squares.Iterate();
    const double objective = squares.Objective();
    RefuseIfNotFinite(objective);
    TrainingInfoRow row{.iteration = iteration, .loss = squares.Loss()};
    if (!held_out.empty()) row.eval_loss = squares.MeanSquaredError(held_out);
    info.push_back(row);
    if (control.progress)
      control.progress(
          static_cast<double>(iteration + 1) / static_cast<double>(options.max_iterations),
          row.loss);
    if (options.early_stop && iteration > 0 &&
        previous - objective < options.min_rel_progress * previous)
      break;
    previous = objective;
  }
  return info;
}

TrainedModel Train(const TrainingRequest& request, RowSource& rows,
                   const TrainingControl& control) {
  BRAID_CHECK(request.inputs.size() == 2);
  const FactorizationOptions options = ParseFactorizationOptions(request.settings);
  const bool is_explicit = options.feedback == Feedback::kExplicit;
  Ratings ratings = ReadRatings(rows, options.feedback, control);
  std::vector<Rating> held_out;
  if (request.held_out != nullptr && is_explicit)
    held_out = ReadKnownRatings(*request.held_out, ratings);
  const size_t log2_rows = std::bit_width(static_cast<uint64_t>(ratings.rows)) - 1;
  AlternatingSquares squares(ratings, options,
                             options.num_factors.value_or(std::max<size_t>(1, log2_rows)),
                             request.seed, request.threads, control.stop);
  std::vector<TrainingInfoRow> info = Iterate(squares, options, held_out, control);
  TrainedModel trained;
  if (ratings.skipped > 0)
    trained.notices.push_back(
        fmt::format("{} rows without a user, an item or a rating were left out", ratings.skipped));
  trained.model =
      std::make_unique<FactorizationModel>(FactorizationParts{.feedback = options.feedback,
                                                              .user_name = request.inputs[0].name,
                                                              .item_name = request.inputs[1].name,
                                                              .label = request.label,
                                                              .users = std::move(ratings.users),
                                                              .items = std::move(ratings.items),
                                                              .user_side = squares.users(),
                                                              .item_side = squares.items(),
                                                              .mean = squares.mean(),
                                                              .rows = ratings.rows,
                                                              .skipped = ratings.skipped,
                                                              .training_info = std::move(info)});
  return trained;
}

}  // namespace

const ModelKind& MatrixFactorizationKind() {
  static const ModelKind kind = {
      .name = "matrix_factorization",
      .task = Task::kRecommendation,
      .option_names = FactorizationOptionNames(),
      .hyperparameters = {{.option = "num_factors",
                           .type = HyperparameterType::kWhole,
                           .least = 1,
                           .most = kMostFactors,
                           .searched = std::pair(2.0, 20.0)},
                          {.option = "l2_reg",
                           .log_scale = true,
                           .searched = std::pair(0.0, 10.0),
                           .standard = FactorizationOptions{}.l2_reg}},
      .check_options =
          [](const std::vector<Option>& options) { ParseFactorizationOptions(options); },
      .named_columns = FactorizationColumns,
      .train = Train,
      .load = [](std::string_view artefact) -> std::unique_ptr<Model> {
        return std::make_unique<FactorizationModel>(FactorizationModel::FromArtefact(artefact));
      }};
  return kind;
}

}  // namespace braid::ml
