// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ml/model.h"
#include "ml/model_kind.h"
#include "ml/partitioned/artefact_pack.h"
#include "ml/partitioned/partition_keys.h"

namespace braid::ml {

// What became of one partition.
struct PartitionOutcome {
  int64_t rows = 0;                // trained on, or given if it was not trained
  std::string error;               // why it was not trained; empty: it was
  std::string notice;              // what is odd about its rows; may be empty
  std::optional<double> loss;      // mean over its training rows: squared error, or log loss
  std::optional<double> r2_score;  // of a regression, on its training rows
};

// Everything that makes a PartitionedModel.
struct PartitionedParts {
  const ModelKind* kind = nullptr;
  std::vector<KeyColumn> key_columns;
  std::vector<InputColumn> inputs;   // of each model
  std::vector<std::string> classes;  // that some model has, in their type's order
  // By partition, in the order of their keys.
  std::vector<PartitionKey> keys;
  std::vector<PartitionOutcome> outcomes;
  std::vector<uint32_t> entry_of;          // its model in the pack; kNone: it was not trained
  uint32_t pooled = PartitionKeys::kNone;  // in the pack: what answers rows of other partitions
  ArtefactPack pack;
};

// A model for each partition of the rows, of one kind: the key columns come before the inputs, and
// each row is answered by its partition's model; rows whose partition has none by the pooled model,
// or with NaN. The models lie packed (ArtefactPack). A linear score of numbers is computed from
// there; other models are unpacked when a row first needs them and kept.
class PartitionedModel final : public Model {
 public:
  static constexpr std::string_view kFormat = "braid.partitioned";

  // Throws kLakeDamaged when the parts do not fit.
  explicit PartitionedModel(PartitionedParts parts);
  // Throws kLakeDamaged, kLakeFormat.
  static std::unique_ptr<Model> FromArtefact(std::string_view artefact);

  std::string_view kind() const override { return parts_.kind->name; }
  Task task() const override { return parts_.kind->task; }
  std::vector<InputColumn> input_columns() const override;
  const std::vector<std::string>& classes() const override { return parts_.classes; }
  int64_t rows() const override { return rows_; }
  size_t score_count() const override;
  std::vector<std::string> score_names() const override;
  bool may_be_silent() const override { return true; }
  void Score(const Batch& inputs, std::span<double> out) const override;
  // Those of the models, with the key columns first, and PARTITION_INFO. A part is a partition.
  std::vector<TableFunction> table_functions() const override;
  Table TableOf(std::string_view function, const std::vector<Option>& settings) const override;
  size_t table_parts(std::string_view /*function*/) const override { return keys_.size(); }
  Table TablePart(std::string_view function, const std::vector<Option>& settings,
                  size_t part) const override;
  std::map<std::string, double> TrainingMetrics() const override;
  bool can_explain() const override;
  size_t explained_count() const override;
  void Explain(const Batch& inputs, std::span<double> out) const override;
  bool has_intervals() const override;
  void Intervals(const Batch& inputs, double confidence, std::span<double> out) const override;
  std::string ToArtefact() const override;
  std::string ToOnnx() const override;

  size_t partition_count() const { return keys_.size(); }
  const PartitionOutcome& outcome(size_t partition) const { return parts_.outcomes[partition]; }
  bool has_pooled() const { return parts_.pooled != PartitionKeys::kNone; }

 private:
  // Where a linear score of numbers finds its numbers.
  struct LinearScore {
    size_t intercept = 0;
    std::vector<size_t> weights;
    std::vector<size_t> means;
  };
  // The model of an entry of the pack, once it was needed.
  struct Unpacked {
    std::once_flag once;
    std::unique_ptr<const Model> model;
    std::vector<size_t> classes;  // of each of its classes: which of classes() that is
  };
  void FindLinearScores();
  const Unpacked& At(uint32_t entry) const;
  const Model& AnyModel() const { return *At(0).model; }
  std::vector<uint32_t> EntriesOf(const Batch& inputs) const;
  void ScoreLinear(const Batch& inputs, const std::vector<uint32_t>& entries,
                   std::span<double> out) const;
  // Writes `width` numbers a row: what `answer` makes of the rows of each model, NaN without one.
  void Answer(
      const Batch& inputs, size_t width, std::span<double> out,
      const std::function<void(const Unpacked&, const Batch&, std::span<double>)>& answer) const;
  std::vector<Table::Column> WithKeys(const std::vector<Table::Column>& others) const;
  std::vector<Table::Column> OwnColumns(std::string_view function,
                                        const std::vector<Option>& settings) const;
  Table PartitionInfo(size_t partition) const;
  std::vector<nlohmann::ordered_json> KeyCells(size_t partition) const;

  PartitionedParts parts_;
  PartitionKeys keys_;
  int64_t rows_ = 0;                      // trained on, of all partitions
  std::vector<LinearScore> linear_;       // by shape; empty: some scores are none
  std::unique_ptr<Unpacked[]> unpacked_;  // by entry; filled as they are needed
};

}  // namespace braid::ml
