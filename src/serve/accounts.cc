// SPDX-License-Identifier: Apache-2.0
#include "serve/accounts.h"

#include <utility>

namespace braid::serve {

namespace {

constexpr int64_t kMany = 10'000;
constexpr int64_t kOldMicros = 1'000'000;

}  // namespace

void PendingAccounts::Add(const std::string& service, int64_t served, int64_t shed) {
  MutexLock lock(mutex_);
  capture::AccountDelta& delta = deltas_[service];
  delta.service = service;
  delta.served += served;
  delta.shed += shed;
  count_ += served;
}

std::vector<capture::AccountDelta> PendingAccounts::Take() {
  MutexLock lock(mutex_);
  return TakeLocked();
}

std::vector<capture::AccountDelta> PendingAccounts::TakeDue(int64_t now_us) {
  MutexLock lock(mutex_);
  if (count_ < kMany && now_us - taken_at_us_ < kOldMicros) return {};
  taken_at_us_ = now_us;
  return TakeLocked();
}

void PendingAccounts::PutBack(const std::vector<capture::AccountDelta>& deltas) {
  for (const capture::AccountDelta& delta : deltas) Add(delta.service, delta.served, delta.shed);
}

std::vector<capture::AccountDelta> PendingAccounts::TakeLocked() {
  std::vector<capture::AccountDelta> taken;
  for (auto& [service, delta] : deltas_) taken.push_back(std::move(delta));
  deltas_.clear();
  count_ = 0;
  return taken;
}

}  // namespace braid::serve
