// SPDX-License-Identifier: Apache-2.0
#include "ml/model.h"

#include <fmt/format.h>

#include "base/error.h"

namespace braid::ml {

void ThrowIfStopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kInterrupted, "The training was cancelled");
}

Table TrainingInfoTable(const std::vector<TrainingInfoRow>& rows) {
  Table table{.columns = {{"training_run", "BIGINT"},
                          {"iteration", "BIGINT"},
                          {"loss", "DOUBLE"},
                          {"eval_loss", "DOUBLE"},
                          {"learning_rate", "DOUBLE"},
                          {"duration_ms", "BIGINT"}},
              .rows = {}};
  for (const TrainingInfoRow& row : rows)
    table.rows.push_back({0, row.iteration, row.loss, OrNull(row.eval_loss),
                          OrNull(row.learning_rate), OrNull(row.duration_ms)});
  return table;
}

const std::vector<std::string>& Model::classes() const {
  static const std::vector<std::string> none;
  return none;
}

Table Model::TableOf(std::string_view function, const std::vector<Option>& /*settings*/) const {
  throw Error(ErrorCode::kInternal, fmt::format("{} has no ML.{}", kind(), function));
}

Table Model::TablePart(std::string_view function, const std::vector<Option>& settings,
                       size_t /*part*/) const {
  return TableOf(function, settings);
}

void Model::Intervals(const Batch& /*inputs*/, double /*confidence*/,
                      std::span<double> /*out*/) const {
  throw Error(ErrorCode::kInternal, "A model without intervals was asked for them");
}

void Model::Explain(const Batch& /*inputs*/, std::span<double> /*out*/) const {
  throw Error(ErrorCode::kInternal, fmt::format("{} cannot be explained", kind()));
}

void Model::AnomalyScores(const Batch& /*inputs*/, std::span<double> /*scores*/,
                          std::span<int64_t> /*centroids*/) const {
  throw Error(ErrorCode::kInternal, fmt::format("{} detects no anomalies", kind()));
}

double Model::AnomalyThreshold(double /*contamination*/) const {
  throw Error(ErrorCode::kInternal, fmt::format("{} detects no anomalies", kind()));
}

std::optional<uint32_t> Model::PlaceOf(size_t /*input*/, std::string_view /*id*/) const {
  throw Error(ErrorCode::kInternal, fmt::format("{} ranks no items", kind()));
}

std::vector<UserRanking> Model::Rank(std::span<const UserItems> /*users*/) const {
  throw Error(ErrorCode::kInternal, fmt::format("{} ranks no items", kind()));
}

std::string Model::ToOnnx() const {
  throw Error(ErrorCode::kExportUnsupported, fmt::format("{} has no form in ONNX", kind()));
}

std::string Model::Signature() const { return ToOnnx(); }

void Model::CheckInputs(const Batch& inputs) const {
  const std::vector<InputColumn> columns = input_columns();
  if (inputs.columns.size() != columns.size())
    throw Error(ErrorCode::kModelInput, fmt::format("The model takes {} inputs, but got {}",
                                                    columns.size(), inputs.columns.size()));
  for (size_t c = 0; c < columns.size(); ++c) {
    const bool numeric = columns[c].kind == InputKind::kNumeric;
    if (inputs.columns[c].kind != (numeric ? ColumnKind::kDouble : ColumnKind::kString))
      throw Error(ErrorCode::kModelInput,
                  "The model's input came as another type: " + columns[c].name);
  }
}

}  // namespace braid::ml
