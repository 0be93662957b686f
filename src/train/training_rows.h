// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine/connection.h"
#include "lake/tables.h"
#include "ml/options.h"
#include "ml/training.h"
#include "session/column_types.h"
#include "session/model_store.h"

namespace braid::train {

// The inputs of BigQuery ML's automatic preprocessing: numbers as they are; booleans, text, dates
// and times as categories; a time stamp as its epoch and its calendar parts; a STRUCT as its
// fields. `label`, and the split column if the options name one, are no inputs. Throws
// TRAINING_DATA.
std::vector<session::ProjectedInput> MakeInputs(const std::vector<lake::Column>& columns,
                                                const std::string& label,
                                                const ml::ModelOptions& options);

// The inputs that one column, or an SQL expression over __braid_row, becomes.
std::vector<session::ProjectedInput> InputsOf(const std::string& name,
                                              const std::string& expression,
                                              const std::string& type);

// The column of that name, in any case. Throws TRAINING_DATA with the nearest name, or `otherwise`
// as what to do.
const lake::Column& FindColumn(const std::vector<lake::Column>& columns, const std::string& wanted,
                               std::string_view what = "column", const std::string& otherwise = "");

// The named columns as categories. Throws TRAINING_DATA for one that the query does not give.
std::vector<session::ProjectedInput> NamedInputs(const std::vector<lake::Column>& columns,
                                                 const std::vector<std::string>& names);

using session::IsNumeric;

enum class RowAccess : uint8_t {
  kKept,     // in a temporary table of the connection: for what reads them many times
  kInPlace,  // the query runs at each reading, unless it may give other rows the next time
};

// Rows to fit a model to, and rows to judge it on: parenthesised queries of the training query's
// own columns.
struct RowParts {
  std::string training;
  std::string evaluation;  // without a split those trained on
  bool is_split = false;
};

// The training query's rows, split as the options say, for the time of one training. One at a time
// a connection.
class TrainingRows {
 public:
  // `query` is plain SQL. Throws TRAINING_DATA for a split that cannot be made.
  TrainingRows(engine::Connection& connection, const std::string& query,
               const ml::ModelOptions& options, RowAccess access = RowAccess::kKept);
  ~TrainingRows();
  TrainingRows(const TrainingRows&) = delete;
  TrainingRows& operator=(const TrainingRows&) = delete;

  int64_t count() const;
  bool is_kept() const { return is_kept_; }
  bool is_split() const { return !held_out_.empty(); }
  // Parenthesised queries of the query's own columns.
  std::string TrainingQuery() const;
  std::string EvaluationQuery() const;  // the held-out rows; without a split those trained on
  std::string AllQuery() const;
  RowParts parts() const { return {TrainingQuery(), EvaluationQuery(), is_split()}; }

  // Of a tuned model: the rows that no trial sees; without any, those of EvaluationQuery.
  bool has_test() const { return !test_.empty(); }
  std::string TestQuery() const;
  // All rows but the test rows.
  std::string SeenQuery() const;
  // They in `folds` parts, by their content: part `fold` is for evaluation.
  RowParts Fold(size_t fold, size_t folds) const;

 private:
  void Keep(const std::string& query, const ml::ModelOptions& options);
  std::string Predicate(const ml::ModelOptions& options) const;
  void SplitInThree(const ml::ModelOptions& options);
  void CheckParts(const std::string& column) const;
  std::string Select(const std::string& condition) const;

  engine::Connection& connection_;
  std::string query_;
  bool is_kept_ = false;
  std::string draw_;            // SQL over __braid_row: 0 ≤ x < 1, by the row's content
  std::string helpers_;         // columns of the temporary table that are not the query's
  mutable int64_t count_ = -1;  // not counted yet
  std::string held_out_;        // condition over __braid_row; empty: no split
  std::string test_;            // likewise; empty: no test rows
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
