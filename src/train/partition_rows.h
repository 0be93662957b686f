// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "engine/connection.h"
#include "ml/partitioned/partition_keys.h"
#include "ml/training.h"

namespace braid::train {

// Rows that are read partition by partition: select lists over __braid_row.
struct PartitionQuery {
  std::string keys;  // texts
  size_t key_count = 0;
  std::string list;  // what a RowSource gives
  std::string from;
};

// Calls visit(key, rows) for each partition, its rows in memory, in an order that their content
// alone determines.
void ScanPartitions(
    engine::Connection& connection, const PartitionQuery& query,
    const std::function<void(const ml::PartitionKey& key, ml::RowSource& rows)>& visit);

}  // namespace braid::train
