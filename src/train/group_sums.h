// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/connection.h"
#include "ml/partitioned/group_moments.h"
#include "ml/partitioned/partition_keys.h"

namespace braid::train {

// Rows whose sums are gathered group by group: select lists over __braid_row.
struct GroupedQuery {
  std::string keys;  // texts
  size_t key_count = 0;
  std::string list;  // inputs and label, all DOUBLE
  size_t inputs = 0;
  std::string from;
};

using TakeGroups =
    std::function<void(std::vector<std::pair<ml::PartitionKey, ml::GroupMoments>> groups)>;

// All memory that the sums of groups may take, of all threads together.
constexpr size_t kGroupSumsBytes = size_t{1} << 30;

// Gives the sums of all groups, some thousands at a time. All threads take part in one scan; if the
// sums take more than `most_bytes`, the query runs again for one half of the groups and for the
// other, and so on. Throws TRAINING_DATA when not even few groups fit.
void GatherGroups(engine::Connection& connection, const GroupedQuery& query, const TakeGroups& take,
                  size_t most_bytes = kGroupSumsBytes);

// The same with one thread and in one order, so that the same rows give the same bits.
void GatherGroupsInOrder(engine::Connection& connection, const GroupedQuery& query,
                         const TakeGroups& take);

}  // namespace braid::train
