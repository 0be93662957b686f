// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/connection.h"
#include "ml/gram.h"
#include "ml/number_summary.h"
#include "ml/training.h"
#include "train/training_statistics.h"

namespace braid::train {

// A connection that several threads use in turn.
struct SharedConnection {
  engine::Connection& connection;
  Mutex mutex;  // held while it is used
};

// Rows of a query that several threads may scan. They come through the connection, one scan at a
// time; or, when `holds` is set, the first scan keeps them in memory and later ones read them there
// at once.
class SharedRows final : public ml::RowSource {
 public:
  SharedRows(SharedConnection& shared, std::string sql, bool holds)
      : shared_(shared), sql_(std::move(sql)), holds_(holds) {}
  void Scan(const std::function<void(const Batch&)>& visit) override;

 private:
  void Hold() REQUIRES(shared_.mutex);
  SharedConnection& shared_;
  std::string sql_;
  bool holds_;
  bool is_held_ GUARDED_BY(shared_.mutex) = false;
  std::vector<engine::Chunk> chunks_;  // not changed any more once is_held_
  std::vector<Batch> batches_;
};

// The moments of a query's rows, gathered when they are first asked for.
class SharedMoments {
 public:
  // `list`: the inputs and the label, all DOUBLE.
  SharedMoments(SharedConnection& shared, size_t inputs, std::string list, std::string from,
                bool one_thread)
      : shared_(shared),
        inputs_(inputs),
        list_(std::move(list)),
        from_(std::move(from)),
        one_thread_(one_thread) {}
  const ml::GramAccumulator& Get();
  // What the inputs look like, if the moments were gathered; else empty.
  std::vector<ml::NumberStatistics> Numbers();

 private:
  SharedConnection& shared_;
  size_t inputs_;
  std::string list_;
  std::string from_;
  bool one_thread_;
  std::optional<FinishedMoments> moments_ GUARDED_BY(shared_.mutex);
};

}  // namespace braid::train
