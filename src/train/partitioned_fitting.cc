// SPDX-License-Identifier: Apache-2.0
#include "train/partitioned_fitting.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "session/scoring_call.h"
#include "syntax/format.h"
#include "train/group_sums.h"
#include "train/partition_rows.h"

namespace braid::train {

namespace {

// A partition that waits is looked for by its key; of more it is cheaper to read all rows.
constexpr size_t kMostSought = 10'000;

std::vector<ml::KeyColumn> ColumnsOf(const std::vector<session::ProjectedInput>& keys) {
  std::vector<ml::KeyColumn> columns;
  for (const session::ProjectedInput& key : keys) columns.push_back({key.name, key.type});
  return columns;
}

// A join of `from`'s rows with these keys.
std::string Sought(const std::vector<session::ProjectedInput>& keys,
                   const std::vector<std::pair<ml::PartitionKey, ml::GroupMoments>>& groups) {
  std::string values;
  for (const auto& group : groups) {
    std::string cells;
    for (const std::optional<std::string>& text : group.first)
      cells += fmt::format("{}CAST({} AS VARCHAR)", cells.empty() ? "" : ", ",
                           text ? syntax::QuoteString(*text) : "NULL");
    values += fmt::format("{}({})", values.empty() ? "" : ", ", cells);
  }
  std::string names;
  std::string equal;
  for (size_t k = 0; k < keys.size(); ++k) {
    names += fmt::format("{}k{}", k == 0 ? "" : ", ", k);
    equal += fmt::format("{}CAST({} AS VARCHAR) IS NOT DISTINCT FROM __braid_sought.k{}",
                         k == 0 ? "" : " AND ", keys[k].expression, k);
  }
  return fmt::format(" JOIN (VALUES {}) AS __braid_sought({}) ON {}", values, names, equal);
}

}  // namespace

void PartitionedFitting::TrainFromMoments(const std::string& from,
                                          const ml::TrainingControl& control,
                                          ml::PartitionTrainer& trainer) {
  const GroupedQuery query{.keys = session::InputsSql(keys_),
                           .key_count = keys_.size(),
                           .list = fitting_.MomentList(),
                           .inputs = trainer.request().inputs.size(),
                           .from = from};
  const auto take = [&](std::vector<std::pair<ml::PartitionKey, ml::GroupMoments>> groups) {
    ml::ThrowIfStopped(control);
    trainer.TrainFromMoments(std::move(groups));
  };
  if (fitting_.threads() == 1)
    GatherGroupsInOrder(connection_, query, take);
  else
    GatherGroups(connection_, query, take);
}

void PartitionedFitting::TrainWaiting(const std::string& from, ml::PartitionTrainer& trainer) {
  const auto& waiting = trainer.waiting();
  if (waiting.empty()) return;
  ml::PartitionKeys known(keys_.size());
  for (const auto& group : waiting) known.Add(group.first);
  const std::string sought = waiting.size() <= kMostSought ? Sought(keys_, waiting) : "";
  ScanPartitions(connection_,
                 {.keys = session::InputsSql(keys_),
                  .key_count = keys_.size(),
                  .list = fitting_.InputList(),
                  .from = from + sought},
                 [&](const ml::PartitionKey& key, ml::RowSource& rows) {
                   const std::optional<uint32_t> number = known.NumberOf(key);
                   if (number) trainer.TrainFromRows(key, rows, &waiting[*number].second);
                 });
}

void PartitionedFitting::TrainFromRows(const std::string& from, ml::PartitionTrainer& trainer) {
  ScanPartitions(
      connection_,
      {.keys = session::InputsSql(keys_),
       .key_count = keys_.size(),
       .list = fitting_.InputList(),
       .from = from},
      [&](const ml::PartitionKey& key, ml::RowSource& rows) { trainer.TrainFromRows(key, rows); });
}

ml::TrainedModel PartitionedFitting::Fit(const TrainingRows& rows,
                                         const ml::TrainingControl& control) {
  const ml::ModelOptions& options = fitting_.options();
  ml::TrainingRequest request = fitting_.RequestFor(rows);
  if (fitting_.threads() == 0)
    request.threads = std::max<size_t>(1, std::thread::hardware_concurrency());
  ml::PartitionTrainer trainer(
      request, ColumnsOf(keys_),
      {.min_rows = options.partition_min_rows, .pooled = options.pooled_fallback}, control);
  const std::string from = rows.TrainingQuery() + " AS __braid_row";
  if (fitting_.MomentsSuffice(request)) {
    TrainFromMoments(from, control, trainer);
    TrainWaiting(from, trainer);
  } else {
    TrainFromRows(from, trainer);
  }
  if (trainer.pooled_moments()) {
    QueryRows source(connection_, fmt::format("SELECT {} FROM {}", fitting_.InputList(), from));
    trainer.SetPooled(
        options.kind->train_from_moments(request, *trainer.pooled_moments(), source, control));
  } else if (options.pooled_fallback) {
    trainer.SetPooled(fitting_.Fit(rows, control));
  }
  return trainer.Finish();
}

}  // namespace braid::train
