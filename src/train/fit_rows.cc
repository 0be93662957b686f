// SPDX-License-Identifier: Apache-2.0
#include "train/fit_rows.h"

#include "train/moments.h"
#include "train/training_rows.h"

namespace braid::train {

void SharedRows::Hold() {
  if (is_held_) return;
  engine::Result result = shared_.connection.Query(sql_);
  while (std::optional<engine::Chunk> chunk = result.Next()) chunks_.push_back(std::move(*chunk));
  for (const engine::Chunk& chunk : chunks_) batches_.push_back(chunk.AsBatch());
  is_held_ = true;
}

void SharedRows::Scan(const std::function<void(const Batch&)>& visit) {
  {
    MutexLock lock(shared_.mutex);
    if (!holds_) {
      QueryRows(shared_.connection, sql_).Scan(visit);
      return;
    }
    Hold();
  }
  for (const Batch& batch : batches_) visit(batch);
}

const ml::GramAccumulator& SharedMoments::Get() {
  MutexLock lock(shared_.mutex);
  if (!moments_) moments_ = GatherMoments(shared_.connection, inputs_, list_, from_, one_thread_);
  return moments_->gram;
}

std::vector<ml::NumberStatistics> SharedMoments::Numbers() {
  MutexLock lock(shared_.mutex);
  return moments_ ? moments_->numbers : std::vector<ml::NumberStatistics>();
}

}  // namespace braid::train
