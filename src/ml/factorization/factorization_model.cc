// SPDX-License-Identifier: Apache-2.0
#include "ml/factorization/factorization_model.h"

#include <limits>

#include "base/error.h"
#include "ml/kernels.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

void AddWeights(const std::string& input, const IdIndex& index, const FactorSide& side,
                Table& table) {
  for (size_t place = 0; place < index.size(); ++place) {
    Json weights = Json::array();
    for (size_t k = 0; k < side.width; ++k)
      weights.push_back({{"factor", k + 1}, {"weight", side.Row(place)[k]}});
    table.rows.push_back({input, index.ids()[place], std::move(weights), side.Bias(place)});
  }
}

// A row for the mean, then those of users and items, as BigQuery ML has them.
Table Weights(const FactorizationParts& parts) {
  Table table{.columns = {{"processed_input", "VARCHAR"},
                          {"feature", "VARCHAR"},
                          {"factor_weights", "STRUCT(factor BIGINT, weight DOUBLE)[]"},
                          {"intercept", "DOUBLE"}},
              .rows = {}};
  table.rows.push_back({nullptr, "global__INTERCEPT__", nullptr, parts.mean});
  AddWeights(parts.user_name, parts.users, parts.user_side, table);
  AddWeights(parts.item_name, parts.items, parts.item_side, table);
  return table;
}

Table TrainingInfo(const std::vector<TrainingInfoRow>& rows) {
  Table table{.columns = {{"training_run", "BIGINT"},
                          {"iteration", "BIGINT"},
                          {"loss", "DOUBLE"},
                          {"eval_loss", "DOUBLE"},
                          {"duration_ms", "BIGINT"}},
              .rows = {}};
  for (const TrainingInfoRow& row : rows)
    table.rows.push_back(
        {0, row.iteration, row.loss, OrNull(row.eval_loss), OrNull(row.duration_ms)});
  return table;
}

}  // namespace

FactorizationModel::FactorizationModel(FactorizationParts parts) : parts_(std::move(parts)) {}

std::vector<InputColumn> FactorizationModel::input_columns() const {
  return {{parts_.user_name, InputKind::kCategory}, {parts_.item_name, InputKind::kCategory}};
}

std::vector<std::string> FactorizationModel::score_names() const {
  return {"predicted_" + parts_.label +
          (parts_.feedback == Feedback::kImplicit ? "_confidence" : "")};
}

void FactorizationModel::Score(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  BRAID_CHECK(out.size() == inputs.rows);
  const auto find = [&](const ColumnView& column, size_t row, const IdIndex& index) {
    return column.IsValid(row) ? index.Find(column.strings()[row]) : std::nullopt;
  };
  for (size_t row = 0; row < inputs.rows; ++row) {
    const std::optional<uint32_t> user = find(inputs.columns[0], row, parts_.users);
    const std::optional<uint32_t> item = find(inputs.columns[1], row, parts_.items);
    out[row] = user && item
                   ? parts_.mean + parts_.user_side.Bias(*user) + parts_.item_side.Bias(*item) +
                         Dot(parts_.user_side.Row(*user), parts_.item_side.Row(*item),
                             parts_.user_side.width)
                   : std::numeric_limits<double>::quiet_NaN();
  }
}

std::vector<std::string> FactorizationModel::known_categories(size_t input) const {
  return (input == 0 ? parts_.users : parts_.items).ids();
}

std::optional<uint32_t> FactorizationModel::PlaceOf(size_t input, std::string_view id) const {
  return (input == 0 ? parts_.users : parts_.items).Find(id);
}

std::vector<UserRanking> FactorizationModel::Rank(std::span<const UserItems> users) const {
  const size_t width = parts_.user_side.width;
  std::vector<UserRanking> rankings;
  rankings.reserve(users.size());
  RankingJudge judge;
  std::vector<double> scores(parts_.items.size());
  for (const UserItems& user : users) {
    BRAID_CHECK(user.user < parts_.users.size());
    const double* factors = parts_.user_side.Row(user.user);
    for (size_t item = 0; item < scores.size(); ++item)
      scores[item] = Dot(factors, parts_.item_side.Row(item), width);
    rankings.push_back(judge.Judge(scores, user.taken));
  }
  return rankings;
}

std::vector<TableFunction> FactorizationModel::table_functions() const {
  return {{"WEIGHTS"}, {"TRAINING_INFO"}};
}

Table FactorizationModel::TableOf(std::string_view function,
                                  const std::vector<Option>& /*settings*/) const {
  return function == "TRAINING_INFO" ? TrainingInfo(parts_.training_info) : Weights(parts_);
}

}  // namespace braid::ml
