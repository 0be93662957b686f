// SPDX-License-Identifier: Apache-2.0
#include "serve/accounts.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace braid::serve {

namespace {

constexpr int64_t kMany = 10'000;
constexpr int64_t kOldMicros = 1'000'000;

}  // namespace

void PendingAccounts::Add(const std::string& service, int64_t served, int64_t shed,
                          int64_t admitted) {
  MutexLock lock(mutex_);
  capture::AccountDelta& delta = deltas_[service];
  delta.service = service;
  delta.served += served;
  delta.shed += shed;
  delta.reserved -= admitted;
  count_ += served;
}

int64_t PendingAccounts::Admit(capture::Log& log, const std::string& service, int64_t rows) {
  {
    MutexLock lock(mutex_);
    int64_t& promised = promised_[service];
    if (promised >= rows) {
      promised -= rows;
      return rows;
    }
  }
  const int64_t more = std::max(kReservedAtOnce, rows);
  try {
    log.AppendAndWait({}, {{.service = service, .reserved = more}});
  } catch (const Error&) {
    return 0;
  }
  MutexLock lock(mutex_);
  promised_[service] += more - rows;
  return rows;
}

std::vector<capture::AccountDelta> PendingAccounts::TakePromises() {
  MutexLock lock(mutex_);
  std::vector<capture::AccountDelta> taken;
  for (const auto& [service, rows] : promised_)
    if (rows > 0) taken.push_back({.service = service, .reserved = -rows});
  promised_.clear();
  return taken;
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
  for (const capture::AccountDelta& delta : deltas)
    Add(delta.service, delta.served, delta.shed, -delta.reserved);
}

std::vector<capture::AccountDelta> PendingAccounts::TakeLocked() {
  std::vector<capture::AccountDelta> taken;
  for (auto& [service, delta] : deltas_) taken.push_back(std::move(delta));
  deltas_.clear();
  count_ = 0;
  return taken;
}

}  // namespace braid::serve
