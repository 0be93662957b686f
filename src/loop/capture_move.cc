// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string_view>

#include "loop/capture_move_internal.h"
#include "loop/captured_tables_internal.h"
#include "syntax/format.h"

namespace braid::loop {

namespace {

// Typed once, read by up to five statements; they live as long as the transaction at most.
constexpr std::string_view kNewInferences = "temp.main.braid_new_inferences";
constexpr std::string_view kNewFeedback = "temp.main.braid_new_feedback";

void MakeTable(engine::Connection& connection, std::string_view table, const std::string& query) {
  connection.Execute(fmt::format("CREATE TEMP TABLE {} AS {}",
                                 table.substr(std::string_view("temp.main.").size()), query));
}

void Append(engine::Connection& connection, const std::string& target, std::string_view source) {
  connection.Execute(fmt::format("INSERT INTO {} BY NAME SELECT * FROM {}", target, source));
}

bool Any(engine::Connection& connection, std::string_view table, std::string_view condition) {
  return connection
      .Scalar(fmt::format("SELECT EXISTS (SELECT 1 FROM {} WHERE {})", table, condition))
      .get<bool>();
}

// The labels of inferences in one relation by feedback in another, in two equi-joins: each alone is
// a hash join whose smaller side also limits what is read of the larger one.
class LabelJoin {
 public:
  LabelJoin(engine::Connection& connection, const CapturedTables& tables)
      : connection_(connection), target_(LakeTable("inference", tables.service + "_labelled")) {
    for (const lake::Column& column : tables.inference)
      columns_ += fmt::format("i.{0} AS {0}, ", syntax::QuoteIdentifier(column.name));
    for (const lake::Column& column : tables.feedback) {
      if (column.name == "inference_id" || column.name == "client_request_id") continue;
      columns_ += fmt::format("f.{0} AS {0}, ", syntax::QuoteIdentifier(column.name));
    }
    columns_.erase(columns_.size() - 2);
  }

  void ByInferenceId(std::string_view inferences, std::string_view feedback) {
    Run(inferences, feedback, "f.inference_id = i.inference_id");
  }
  void ByClientRequest(std::string_view inferences, std::string_view feedback) {
    Run(inferences, feedback,
        "f.client_request_id = i.client_request_id WHERE f.inference_id IS NULL");
  }

 private:
  void Run(std::string_view inferences, std::string_view feedback, std::string_view condition) {
    connection_.Execute(
        fmt::format("INSERT INTO {} BY NAME SELECT {} FROM {} AS i JOIN {} AS f ON {}", target_,
                    columns_, inferences, feedback, condition));
  }

  engine::Connection& connection_;
  const std::string target_;
  std::string columns_;
};

// (new inferences × all feedback) ∪ (older inferences × new feedback). Called when the new feedback
// stands in the lake's table and the new inferences do not yet.
void Label(engine::Connection& connection, const CapturedTables& tables, bool new_inferences,
           bool new_feedback) {
  LabelJoin join(connection, tables);
  const std::string all_feedback = LakeTable("feedback", tables.service);
  const std::string old_inferences = LakeTable("inference", tables.service);
  if (new_inferences) {
    join.ByInferenceId(kNewInferences, all_feedback);
    if (Any(connection, kNewInferences, "client_request_id IS NOT NULL"))
      join.ByClientRequest(kNewInferences, all_feedback);
  }
  if (new_feedback) {
    if (Any(connection, kNewFeedback, "inference_id IS NOT NULL"))
      join.ByInferenceId(old_inferences, kNewFeedback);
    if (Any(connection, kNewFeedback, "inference_id IS NULL"))
      join.ByClientRequest(old_inferences, kNewFeedback);
  }
}

}  // namespace

int64_t MoveService(engine::Connection& connection, const std::string& service,
                    const ServiceEntries& entries, int64_t above, int64_t upto) {
  const CapturedTables tables = FindCapturedTables(connection, service);
  const bool inferences = entries.inferences > 0 && !tables.inference.empty();
  const bool feedback = entries.feedback > 0 && !tables.feedback.empty();
  if (inferences) {
    MakeTable(
        connection, kNewInferences,
        InferenceQuery(tables, LogRange(service, capture::EntryKind::kInference, above, upto)));
  }
  if (feedback) {
    MakeTable(connection, kNewFeedback,
              FeedbackQuery(tables, LogRange(service, capture::EntryKind::kFeedback, above, upto)));
    Append(connection, LakeTable("feedback", service), kNewFeedback);
  }
  if (!tables.inference.empty() && !tables.feedback.empty() && !tables.labelled.empty())
    Label(connection, tables, inferences, feedback);
  if (inferences) Append(connection, LakeTable("inference", service), kNewInferences);
  for (const std::string_view table : {kNewInferences, kNewFeedback})
    connection.Execute(fmt::format("DROP TABLE IF EXISTS {}", table));
  return (inferences ? entries.inferences : 0) + (feedback ? entries.feedback : 0);
}

}  // namespace braid::loop
