// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <condition_variable>
#include <mutex>

// clang's -Wthread-safety checks these (preset `clang`); other compilers see nothing.
#if defined(__clang__)
#define BRAID_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define BRAID_THREAD_ANNOTATION(x)
#endif
#define GUARDED_BY(x) BRAID_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(x) BRAID_THREAD_ANNOTATION(requires_capability(x))

namespace braid {

// std::mutex with clang's annotations (libstdc++'s has none).
class BRAID_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() BRAID_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() BRAID_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class BRAID_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) BRAID_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() BRAID_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits on a Mutex that the caller holds; wakes spuriously, so wait in a loop over the condition.
class ConditionVariable {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) { condition_.wait(mutex); }
  // Returns false when the time ran out.
  bool WaitFor(Mutex& mutex, std::chrono::milliseconds timeout) REQUIRES(mutex) {
    return condition_.wait_for(mutex, timeout) == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace braid
