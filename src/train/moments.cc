// SPDX-License-Identifier: Apache-2.0
#include "train/moments.h"

#include <fmt/format.h>

#include "session/moments_function.h"
#include "train/training_rows.h"

namespace braid::train {

ml::GramAccumulator GatherMoments(engine::Connection& connection, size_t inputs,
                                  const std::string& list, const std::string& from,
                                  bool one_thread) {
  ml::GramAccumulator gram(inputs);
  if (one_thread) {
    QueryRows(connection, fmt::format("SELECT {} FROM {}", list, from))
        .Scan([&gram](const Batch& batch) { gram.Add(batch); });
    return gram;
  }
  engine::Result result = connection.Query(fmt::format(
      "SELECT {}({}) FROM {}", session::MomentsFunction(connection, inputs), list, from));
  const std::optional<engine::Chunk> chunk = result.Next();
  const ColumnView& sums = chunk->AsBatch().columns.at(0);
  return sums.IsValid(0) ? ml::GramAccumulator::Deserialize(sums.strings()[0]) : std::move(gram);
}

}  // namespace braid::train
