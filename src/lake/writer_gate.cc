// SPDX-License-Identifier: Apache-2.0
#include "lake/writer_gate.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace braid::lake {

WriterGate::Pass::Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}

WriterGate::Pass& WriterGate::Pass::operator=(Pass&& other) noexcept {
  if (this != &other) {
    Release();
    gate_ = std::exchange(other.gate_, nullptr);
  }
  return *this;
}

WriterGate::Pass::~Pass() { Release(); }

void WriterGate::Pass::Release() {
  if (gate_ == nullptr) return;
  {
    MutexLock lock(gate_->mutex_);
    gate_->taken_ = false;
  }
  gate_->freed_.NotifyOne();
  gate_ = nullptr;
}

WriterGate::Pass WriterGate::Enter(const std::string& holder, std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  MutexLock lock(mutex_);
  while (taken_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      throw Error(ErrorCode::kLakeBusy,
                  fmt::format("Another statement is writing to the lake: {}", holder_),
                  "wait for it to end, or commit the transaction that is open; --wait sets how "
                  "long to wait");
    }
    freed_.WaitFor(mutex_, left);
  }
  taken_ = true;
  holder_ = holder;
  return Pass(this);
}

}  // namespace braid::lake
