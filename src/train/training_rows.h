// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "engine/connection.h"
#include "lake/tables.h"
#include "ml/options.h"
#include "ml/training.h"
#include "session/model_store.h"

namespace braid::train {

// The inputs of BigQuery ML's automatic preprocessing: numbers as they are; booleans, text, dates
// and times as categories; a time stamp as its epoch and its calendar parts; a STRUCT as its
// fields. `label`, and the split column if the options name one, are no inputs. Throws
// TRAINING_DATA.
std::vector<session::ProjectedInput> MakeInputs(const std::vector<lake::Column>& columns,
                                                const std::string& label,
                                                const ml::ModelOptions& options);

// What a label is read as: "BOOLEAN", "BIGINT", "DOUBLE" or "VARCHAR".
std::string LabelFamily(const std::string& label_type);
bool IsNumeric(const std::string& type);

// The training query's rows, kept for the time of one training in a temporary table of the
// connection, with what the split needs. One at a time a connection.
class TrainingRows {
 public:
  // `query` is plain SQL. Throws TRAINING_DATA for a split that cannot be made.
  TrainingRows(engine::Connection& connection, const std::string& query,
               const ml::ModelOptions& options);
  ~TrainingRows();
  TrainingRows(const TrainingRows&) = delete;
  TrainingRows& operator=(const TrainingRows&) = delete;

  int64_t count() const { return count_; }
  // Parenthesised queries of the query's own columns.
  std::string TrainingQuery() const;
  std::string EvaluationQuery() const;  // the held-out rows; without a split those trained on
  std::string AllQuery() const;

 private:
  std::string Predicate(const ml::ModelOptions& options) const;
  std::string Select(const std::string& condition) const;

  engine::Connection& connection_;
  int64_t count_ = 0;
  std::string held_out_;  // condition; empty: no split
};

// Scans a query whose columns are as ml::RowSource says, each time from its beginning.
class QueryRows final : public ml::RowSource {
 public:
  QueryRows(engine::Connection& connection, std::string sql)
      : connection_(connection), sql_(std::move(sql)) {}
  void Scan(const std::function<void(const Batch&)>& visit) override;

 private:
  engine::Connection& connection_;
  std::string sql_;
};

}  // namespace braid::train
