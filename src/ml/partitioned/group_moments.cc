// SPDX-License-Identifier: Apache-2.0
#include "ml/partitioned/group_moments.h"

#include <cstring>

#include "base/error.h"

namespace braid::ml {

void GroupMoments::Add(const Batch& rows, std::span<const uint32_t> picked) {
  given_ += static_cast<int64_t>(picked.size());
  if (!failure_.empty()) return;
  try {
    gram_.AddPicked(rows, picked);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kTrainingData) throw;
    failure_ = error.message();
  }
}

void GroupMoments::Merge(const GroupMoments& other) {
  given_ += other.given_;
  if (failure_.empty()) failure_ = other.failure_;
  if (failure_.empty()) gram_.Merge(other.gram_);
}

// The rows given, the length of the failure, the failure, and the sums unless there is one.
std::string GroupMoments::Serialize() const {
  std::string bytes(16, '\0');
  const auto length = static_cast<uint64_t>(failure_.size());
  std::memcpy(bytes.data(), &given_, 8);
  std::memcpy(bytes.data() + 8, &length, 8);
  return bytes + (failure_.empty() ? gram_.Serialize() : failure_);
}

GroupMoments GroupMoments::Deserialize(std::string_view bytes) {
  int64_t given = 0;
  uint64_t length = 0;
  if (bytes.size() < 16) throw Error(ErrorCode::kInternal, "A group's sums are cut short");
  std::memcpy(&given, bytes.data(), 8);
  std::memcpy(&length, bytes.data() + 8, 8);
  bytes.remove_prefix(16);
  if (length > bytes.size()) throw Error(ErrorCode::kInternal, "A group's sums are cut short");
  GroupMoments moments(length > 0 ? GramAccumulator(1) : GramAccumulator::Deserialize(bytes));
  moments.given_ = given;
  moments.failure_ = bytes.substr(0, length);
  return moments;
}

size_t GroupMoments::BytesOf(size_t inputs) {
  // The triangle of sums, what stands beside it for each input, and the allocator's share.
  return sizeof(GroupMoments) + (inputs + 2) * (inputs + 3) / 2 * 16 + inputs * 32 + 160;
}

}  // namespace braid::ml
