// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>

#include "base/mutex.h"

namespace braid::lake {

// One writer at a time within the process that holds the lake. DuckLake's snapshot is fixed when a
// transaction first reads, and overlapping writers can corrupt it silently, so the pass is taken
// before BEGIN and kept until after COMMIT. A pass may be released by another thread than took it.
class WriterGate {
 public:
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept;
    Pass& operator=(Pass&& other) noexcept;
    ~Pass();
    bool held() const { return gate_ != nullptr; }
    void Release();

   private:
    friend class WriterGate;
    explicit Pass(WriterGate* gate) : gate_(gate) {}
    WriterGate* gate_ = nullptr;
  };

  // Waits for the pass; throws kLakeBusy after `wait`, naming who holds it.
  Pass Enter(const std::string& holder, std::chrono::milliseconds wait);

 private:
  Mutex mutex_;
  ConditionVariable freed_;
  bool taken_ GUARDED_BY(mutex_) = false;
  std::string holder_ GUARDED_BY(mutex_);
};

}  // namespace braid::lake
