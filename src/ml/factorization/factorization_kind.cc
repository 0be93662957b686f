// SPDX-License-Identifier: Apache-2.0
#include "ml/factorization/factorization_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "base/error.h"
#include "ml/factorization/alternating_squares.h"
#include "ml/factorization/factorization_model.h"
#include "ml/random_stream.h"

namespace braid::ml {

namespace {

void RefuseIfNotFinite(double objective) {
  if (std::isfinite(objective)) return;
  throw Error(ErrorCode::kTrainingData, "The ratings are too large: their squares overflow",
              "divide them by a constant");
}

// Without NUM_STARTS so many ratings are gone through in all, from ten starts at most.
constexpr size_t kStartedRatings = 100'000;
constexpr size_t kUsualStarts = 10;

struct Fitted {
  FactorSide users;
  FactorSide items;
  double mean = 0;
  double objective = std::numeric_limits<double>::infinity();
  std::vector<TrainingInfoRow> info;
};

// Until the objective falls by less than MIN_REL_PROGRESS of itself.
Fitted Iterate(AlternatingSquares& squares, const FactorizationOptions& options,
               const std::vector<Rating>& held_out,
               const std::function<void(double, double)>& progress) {
  Fitted fitted;
  for (int64_t iteration = 0; iteration < options.max_iterations; ++iteration) {
    squares.Iterate();
    const double previous = std::exchange(fitted.objective, squares.Objective());
    RefuseIfNotFinite(fitted.objective);
    TrainingInfoRow row{.iteration = iteration, .loss = squares.Loss()};
    if (!held_out.empty()) row.eval_loss = squares.MeanSquaredError(held_out);
    fitted.info.push_back(row);
    progress(static_cast<double>(iteration + 1) / static_cast<double>(options.max_iterations),
             row.loss);
    if (options.early_stop && iteration > 0 &&
        previous - fitted.objective < options.min_rel_progress * previous)
      break;
  }
  fitted.users = squares.users();
  fitted.items = squares.items();
  fitted.mean = squares.mean();
  return fitted;
}

// The least objective from several starts; of equal ones the first.
Fitted FitFromStarts(const Ratings& ratings, const TrainingRequest& request,
                     const FactorizationOptions& options, const std::vector<Rating>& held_out,
                     const TrainingControl& control) {
  const size_t log2_rows = std::bit_width(static_cast<uint64_t>(ratings.rows)) - 1;
  const size_t factors = options.num_factors.value_or(std::max<size_t>(1, log2_rows));
  const size_t starts =
      options.num_starts > 0
          ? static_cast<size_t>(options.num_starts)
          : std::clamp<size_t>(kStartedRatings / ratings.count(), 1, kUsualStarts);
  RandomStream seeds(request.seed);
  Fitted best;
  for (size_t start = 0; start < starts; ++start) {
    const int64_t seed =
        start == 0 ? request.seed : static_cast<int64_t>(seeds.Below(size_t{1} << 62));
    AlternatingSquares squares(ratings, options, factors, seed, request.threads, control.stop);
    Fitted fitted = Iterate(squares, options, held_out, [&](double fraction, double loss) {
      if (control.progress)
        control.progress((static_cast<double>(start) + fraction) / static_cast<double>(starts),
                         loss);
    });
    if (fitted.objective < best.objective) best = std::move(fitted);
  }
  return best;
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
  Fitted fitted = FitFromStarts(ratings, request, options, held_out, control);
  TrainedModel trained;
  if (ratings.skipped > 0)
    trained.notices.push_back(
        fmt::format("{} rows without a user, an item or a rating were left out", ratings.skipped));
  trained.model = std::make_unique<FactorizationModel>(
      FactorizationParts{.feedback = options.feedback,
                         .user_name = request.inputs[0].name,
                         .item_name = request.inputs[1].name,
                         .label = request.label,
                         .users = std::move(ratings.users),
                         .items = std::move(ratings.items),
                         .user_side = std::move(fitted.users),
                         .item_side = std::move(fitted.items),
                         .mean = fitted.mean,
                         .rows = ratings.rows,
                         .skipped = ratings.skipped,
                         .training_info = std::move(fitted.info)});
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
      .ranks_items =
          [](const std::vector<Option>& options) {
            return ParseFactorizationOptions(options).feedback == Feedback::kImplicit;
          },
      .named_columns = FactorizationColumns,
      .train = Train,
      .load = [](std::string_view artefact) -> std::unique_ptr<Model> {
        return std::make_unique<FactorizationModel>(FactorizationModel::FromArtefact(artefact));
      }};
  return kind;
}

}  // namespace braid::ml
