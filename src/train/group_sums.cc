// SPDX-License-Identifier: Apache-2.0
#include "train/group_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "engine/functions.h"
#include "train/training_rows.h"

namespace braid::train {

namespace {

using Groups = std::vector<std::pair<ml::PartitionKey, ml::GroupMoments>>;

constexpr size_t kGroupsAtATime = 16'384;
constexpr uint64_t kMostParts = 1 << 16;

// The bytes that states of one aggregate take now, in all connections.
using Budget = std::atomic<size_t>;

// Sums of one group, or nothing when there was no memory for them: then Finish gives "".
class GroupState final : public engine::AggregateFunction::State {
 public:
  GroupState(size_t inputs, std::shared_ptr<Budget> used, size_t most)
      : used_(std::move(used)), bytes_(ml::GroupMoments::BytesOf(inputs)) {
    if (used_->fetch_add(bytes_) + bytes_ <= most) moments_.emplace(inputs);
  }
  ~GroupState() override { used_->fetch_sub(bytes_); }
  GroupState(const GroupState&) = delete;
  GroupState& operator=(const GroupState&) = delete;

  void Add(const Batch& rows) override {
    all_.resize(rows.rows);
    std::iota(all_.begin(), all_.end(), 0);
    AddSome(rows, all_);
    all_ = {};
  }
  void AddSome(const Batch& rows, std::span<const uint32_t> picked) override {
    if (moments_) moments_->Add(rows, picked);
  }
  void Merge(State& other) override {
    auto& from = static_cast<GroupState&>(other);
    if (!from.moments_) moments_.reset();
    if (moments_) moments_->Merge(*from.moments_);
  }
  std::string Finish() override { return moments_ ? moments_->Serialize() : ""; }

 private:
  std::shared_ptr<Budget> used_;
  size_t bytes_;
  std::optional<ml::GroupMoments> moments_;
  std::vector<uint32_t> all_;
};

std::string GroupFunction(engine::Connection& connection, size_t inputs, size_t most) {
  std::string name = fmt::format("braid_group_moments_{}_{}", inputs, most);
  engine::RegisterOnce(connection,
                       {.name = name,
                        .parameter_count = inputs + 1,
                        .make_state = [inputs, most, used = std::make_shared<Budget>(0)] {
                          return std::make_unique<GroupState>(inputs, used, most);
                        }});
  return name;
}

// The groups whose keys' hash leaves `rest` when it is divided by `parts`.
struct Share {
  uint64_t parts = 1;
  uint64_t rest = 0;
};

// Returns false when there was no memory for the sums; then nothing was given.
bool GatherShare(engine::Connection& connection, const GroupedQuery& query,
                 const std::string& function, Share share, const TakeGroups& take) {
  std::string names;
  for (size_t k = 0; k < query.key_count; ++k)
    names += fmt::format("{}{}", k == 0 ? "" : ", ", k + 1);
  const std::string where = share.parts == 1 ? ""
                                             : fmt::format(" WHERE hash({}) % {} = {}", query.keys,
                                                           share.parts, share.rest);
  engine::Result result =
      connection.Query(fmt::format("SELECT {}, {}({}) FROM {}{} GROUP BY {}", query.keys, function,
                                   query.list, query.from, where, names));
  // All states are finished when the first row comes, but their texts are not yet all looked at.
  std::vector<engine::Chunk> chunks;
  while (std::optional<engine::Chunk> chunk = result.Next()) {
    const ColumnView& sums = chunk->AsBatch().columns.back();
    for (size_t row = 0; row < chunk->rows(); ++row)
      if (!sums.IsValid(row) || sums.strings()[row].empty()) return false;
    chunks.push_back(std::move(*chunk));
  }
  Groups groups;
  for (const engine::Chunk& chunk : chunks) {
    const Batch& batch = chunk.AsBatch();
    for (size_t row = 0; row < batch.rows; ++row) {
      ml::PartitionKey key;
      for (size_t k = 0; k < query.key_count; ++k)
        key.push_back(batch.columns[k].IsValid(row)
                          ? std::optional<std::string>(batch.columns[k].strings()[row])
                          : std::nullopt);
      groups.emplace_back(std::move(key),
                          ml::GroupMoments::Deserialize(batch.columns.back().strings()[row]));
    }
    if (groups.size() >= kGroupsAtATime) take(std::exchange(groups, {}));
  }
  if (!groups.empty()) take(std::move(groups));
  return true;
}

}  // namespace

void GatherGroups(engine::Connection& connection, const GroupedQuery& query, const TakeGroups& take,
                  size_t most_bytes) {
  const std::string function = GroupFunction(connection, query.inputs, most_bytes);
  std::vector<Share> shares = {{}};
  while (!shares.empty()) {
    const Share share = shares.back();
    shares.pop_back();
    if (GatherShare(connection, query, function, share, take)) continue;
    if (share.parts >= kMostParts)
      throw Error(ErrorCode::kTrainingData, "The sums of a partition take too much memory",
                  "leave inputs out");
    shares.push_back({share.parts * 2, share.rest + share.parts});
    shares.push_back({share.parts * 2, share.rest});
  }
}

void GatherGroupsInOrder(engine::Connection& connection, const GroupedQuery& query,
                         const TakeGroups& take) {
  ml::PartitionKeys keys(query.key_count);
  std::vector<ml::GroupMoments> moments;
  std::vector<uint32_t> numbers;
  std::vector<uint32_t> order;
  QueryRows(connection, fmt::format("SELECT {}, {} FROM {}", query.keys, query.list, query.from))
      .Scan([&](const Batch& batch) {
        numbers.resize(batch.rows);
        keys.FindOrAdd(batch, numbers);
        while (moments.size() < keys.size()) moments.emplace_back(query.inputs);
        order.resize(batch.rows);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(),
                         [&](uint32_t a, uint32_t b) { return numbers[a] < numbers[b]; });
        const Batch values{
            batch.rows,
            {batch.columns.begin() + static_cast<ptrdiff_t>(query.key_count), batch.columns.end()}};
        for (size_t begin = 0; begin < order.size();) {
          const uint32_t number = numbers[order[begin]];
          size_t end = begin + 1;
          while (end < order.size() && numbers[order[end]] == number) ++end;
          moments[number].Add(values, std::span<const uint32_t>(order).subspan(begin, end - begin));
          begin = end;
        }
      });
  Groups groups;
  for (uint32_t number = 0; number < moments.size(); ++number)
    groups.emplace_back(keys.key(number), std::move(moments[number]));
  if (!groups.empty()) take(std::move(groups));
}

}  // namespace braid::train
